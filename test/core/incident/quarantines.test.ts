import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../../core/audit/format.ts';
import { type IncidentCourse, incidentsOf } from '../../../core/incident/incident-course.ts';
import { recordsOf, revocation, start, told } from './sample.ts';

const principal = 'arn:aws:iam::111122223333:role/app-worker';
const incident = 'INC-1';
const asked = (id: string, at: number, data: object = {}): AuditEvent =>
  told(
    'Principal Quarantine Requested',
    at,
    { principal, scope: 'sessions', reason: 'host was entered', incident, ...data },
    { source: 'rekey.cli', metadata: { id, actor: undefined, claimedActor: 'alice', correlationId: id } },
  );
const placed = (requestId: string, at: number, data: object = {}): AuditEvent =>
  told(
    'Principal Quarantined',
    at,
    {
      requestId,
      principal,
      scope: 'sessions',
      before: new Date(start + at).toISOString(),
      reason: 'host was entered',
      incident,
      requestedAt: new Date(start + at - 500).toISOString(),
      ...data,
    },
    { source: 'rekey.quarantine', metadata: { correlationId: requestId, causationId: requestId } },
  );
/** The end of a quarantine. Whoever asks for it need not say of which incident it is. */
const lifted = (requestId: string, quarantineId: string, at: number): AuditEvent[] => [
  told(
    'Principal Quarantine Lift Requested',
    at,
    { principal, quarantineId, reason: 'host was rebuilt' },
    { source: 'rekey.cli', metadata: { id: requestId, correlationId: requestId } },
  ),
  told(
    'Principal Quarantine Lifted',
    at + 500,
    {
      requestId,
      principal,
      quarantineId,
      reason: 'host was rebuilt',
      requestedAt: new Date(start + at).toISOString(),
    },
    { source: 'rekey.quarantine', metadata: { correlationId: requestId, causationId: requestId } },
  ),
];

function only(events: readonly AuditEvent[]): IncidentCourse {
  const [found, ...others] = incidentsOf(recordsOf(events));
  expect(others).toEqual([]);
  if (found === undefined) throw new Error('no incident');
  return found;
}

describe('a quarantine in an incident', () => {
  const orders = revocation({ requestId: 'r1', secretName: '/prod/orders/db', incident });

  test('that stands is shown, and does not keep it open', () => {
    const course = only([...orders, asked('q1', 1_000), placed('q1', 1_500)]);
    expect(course).toMatchObject({
      state: 'closed',
      secrets: [{ requestId: 'r1' }],
      quarantines: [
        { requestId: 'q1', principal, scope: 'sessions', state: 'stands', placedAt: start + 1_500 },
      ],
      requests: expect.arrayContaining(['r1', 'q1']),
    });
    expect(course.open).toEqual([]);
    expect(course.timeline.filter(({ kind }) => kind === 'quarantine')).toHaveLength(2);
  });

  test('is lifted by its own id, whatever order the records have', () => {
    const events = [...orders, asked('q1', 1_000), placed('q1', 1_500), ...lifted('l1', 'q1', 60_000)];
    for (const order of [events, events.toReversed()]) {
      const { quarantines, secrets } = only(order);
      expect(secrets).toHaveLength(1);
      expect(quarantines).toMatchObject([{ requestId: 'q1', state: 'lifted', liftedAt: start + 60_500 }]);
    }
    const other = only([...orders, asked('q1', 1_000), placed('q1', 1_500), asked('q2', 2_000)]);
    expect(other.quarantines.map(({ state }) => state)).toEqual(['stands', 'requested']);
  });

  test('may be replaced, or refused', () => {
    const refused = told('Principal Quarantine Refused', 3_500, {
      requestId: 'q3',
      requestSource: 'rekey.cli',
      principal,
      incident,
      error: { code: 'QuarantineStands', message: 'stands already', retryable: false },
    });
    const { quarantines, state } = only([
      asked('q1', 1_000),
      placed('q1', 1_500),
      asked('q2', 2_000, { scope: 'all' }),
      placed('q2', 2_500, { scope: 'all', replaces: 'q1' }),
      asked('q3', 3_000),
      refused,
    ]);
    expect(state).toBe('closed');
    expect(quarantines).toMatchObject([
      { requestId: 'q1', state: 'replaced' },
      { requestId: 'q2', state: 'stands', scope: 'all' },
      { requestId: 'q3', state: 'refused', refusal: 'QuarantineStands: stands already' },
    ]);
  });

  test('of which only the end is recorded has a beginning all the same', () => {
    expect(only(lifted('l1', 'q1', 60_000))).toMatchObject({ requestedAt: start + 60_000, quarantines: [] });
  });
});
