import { expect, test } from '@jest/globals';
import { firstBehind, objectKey } from '../../../core/audit/format.ts';
import { AuditWriter } from '../../../lambdas/audit/writer.ts';
import { finding, sampleLog, start } from '../../core/audit/sample.ts';

/** Whoever puts an object past the bucket's policy chooses its key: one that is none stands behind all keys of the log. */
test.each([
  'entries/notes.txt',
  'entries/999999999999.ndjson',
  'entries/~',
  'entries/000000000001x',
  'entries/0',
])('a writer that has just started goes on where the log ends, beside %s', async (key) => {
  const { store } = sampleLog([2]);
  store.overwrite(key, Buffer.from('x\n'));
  const writer = new AuditWriter({ store, clock: { now: () => new Date(start) } });
  expect(await writer.append([finding(50)])).toMatchObject({ written: 1 });
  expect([...store.objects.keys()]).toContain(objectKey(3));
});

test('a foreign key in the midst of the log hides nothing that stands behind it', async () => {
  const { store } = sampleLog(Array.from({ length: 400 }, () => 10));
  for (const sequence of [1000, 2000, 3000, 3500]) {
    store.overwrite(`${objectKey(sequence)}.old`, Buffer.from('x\n'));
  }
  const listed: number[] = [];
  const found = await firstBehind(async (after, limit) => {
    listed.push(limit);
    return await store.list(after, limit);
  }, 1000);
  expect({ found, listed }).toEqual({ found: { key: objectKey(1001) }, listed: [1, 1000] });
  const writer = new AuditWriter({ store, clock: { now: () => new Date(start) } });
  await writer.append([finding(5000)]);
  expect(store.objects.has(objectKey(4001))).toBe(true);
});
