import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { unrecognised } from '../../../core/audit/event.ts';
import { emptyHead, encodeObject } from '../../../core/audit/format.ts';
import { type AuditLogSource, verifyLog } from '../../../core/audit/verify.ts';
import { MemoryAuditStore } from '../../lambdas/audit/memory-audit-store.ts';
import { finding, lifecycle, logOf, sampleLog, start } from './sample.ts';

const now = new Date(start + 60_000);

/** The lines of a log of ten records in one object, laid out in another order or with others in between. */
async function rearranged(order: (lines: readonly string[]) => readonly string[]) {
  const events = Array.from({ length: 10 }, (_, index) => finding(index + 1));
  const { key, body } = encodeObject(emptyHead, events, new Date(start));
  const lines = Buffer.from(body).toString('utf8').split('\n').filter(Boolean);
  const store = new MemoryAuditStore();
  store.overwrite(
    key,
    Buffer.from(
      order(lines)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  );
  const { problems } = await verifyLog(store, { now });
  return problems.map(({ code, sequence }) => [code, sequence]);
}

/** Gives a line another content with a right hash. */
const forge = (line: string): string => {
  const { hash: _, ...record } = JSON.parse(line);
  const text = JSON.stringify({ ...record, recordedAt: '2026-03-01T12:00:59.000Z' });
  return `{"hash":"${createHash('sha256').update(text).digest('hex')}",${text.slice(1)}`;
};

describe('the chain', () => {
  test('goes on behind a forged copy before a record, which the next one names: one problem, not two', async () => {
    const found = await rearranged((lines) => [
      ...lines.slice(0, 4),
      forge(lines[4] ?? ''),
      ...lines.slice(4),
    ]);
    expect(found).toEqual([['RecordInserted', 5]]);
  });

  test('knows several records that stand too early when their places come: none is missing', async () => {
    const order = [1, 2, 9, 3, 8, 4, 5, 6, 7, 10];
    const found = await rearranged((lines) => order.map((sequence) => lines[sequence - 1] ?? ''));
    expect(found).toEqual([
      ['RecordsReordered', 9],
      ['RecordsReordered', 8],
    ]);
  });

  test('knows them in the order of their sequences as well', async () => {
    const order = [1, 2, 8, 3, 9, 4, 5, 6, 7, 10];
    const found = await rearranged((lines) => order.map((sequence) => lines[sequence - 1] ?? ''));
    // Neighbours, one behind the other, are one problem.
    expect(found).toEqual([['RecordsReordered', 8]]);
  });

  test('names the one that is missing between two that stand too early', async () => {
    const order = [1, 2, 9, 3, 7, 4, 5, 6, 10];
    const found = await rearranged((lines) => order.map((sequence) => lines[sequence - 1] ?? ''));
    expect(found).toEqual([
      ['RecordsReordered', 9],
      ['RecordsReordered', 7],
      ['RecordsMissing', 8],
    ]);
  });
});

describe('a report', () => {
  test('counts events that the catalogue does not know, and facts that were recorded more than once', async () => {
    const unknown = lifecycle(unrecognised, { detailType: 'Something New' }, 'x');
    const log = logOf([finding(1), finding(2), finding(1), unknown, finding(2), finding(2)]);
    expect(await verifyLog(log, { now })).toMatchObject({ records: 6, repeated: 3, unrecognised: 1 });
  });
});

describe('reading ahead', () => {
  /** A log of six objects that notes how many of them are being read at the most. */
  async function mostAtOnce(concurrency: number) {
    const { store } = sampleLog([1, 1, 1, 1, 1, 1]);
    let [reading, most] = [0, 0];
    const source: AuditLogSource = {
      versions: () => store.versions(),
      read: async (version) => {
        reading += 1;
        most = Math.max(most, reading);
        // Not before the objects behind it had their chance.
        await new Promise((resolve) => setImmediate(resolve));
        reading -= 1;
        return await store.read(version);
      },
    };
    const { objects, intact } = await verifyLog(source, { now, concurrency });
    return { most, objects, intact };
  }

  test.each([1, 2, 4])('%i at once are read, and no more, and each of them once', async (concurrency) => {
    expect(await mostAtOnce(concurrency)).toEqual({ most: concurrency, objects: 6, intact: true });
  });
});
