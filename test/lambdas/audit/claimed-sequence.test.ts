import { expect, test } from '@jest/globals';
import { encodeObject, objectKey, sequenceOfKey } from '../../../core/audit/format.ts';
import { verifyLog } from '../../../core/audit/verify.ts';
import { AuditWriter } from '../../../lambdas/audit/writer.ts';
import { finding, sampleLog, start } from '../../core/audit/sample.ts';
import type { MemoryAuditStore } from './memory-audit-store.ts';

const clock = { now: () => new Date(start) };
const writerOf = (store: MemoryAuditStore) => new AuditWriter({ store, clock });

/**
 * The kind of M5: one object that somebody put at the next key. Its record has the right hash and claims a sequence that no log
 * reaches, and the writer believes it: it goes on where a new writer does not look, or at a key that is none.
 */
test.each([999_999_999_999, 999_999_999_990])(
  'a record that claims the sequence %i does not stop the log',
  async (claimed) => {
    const { store } = sampleLog([2]);
    const { body } = encodeObject({ sequence: claimed - 1, hash: '0'.repeat(64) }, [finding(7)], clock.now());
    store.overwrite(objectKey(3), body);
    const outcomes: string[] = [];
    const ids = [...Array(12).keys()].map((index) => 50 + index);
    for (const id of ids) {
      // Each batch by a writer that has just started, as after every deploy and every quiet hour.
      const outcome = await writerOf(store)
        .append([finding(id)])
        .then(
          ({ written }) => `${written} written`,
          ({ code, name }) => code ?? name,
        );
      outcomes.push(outcome);
    }
    // The first one also says behind which object it went on.
    expect(outcomes).toEqual(['2 written', ...ids.slice(1).map(() => '1 written')]);
    expect([...store.objects.keys()].filter((key) => sequenceOfKey(key) === undefined)).toEqual([]);
    const { records, problems } = await verifyLog(store, { now: new Date(start) });
    expect(records).toBeGreaterThanOrEqual(2 + ids.length);
    expect(problems.length).toBeGreaterThan(0);
  },
);

test.each([1, 2, 4])(
  'a record that claims the sequence %i where the third one stands takes one place, and the next one names its hash',
  async (claimed) => {
    const { store } = sampleLog([2]);
    const { body, head } = encodeObject(
      { sequence: claimed - 1, hash: '0'.repeat(64) },
      [finding(7)],
      clock.now(),
    );
    store.overwrite(objectKey(3), body);
    expect(await writerOf(store).append([finding(50)])).toEqual({ written: 2, passed: [objectKey(3)] });
    expect([...store.objects.keys()]).toEqual([1, 3, 4].map(objectKey));
    const [next = ''] = Buffer.from(store.objects.get(objectKey(4))?.[0]?.body ?? [])
      .toString()
      .split('\n');
    expect(JSON.parse(next)).toMatchObject({ sequence: 4, previous: head.hash });
  },
);
