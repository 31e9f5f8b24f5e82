import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyHead, encodeObject, objectKey } from '../../core/audit/format.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { AuditWriter } from '../../lambdas/audit/writer.ts';
import { finding, sampleLog, start } from '../core/audit/sample.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

const clock = { now: () => new Date(start) };
const writerOf = (store: MemoryAuditStore) => new AuditWriter({ store, clock });
const verify = (store: MemoryAuditStore) => verifyLog(store, { now: new Date(start) });

describe('the audit writer', () => {
  test('appends batches, each as one object, without reading once it is warm', async () => {
    const store = new MemoryAuditStore();
    const writer = writerOf(store);
    expect(await writer.append([finding(1), finding(2)])).toBe(2);
    const calls = store.calls;
    expect(await writer.append([finding(3)])).toBe(1);
    expect(store.calls).toBe(calls);
    expect([...store.objects.keys()]).toEqual([objectKey(1), objectKey(3)]);
    expect(await verify(store)).toMatchObject({ intact: true, records: 3 });
  });

  test('records a fact once: in a batch, in a later one, and by a writer that starts afterwards', async () => {
    const store = new MemoryAuditStore();
    const writer = writerOf(store);
    const again = { ...finding(1), id: 'bus-again', time: '2026-03-05T00:00:00Z' };
    expect(await writer.append([finding(1), again])).toBe(1);
    expect(await writer.append([again, finding(2)])).toBe(1);
    expect(await writerOf(store).append([finding(1), again, finding(2)])).toBe(0);
    expect(await verify(store)).toMatchObject({ intact: true, records: 2, repeated: 0 });
  });

  test('a batch delivered again after a crash between put and answer is not recorded twice', async () => {
    const store = new MemoryAuditStore();
    const put = store.put.bind(store);
    store.put = async (key, body) => {
      await put(key, body);
      throw new Error('connection lost');
    };
    const writer = writerOf(store);
    await expect(writer.append([finding(1), finding(2)])).rejects.toThrow('connection lost');
    store.put = put;
    expect(await writer.append([finding(1), finding(2), finding(3)])).toBe(1);
    expect(await verify(store)).toMatchObject({ intact: true, records: 3, repeated: 0 });
  });

  test.each([0, 1, 999, 1000, 1001, 2500, 70_000])(
    'finds the head of a log of %i objects',
    async (length) => {
      const store = new MemoryAuditStore();
      let head = emptyHead;
      for (let sequence = 1; sequence <= length; sequence += 1) {
        // Only the tail is ever read, so that most objects need no content.
        const object =
          sequence > length - 120 ? encodeObject(head, [finding(sequence)], clock.now()) : undefined;
        store.overwrite(objectKey(sequence), object?.body ?? new Uint8Array());
        head = object?.head ?? { sequence, hash: 'f'.repeat(64) };
      }
      store.calls = 0;
      await writerOf(store).append([finding(9_999)]);
      expect(store.objects.has(objectKey(length + 1))).toBe(true);
      expect(store.calls).toBeLessThan(24);
    },
  );

  test('writes behind an object that somebody hid', async () => {
    const { store } = sampleLog([2, 2]);
    store.hide(objectKey(3));
    await writerOf(store).append([finding(50)]);
    expect(store.objects.has(objectKey(5))).toBe(true);
    const report = await verify(store);
    expect(report.problems.map(({ code }) => code)).toEqual(['ObjectHidden']);
    expect(report.records).toBe(5);
  });

  test('stops when the end of the log is not intact', async () => {
    const { store } = sampleLog([2]);
    store.objects.set(objectKey(1), [{ versionId: 'x', body: Buffer.from('nonsense\n') }]);
    await expect(writerOf(store).append([finding(50)])).rejects.toMatchObject({
      code: 'AuditHeadUnreadable',
    });
    expect(store.objects.size).toBe(1);
  });

  test('gives up, and says so, when others are always faster', async () => {
    const store = new MemoryAuditStore();
    store.put = async () => 'taken';
    await expect(writerOf(store).append([finding(1)])).rejects.toMatchObject({
      code: 'AuditContended',
      retryable: true,
    });
  });

  test('writers that run at once never fork the log and never lose or repeat a record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 10 }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.scheduler(),
        async (batches, scheduler) => {
          const store = new MemoryAuditStore();
          const put = store.put.bind(store);
          store.put = scheduler.scheduleFunction(put);
          const writers = [writerOf(store), writerOf(store), writerOf(store)];
          const pending = batches.map(async (batch, index) => {
            const writer = writers[index % 3] as AuditWriter;
            const events = batch.map(finding);
            // The queue delivers what failed again.
            for (let tries = 0; tries < 20; tries += 1) {
              try {
                return await writer.append(events);
              } catch (error) {
                expect(error).toMatchObject({ code: 'AuditContended' });
              }
            }
            throw new Error('never recorded');
          });
          await scheduler.waitFor(Promise.all(pending));
          const report = await verify(store);
          expect(report.problems).toEqual([]);
          expect(report.records).toBe(new Set(batches.flat()).size);
          expect(report.repeated).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
