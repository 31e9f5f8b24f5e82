import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { emptyHead, encodeObject, type Head, objectKey } from '../../../core/audit/format.ts';
import { verifyLog } from '../../../core/audit/verify.ts';
import { MemoryAuditStore } from '../../lambdas/audit/memory-audit-store.ts';
import { finding, sampleLog, start } from './sample.ts';

const now = new Date(start + 60_000);
const key = objectKey(1);

/** A log of twelve records in one object, laid out in another order or with others in between. */
async function verifyRearranged(
  order: (lines: readonly string[]) => readonly string[],
  options: { readonly expectHead?: Head } = {},
) {
  const events = Array.from({ length: 12 }, (_, index) => finding(index + 1));
  const { body } = encodeObject(emptyHead, events, new Date(start));
  const lines = Buffer.from(body).toString('utf8').split('\n').filter(Boolean);
  const store = new MemoryAuditStore();
  const text = order(lines).map((line) => `${line}\n`);
  store.overwrite(key, Buffer.from(text.join('')));
  return await verifyLog(store, { now, ...options });
}

/** The same, and what is wrong with it. */
async function rearranged(order: (lines: readonly string[]) => readonly string[]) {
  const { problems } = await verifyRearranged(order);
  return problems.map(({ code, sequence, lastSequence }) =>
    lastSequence === undefined ? [code, sequence] : [code, sequence, lastSequence],
  );
}

/** Records in the given order; every number is a sequence. */
const inOrder =
  (...sequences: readonly number[]) =>
  (lines: readonly string[]) =>
    sequences.map((sequence) => lines[sequence - 1] ?? '');

/** Gives a line another content with a right hash. */
const forge = (
  line: string,
  change: Record<string, unknown> = { recordedAt: '2026-03-01T12:00:59.000Z' },
) => {
  const { hash: _, ...record } = JSON.parse(line);
  const text = JSON.stringify({ ...record, ...change });
  return `{"hash":"${createHash('sha256').update(text).digest('hex')}",${text.slice(1)}`;
};
const hashIn = (line = ''): string => JSON.parse(line).hash;

describe('a record that stands too early', () => {
  test('is known when its place comes: none is missing', async () => {
    expect(await rearranged(inOrder(1, 2, 9, 3, 8, 4, 5, 6, 7, 10, 11, 12))).toEqual([
      ['RecordsReordered', 9],
      ['RecordsReordered', 8],
    ]);
  });

  test('is known in the order of the sequences as well', async () => {
    // Neighbours, one behind the other, are one problem.
    expect(await rearranged(inOrder(1, 2, 8, 3, 9, 4, 5, 6, 7, 10, 11, 12))).toEqual([
      ['RecordsReordered', 8, 9],
    ]);
  });

  test('leaves what is missing between two of its kind to be named', async () => {
    expect(await rearranged(inOrder(1, 2, 9, 3, 7, 4, 5, 6, 10, 11, 12))).toEqual([
      ['RecordsReordered', 9],
      ['RecordsReordered', 7],
      ['RecordsMissing', 8, 8],
    ]);
  });

  test('leaves what is missing before it to be named, and nothing else', async () => {
    expect(await rearranged(inOrder(1, 2, 9, 3, 4, 5, 6, 10, 11, 12))).toEqual([
      ['RecordsReordered', 9],
      ['RecordsMissing', 7, 8],
    ]);
  });

  test.each([
    ['before its place', [1, 2, 9, 3, 4, 6, 7, 8, 9, 10, 11, 12], 5],
    ['behind its place', [1, 2, 9, 3, 4, 5, 6, 7, 8, 9, 10, 12], 11],
  ])('and once more in its place leaves a gap %s as it is', async (_, order, missing) => {
    expect(await rearranged(inOrder(...order))).toEqual([
      ['RecordsReordered', 9],
      ['RecordsMissing', missing, missing],
    ]);
  });

  test('is told from records that are missing, though what stood before it cannot be read', async () => {
    const found = await rearranged((lines) => [
      ...inOrder(1, 2)(lines),
      'nothing',
      ...inOrder(9, 4, 5, 6, 7, 8, 10, 11, 12)(lines),
    ]);
    expect(found).toEqual([
      ['RecordMalformed', 3],
      ['RecordsReordered', 9],
    ]);
  });

  test('hides none of the missing ones behind a forged record that names the one before the gap', async () => {
    const found = await rearranged((lines) => [
      ...inOrder(1, 2, 9)(lines),
      forge(lines[4] ?? '', { previous: hashIn(lines[1]) }),
    ]);
    expect(found).toEqual([
      ['RecordsReordered', 5],
      ['RecordsMissing', 3, 4],
      ['RecordsMissing', 6, 8],
    ]);
  });
});

describe('a record that was put in', () => {
  test('as a forged copy before the real one, which the next one names, is one problem', async () => {
    const found = await rearranged((lines) => [
      ...lines.slice(0, 4),
      forge(lines[4] ?? ''),
      ...lines.slice(4),
    ]);
    expect(found).toEqual([['RecordInserted', 5]]);
  });

  test('behind a gap fills none that stands elsewhere', async () => {
    expect(await rearranged(inOrder(1, 2, 4, 1, 5, 6, 7, 8, 9, 10, 11, 12))).toEqual([
      ['RecordInserted', 1],
      ['RecordsMissing', 3, 3],
    ]);
  });

  test('from further up may not stand for the one that comes next', async () => {
    const found = await rearranged((lines) => [
      ...inOrder(1, 2, 3, 4, 5, 2)(lines),
      forge(lines[5] ?? '', { previous: hashIn(lines[1]) }),
    ]);
    expect(found).toEqual([
      ['RecordInserted', 2],
      ['RecordReplaced', 5, 6],
    ]);
  });

  test('as a line that is none takes one place, and the real record behind it is named', async () => {
    const found = await rearranged((lines) => [...lines.slice(0, 4), 'nothing', ...lines.slice(4)]);
    expect(found).toEqual([
      ['RecordMalformed', 5],
      ['RecordInserted', 5],
    ]);
  });
});

describe('what is wrong is told in words', () => {
  test('of one record that is missing, and of several', async () => {
    const { problems } = await verifyRearranged(inOrder(1, 2, 4, 5, 6, 9, 10, 11, 12));
    expect(problems.map(({ message }) => message)).toEqual([
      'record 3 is missing',
      'records 7 to 8 are missing',
    ]);
  });

  test('of a first record that names one before it', async () => {
    const previous = 'f'.repeat(64);
    const { problems } = await verifyRearranged(([first = '', second = '']) => {
      const forged = forge(first, { previous });
      return [forged, forge(second, { previous: hashIn(forged) })];
    });
    expect(problems).toEqual([
      {
        code: 'RecordReplaced',
        message: `record 1 names ${previous} as the record before it, but it is the first one`,
        sequence: 1,
        lastSequence: 1,
        key,
      },
    ]);
  });

  test('of a record that names another one than stands before it', async () => {
    let [named, actual] = ['', ''];
    const { problems } = await verifyRearranged((lines) => {
      const forged = forge(lines[4] ?? '');
      [named, actual] = [hashIn(lines[4]), hashIn(forged)];
      return [...lines.slice(0, 4), forged, ...lines.slice(5)];
    });
    expect(problems).toEqual([
      {
        code: 'RecordReplaced',
        message: `record 6 names ${named} as the hash of record 5, which has ${actual}: one of the two was replaced`,
        sequence: 5,
        lastSequence: 6,
        key,
      },
    ]);
  });

  test('of two pairs, one right behind the other, each by itself', async () => {
    const found = await rearranged((lines) =>
      lines.map((line, index) => ([4, 6].includes(index + 1) ? forge(line) : line)),
    );
    expect(found).toEqual([
      ['RecordReplaced', 4, 5],
      ['RecordReplaced', 6, 7],
    ]);
  });
});

test('an object that begins with something else than its record leaves exactly those before it missing', async () => {
  const { store } = sampleLog([2, 2, 2]);
  store.objects.delete(objectKey(3));
  const last = Buffer.from(store.objects.get(objectKey(5))?.[0]?.body ?? []).toString();
  store.objects.set(objectKey(5), [
    { versionId: 'copy', body: Buffer.from(`nothing\n${last.split('\n')[1]}\n`) },
  ]);
  const { problems } = await verifyLog(store, { now });
  expect(problems.map(({ code, sequence, lastSequence }) => [code, sequence, lastSequence])).toEqual([
    ['RecordMalformed', 5, undefined],
    ['RecordsMissing', 3, 4],
  ]);
});

describe('the head', () => {
  test('of a log without records is part of every log', async () => {
    const report = await verifyLog(sampleLog([2]).store, { now, expectHead: emptyHead });
    expect(report.problems).toEqual([]);
  });

  test('is the last record, also right behind a gap', async () => {
    const { store, head } = sampleLog([2, 1, 1]);
    store.objects.delete(objectKey(3));
    const report = await verifyLog(store, { now, expectHead: head });
    expect(report.head).toEqual(head);
    expect(report.problems.map(({ code, sequence }) => [code, sequence])).toEqual([['RecordsMissing', 3]]);
  });
});
