import { describe, expect, test } from '@jest/globals';
import { auditEvent, factOf, formFault, RecentFacts, unrecognised } from '../../../core/audit/event.ts';
import { finding, lifecycle } from './sample.ts';

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

  test('two messages of which nothing is known are two facts', () => {
    const of = (id: string) => factOf(auditEvent('hunter2', { ...message, id }));
    expect(of('message-1')).toBe(of('message-1'));
    expect(of('message-1')).not.toBe(of('message-2'));
  });

  test('an id and a replay that are no text tell no facts apart', () => {
    const event = { ...finding(1), detailType: unrecognised };
    const odd = { ...event, detail: { metadata: { id: 7 }, replayName: [7] } };
    expect(factOf(odd)).toBe(factOf({ ...event, detail: {} }));
  });

  test('who asks for a revocation is recorded as who claims to ask', () => {
    const data = { select: { secret: 'a' }, mode: 'kill', reason: 'r' };
    const { metadata } = finding(1).detail as { metadata: Record<string, unknown> };
    const request = { 'detail-type': 'Secret Revocation Requested', detail: { metadata, data } };
    const { actor, ...others } = metadata;
    expect(auditEvent(delivered(request), message)).toMatchObject({
      detailType: 'Secret Revocation Requested',
      detail: { metadata: { ...others, claimedActor: actor } },
    });
    expect(auditEvent(delivered(request), message).detail.metadata).not.toHaveProperty('actor');
    expect(auditEvent(delivered(), message).detail.metadata).toHaveProperty('actor', actor);
  });

  test('who sent the message, in no more than 128 characters, and nobody where that is not known', () => {
    const sentBy = (sender?: string) => auditEvent(delivered(), { ...message, sender });
    expect(sentBy('AROAEXAMPLE:session').sender).toBe('AROAEXAMPLE:session');
    expect(sentBy('x'.repeat(129)).sender).toBe('x'.repeat(128));
    expect(sentBy()).not.toHaveProperty('sender');
  });

  test.each([
    ['no JSON', 'hunter2', [{ path: 'event', code: 'invalid_type' }]],
    ['an id of no length', delivered({ id: '' }), [{ path: 'id', code: 'too_small' }]],
    [
      'data of another form',
      delivered({
        detail: { ...finding(1).detail, data: { ...(finding(1).detail.data as object), code: 1 } },
      }),
      [{ path: 'detail.data.code', code: 'invalid_type' }],
    ],
  ])('where it is wrong, to the place: %s', (_, body, problems) => {
    expect(auditEvent(body, message).detail.problems).toEqual(problems);
  });

  test('at most twenty places where it is wrong', () => {
    const data = { requestId: 'r', secretArn: 'a', secretName: 'n', containments: Array(30).fill(7) };
    const detail = { metadata: finding(1).detail.metadata, data };
    const body = delivered({ 'detail-type': 'Credential Contained', detail });
    const problems = Array.from({ length: 20 }, (_, index) => ({
      path: `detail.data.containments.${index}`,
      code: 'invalid_type',
    }));
    expect(auditEvent(body, message).detail.problems).toEqual(problems);
  });

  test('the oldest facts are forgotten first', () => {
    const facts = new RecentFacts(2);
    expect(['a', 'b', 'a', 'c', 'a'].map((fact) => facts.add(fact))).toEqual([true, true, false, true, true]);
    expect(facts.has('b')).toBe(false);
  });
});

describe('the form of a record', () => {
  test.each([
    ['a finding', finding(1)],
    ['a pause', lifecycle('Secret Rotation Paused', { secretArn: 'a', reason: 'r' }, 'p')],
    ['the end of a pause', lifecycle('Secret Rotation Resumed', { secretArn: 'a' }, 'r')],
    ['a request', lifecycle('Secret Revocation Requested', { select: { secret: 'a' } }, 'r')],
    ['an event that nobody knows', { ...finding(1), detailType: unrecognised, detail: {} }],
  ])('%s has it', (_, event) => {
    expect(formFault(event)).toBeUndefined();
  });

  test.each([
    ['the first place that is missing', { ...finding(1), detail: {} }, 'detail.metadata is missing or wrong'],
    [
      'the version of a rotation',
      lifecycle('Secret Rotation Succeeded', { secretArn: 'a' }, 's'),
      'detail.data.versionId is missing or wrong',
    ],
    [
      'the request of a revocation',
      lifecycle('Secret Revocation Succeeded', { secretArn: 'a' }, 's'),
      'detail.data.requestId is missing or wrong',
    ],
    [
      'a type of any length, shortened',
      { ...finding(1), detailType: 'x'.repeat(65) },
      `its type "${'x'.repeat(64)}" is not known`,
    ],
  ])('what it lacks is named: %s', (_, event, fault) => {
    expect(formFault(event)).toBe(fault);
  });
});
