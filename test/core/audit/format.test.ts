import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  emptyHead,
  encodeObject,
  objectKey,
  objectLines,
  parseLine,
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
