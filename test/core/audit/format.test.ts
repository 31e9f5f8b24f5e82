import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  emptyHead,
  encodeObject,
  firstBehind,
  objectKey,
  objectLines,
  parseLine,
  sequenceBehind,
  sequenceLimit,
  sequenceOfKey,
} from '../../../core/audit/format.ts';
import { finding } from './sample.ts';

describe('the format of the audit log', () => {
  test('a line can be checked with nothing but SHA-256 over its bytes', () => {
    const { key, body, head } = encodeObject(emptyHead, [finding(1), finding(2)], new Date(0));
    expect(key).toBe('entries/000000000001.ndjson');
    const lines = Buffer.from(body).toString('utf8').split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('');
    let previous = '0'.repeat(64);
    for (const line of lines.slice(0, 2)) {
      const [, hash = '', rest = ''] = /^\{"hash":"([0-9a-f]{64})",(.*)$/s.exec(line) ?? [];
      expect(createHash('sha256').update(`{${rest}`).digest('hex')).toBe(hash);
      expect(JSON.parse(line).previous).toBe(previous);
      previous = hash;
    }
    expect(head).toEqual({ sequence: 2, hash: previous });
  });

  test('what is encoded is what is parsed', () => {
    const { body } = encodeObject({ sequence: 41, hash: 'a'.repeat(64) }, [finding(7)], new Date(0));
    const [line] = [...objectLines(body)];
    const parsed = parseLine(line?.bytes ?? new Uint8Array());
    expect(parsed).toMatchObject({
      kind: 'intact',
      record: {
        sequence: 42,
        previous: 'a'.repeat(64),
        recordedAt: '1970-01-01T00:00:00.000Z',
        event: finding(7),
      },
    });
  });

  test('who sent an event is part of its record, where that is known', () => {
    const eventIn = (sender: { readonly sender?: string }) => {
      const { body } = encodeObject(emptyHead, [{ ...finding(1), ...sender }], new Date(0));
      return JSON.parse(Buffer.from(body).toString('utf8')).event;
    };
    expect(eventIn({ sender: 'AROAEXAMPLE:session' })).toEqual({
      ...finding(1),
      sender: 'AROAEXAMPLE:session',
    });
    expect(eventIn({})).toEqual(finding(1));
  });

  test('an object without records is refused', () => {
    expect(() => encodeObject(emptyHead, [], new Date())).toThrow('at least one record');
  });

  test('a line with a right hash that is not a record is malformed', () => {
    const rest = '"sequence":0}';
    const hash = createHash('sha256').update(`{${rest}`).digest('hex');
    expect(parseLine(Buffer.from(`{"hash":"${hash}",${rest}`))).toEqual({
      kind: 'malformed',
      reason: 'fields missing or of a wrong form: sequence, previous, recordedAt, event',
    });
    const text = 'no json';
    const textHash = createHash('sha256').update(`{${text}`).digest('hex');
    expect(parseLine(Buffer.from(`{"hash":"${textHash}",${text}`))).toEqual({
      kind: 'malformed',
      reason: 'the line is not JSON',
    });
  });

  test.each([
    ['another member in its place', (line: string) => line.replace('{"hash"', '{"hush"')],
    ['letters that are not lower-case', (line: string) => line.replace(/[0-9a-f]{64}/, 'A'.repeat(64))],
    ['something else than a comma behind it', (line: string) => line.replace('",', '" ')],
    ['nothing else', () => '{"hash":"'],
    ['nothing', () => ''],
  ])('a line that begins with no hash is malformed: %s', (_, change) => {
    const { body } = encodeObject(emptyHead, [finding(1)], new Date(0));
    const line = change(Buffer.from(body).toString('utf8').trimEnd());
    expect(parseLine(Buffer.from(line))).toEqual({
      kind: 'malformed',
      reason: 'the line does not begin with {"hash":"<64 hex digits>",',
    });
  });

  test('the end of an object that has no line feed is given as that', () => {
    const lines = [...objectLines(Buffer.from('one\n\ntwo'))];
    expect(lines.map(({ bytes, ended }) => [Buffer.from(bytes).toString(), ended])).toEqual([
      ['one', true],
      ['', true],
      ['two', false],
    ]);
  });

  test.each([
    ['entries/000000000001.ndjson', 1],
    ['entries/000000000000.ndjson', undefined],
    ['entries/1.ndjson', undefined],
    ['entries/000000000001.ndjson.bak', undefined],
    ['other/000000000001.ndjson', undefined],
    ['old/entries/000000000001.ndjson', undefined],
  ])('the key %s begins with record %s', (key, sequence) => {
    expect(sequenceOfKey(key)).toBe(sequence);
  });

  test('keys sort as sequences do', () => {
    const sequences = [1, 9, 10, 99, 100, 123_456_789_012];
    expect(sequences.map(objectKey).sort()).toEqual(sequences.map(objectKey));
  });
});

describe('where a log goes on', () => {
  const million = 1_000_000;

  /** Lists these keys as a bucket does, and notes how it was asked. */
  function bucket(keys: readonly string[]) {
    const asked: [after: string, limit: number][] = [];
    const list = async (after: string, limit: number) => {
      asked.push([after, limit]);
      return keys
        .filter((key) => key > after)
        .slice(0, limit)
        .map((key) => ({ key }));
    };
    return { list, asked };
  }
  const foreign = (count: number) =>
    Array.from({ length: count }, (_, index) => `${objectKey(7)}.${String(index).padStart(6, '0')}`);

  test('is no further ahead than a million records', () => {
    expect(sequenceBehind(5, objectKey(5 + million))).toBe(5 + million);
    expect(sequenceBehind(5, objectKey(6 + million))).toBeUndefined();
    expect(sequenceBehind(5, 'entries/notes.txt')).toBeUndefined();
  });

  test('is the first key behind a sequence, for which one key is listed', async () => {
    const { list, asked } = bucket([1, 3, 9].map(objectKey));
    expect(await firstBehind(list, 3)).toEqual({ key: objectKey(9) });
    expect(asked).toEqual([[objectKey(3), 1]]);
  });

  test('is nowhere behind the last key, and behind the last one that there can be nothing is listed', async () => {
    const { list, asked } = bucket([1, 3].map(objectKey));
    expect(await firstBehind(list, 3)).toBeUndefined();
    expect(asked).toHaveLength(1);
    expect(await firstBehind(list, sequenceLimit)).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['one foreign key', 1, 2],
    ['a page of them', 1000, 2],
    ['more than a page', 1001, 3],
    ['many pages', 2500, 4],
  ])('is found behind %s', async (_, count, calls) => {
    const { list, asked } = bucket([...foreign(count), objectKey(9)]);
    expect(await firstBehind(list, 3)).toEqual({ key: objectKey(9) });
    expect(asked.map(([, limit]) => limit)).toEqual([1, ...Array(calls - 1).fill(1000)]);
  });

  test('is nowhere where only foreign keys follow, or what is too far ahead', async () => {
    const near = bucket(foreign(2));
    expect(await firstBehind(near.list, 3)).toBeUndefined();
    expect(near.asked).toHaveLength(2);
    const far = bucket([objectKey(5 * million), objectKey(6 * million)]);
    expect(await firstBehind(far.list, 3)).toBeUndefined();
    expect(far.asked).toHaveLength(1);
  });
});
