import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { auditEvent, factOf, RecentFacts } from '../../../core/audit/event.ts';
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
    expect(parseLine(Buffer.from(`{"hash":"${textHash}",${text}`)).kind).toBe('malformed');
  });

  test.each([
    ['entries/000000000001.ndjson', 1],
    ['entries/000000000000.ndjson', undefined],
    ['entries/1.ndjson', undefined],
    ['entries/000000000001.ndjson.bak', undefined],
    ['other/000000000001.ndjson', undefined],
  ])('the key %s begins with record %s', (key, sequence) => {
    expect(sequenceOfKey(key)).toBe(sequence);
  });

  test('keys sort as sequences do', () => {
    const sequences = [1, 9, 10, 99, 100, 123_456_789_012];
    expect(sequences.map(objectKey).sort()).toEqual(sequences.map(objectKey));
  });
});

describe('what is recorded of an event', () => {
  const message = { id: 'message-1', region: 'eu-central-1', receivedAt: new Date(0) };
  const delivered = (change: Record<string, unknown> = {}) => {
    const { detailType, ...event } = finding(1);
    return JSON.stringify({ version: '0', resources: [], ...event, 'detail-type': detailType, ...change });
  };

  test('an event of the catalogue, with the fields that the catalogue knows', () => {
    const { metadata, data } = finding(1).detail as { metadata: object; data: object };
    const body = delivered({ detail: { metadata, data: { ...data, password: 'hunter2' } } });
    expect(auditEvent(body, message)).toEqual(finding(1));
  });

  test.each([
    ['an unknown detail type', { 'detail-type': 'Password Is', detail: { password: 'hunter2' } }],
    ['wrong data', { detail: { metadata: finding(1).detail.metadata, data: { code: 'hunter2' } } }],
    [
      'a request with an unknown key',
      {
        'detail-type': 'Secret Revocation Requested',
        detail: {
          metadata: finding(1).detail.metadata,
          data: { select: { secret: 'a' }, mode: 'kill', reason: 'r', hunter2: 'hunter2' },
        },
      },
    ],
  ])('%s is recorded without its data', (_, change) => {
    const recorded = auditEvent(delivered(change), message);
    expect(recorded).toMatchObject({
      id: 'bus-1',
      source: 'rekey.rotation',
      detailType: 'Unrecognised Event',
      detail: { detailType: 'detail-type' in change ? change['detail-type'] : 'Finding Raised' },
    });
    expect(recorded.detail.problems).toEqual(
      expect.arrayContaining([{ path: expect.stringContaining('detail'), code: expect.any(String) }]),
    );
    expect(JSON.stringify(recorded)).not.toContain('hunter2');
  });

  test('what a replay brought again is recorded as that, once per replay, and is never the fact itself', () => {
    const replayed = (replay: string) => auditEvent(delivered({ 'replay-name': replay }), message);
    expect(replayed('last-week')).toMatchObject({
      id: 'bus-1',
      detailType: 'Unrecognised Event',
      detail: {
        detailType: 'Finding Raised',
        replayName: 'last-week',
        problems: [{ path: 'replay-name', code: 'replayed' }],
      },
    });
    expect(replayed('last-week').detail).not.toHaveProperty('data');
    expect(factOf(replayed('last-week'))).toBe(factOf(replayed('last-week')));
    expect(factOf(replayed('last-week'))).not.toBe(factOf(replayed('this-week')));
    expect(factOf(replayed('last-week'))).not.toBe(factOf(finding(1)));
  });

  test.each(['', 'hunter2', '"hunter2"', '[]', '{"password":"hunter2"}', '{"id":""}'])(
    'the message body %s is recorded under the message id',
    (body) => {
      const recorded = auditEvent(body, message);
      expect(recorded).toMatchObject({
        id: 'message-1',
        source: 'unknown',
        detailType: 'Unrecognised Event',
        time: '1970-01-01T00:00:00.000Z',
      });
      expect(JSON.stringify(recorded)).not.toContain('hunter2');
    },
  );

  test('a fact announced again at another time is the same fact; of another source or account it is not', () => {
    const again = auditEvent(delivered({ id: 'bus-2', time: '2026-03-02T00:00:00Z' }), message);
    expect(factOf(again)).toBe(factOf(finding(1)));
    expect(factOf({ ...finding(1), source: 'rekey.cli' })).not.toBe(factOf(finding(1)));
    expect(factOf({ ...finding(1), account: '999999999999' })).not.toBe(factOf(finding(1)));
    expect(factOf(finding(2))).not.toBe(factOf(finding(1)));
  });

  test('a request with a known id and other content is another fact', () => {
    const request = (secret: string) => ({
      ...finding(1),
      detailType: 'Secret Revocation Requested',
      detail: { metadata: finding(1).detail.metadata, data: { select: { secret } } },
    });
    expect(factOf(request('a'))).toBe(factOf(request('a')));
    expect(factOf(request('a'))).not.toBe(factOf(request('b')));
  });

  test('the oldest facts are forgotten first', () => {
    const facts = new RecentFacts(2);
    expect(['a', 'b', 'a', 'c', 'a'].map((fact) => facts.add(fact))).toEqual([true, true, false, true, true]);
    expect(facts.has('b')).toBe(false);
  });
});
