import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { emptyHead, encodeObject, objectKey } from '../../../core/audit/format.ts';
import { type ObjectVersion, verifyLog } from '../../../core/audit/verify.ts';
import { AuditWriter } from '../../../lambdas/audit/writer.ts';
import { finding, sampleLog, start } from '../../core/audit/sample.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

const clock = { now: () => new Date(start) };
const writerOf = (store: MemoryAuditStore) => new AuditWriter({ store, clock });
const codesOf = async (store: MemoryAuditStore) =>
  (await verifyLog(store, { now: new Date(start) })).problems.map(({ code }) => code);

/** Notes which objects are read, and how many at the same time. */
function watchReads(store: MemoryAuditStore) {
  const keys: string[] = [];
  let [reading, most] = [0, 0];
  const read = store.read.bind(store);
  store.read = async (version: ObjectVersion) => {
    keys.push(version.key);
    reading += 1;
    most = Math.max(most, reading);
    await new Promise((resolve) => setImmediate(resolve));
    reading -= 1;
    return await read(version);
  };
  return { keys, most: () => most };
}

/** A log of one record in each object; only the last ones, which are read, have content. */
function longLog(length: number): MemoryAuditStore {
  const store = new MemoryAuditStore();
  let head = { sequence: length - 200, hash: 'f'.repeat(64) };
  for (let sequence = 1; sequence <= length - 200; sequence += 1) {
    store.overwrite(objectKey(sequence), new Uint8Array());
  }
  for (let sequence = length - 199; sequence <= length; sequence += 1) {
    const object = encodeObject(head, [finding(sequence)], clock.now());
    store.overwrite(object.key, object.body);
    head = object.head;
  }
  return store;
}

describe('a writer that has just started', () => {
  test.each([1005, 1500, 2999, 3000])(
    'remembers the last hundred of %i objects, and reads no others',
    async (length) => {
      const store = longLog(length);
      const reads = watchReads(store);
      const writer = writerOf(store);
      const known = [finding(length - 99), finding(length - 50), finding(length)];
      expect((await writer.append([...known, finding(9_000)])).written).toBe(1);
      expect(reads.keys).toEqual(Array.from({ length: 100 }, (_, index) => objectKey(length - 99 + index)));
      expect(reads.most()).toBe(10);
    },
  );

  test('begins no second log where the first object is hidden', async () => {
    const { store } = sampleLog([2, 2]);
    for (const key of [...store.objects.keys()]) store.hide(key);
    await writerOf(store).append([finding(50)]);
    expect([...store.objects.keys()]).toEqual([1, 3, 5].map(objectKey));
    expect(await codesOf(store)).toEqual(['ObjectHidden', 'ObjectHidden']);
  });

  test('is kept up by no delete marker where no object ever was', async () => {
    const { store } = sampleLog([2]);
    store.hide(objectKey(3));
    store.hide(objectKey(7));
    await writerOf(store).append([finding(50)]);
    expect(store.objects.get(objectKey(3))?.[0]?.body).toBeDefined();
  });

  test('goes on behind an object that is not intact and stands behind a gap', async () => {
    const { store } = sampleLog([2]);
    store.overwrite(objectKey(5), Buffer.from('x\n'));
    await writerOf(store).append([finding(50)]);
    expect([...store.objects.keys()]).toEqual([1, 5, 6].map(objectKey));
    expect(await codesOf(store)).toEqual(['RecordMalformed', 'RecordsMissing']);
  });

  test('is stopped by no record that is nested so deeply that nobody could write it anew', async () => {
    const { store } = sampleLog([2]);
    const odd = {
      ...finding(7),
      detailType: 'Secret Revocation Requested',
      detail: { metadata: finding(7).detail.metadata, data: { select: 'DEEP' } },
    };
    const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const { body } = encodeObject({ sequence: 2, hash: emptyHead.hash }, [odd], clock.now());
    const text = `{${Buffer.from(body)
      .toString()
      .trimEnd()
      .slice(`{"hash":"${'0'.repeat(64)}",`.length)}`.replace('"DEEP"', nested);
    const hash = createHash('sha256').update(text).digest('hex');
    store.overwrite(objectKey(3), Buffer.from(`{"hash":"${hash}",${text.slice(1)}\n`));
    expect(await writerOf(store).append([finding(50)])).toEqual({ written: 1, passed: [] });
    expect(store.objects.has(objectKey(4))).toBe(true);
  });
});

describe('an object that is not intact', () => {
  test('is named by the batch that goes on behind it and in one record, and then no more', async () => {
    const { store } = sampleLog([2]);
    store.overwrite(objectKey(3), Buffer.from('x\n'));
    const writer = writerOf(store);
    expect(await writer.append([finding(50)])).toEqual({ written: 2, passed: [objectKey(3)] });
    expect(await writer.append([finding(51)])).toEqual({ written: 1, passed: [] });
    const [line = ''] = Buffer.from(store.objects.get(objectKey(4))?.[0]?.body ?? [])
      .toString()
      .split('\n');
    expect(JSON.parse(line).event).toEqual({
      id: `continued behind ${objectKey(3)}`,
      source: 'rekey.audit',
      detailType: 'Unrecognised Event',
      time: '2026-03-01T12:00:00.000Z',
      account: 'unknown',
      region: 'unknown',
      detail: {
        detailType: 'Audit Log Continued',
        problems: [{ path: objectKey(3), code: 'not_intact' }],
      },
    });
  });
});

test('a writer tries five times against others that are faster, each time behind the new end', async () => {
  const { store } = sampleLog([2]);
  const tried: string[] = [];
  const put = store.put.bind(store);
  store.put = async (key) => {
    tried.push(key);
    const sequence = 2 + tried.length;
    const { body } = encodeObject(
      { sequence: sequence - 1, hash: emptyHead.hash },
      [finding(sequence)],
      clock.now(),
    );
    await put(key, body);
    return 'taken';
  };
  await expect(writerOf(store).append([finding(50)])).rejects.toMatchObject({
    code: 'AuditContended',
    message: expect.stringContaining('5 times in a row'),
  });
  expect(tried).toEqual([3, 4, 5, 6, 7].map(objectKey));
});
