import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../../core/audit/format.ts';
import { type IncidentCourse, incidentsOf } from '../../../core/incident/incident-course.ts';
import { recordsOf, start, told } from './sample.ts';

/** Builds the only incident of these events. */
function only(events: readonly AuditEvent[]): IncidentCourse {
  const [incident, ...others] = incidentsOf(recordsOf(events));
  expect(others).toEqual([]);
  if (incident === undefined) throw new Error('no incident');
  return incident;
}

describe('a plan with parts of environments elsewhere', () => {
  const place = { member: 'west', environment: 'staging', account: '222222222222', region: 'us-west-2' };
  const plan = (members: unknown) =>
    told('Revocation Planned', 100, {
      requestId: 'p1',
      selection: 'the secrets of team-orders',
      mode: 'kill',
      secrets: 0,
      tasks: 0,
      members,
      requestedAt: new Date(start).toISOString(),
    });
  const part = (data: object) =>
    told('Revocation Member Concluded', 4_000, { requestId: 'p1', ...place, memberRequestId: 'm1', ...data });
  const end = (outcome: string) =>
    told('Revocation Concluded', 5_000, {
      requestId: 'p1',
      outcome,
      succeeded: 1,
      unproven: 0,
      failed: 0,
      openTasks: 0,
      requestedAt: new Date(start).toISOString(),
      completedAt: new Date(start + 5_000).toISOString(),
    });
  const secrets = [
    { secretName: '/staging/db', outcome: 'succeeded', refusedAt: new Date(start + 2_000).toISOString() },
  ];

  test('shows what each did, and counts its refusals', () => {
    const incident = only([
      plan([{ ...place, secrets: 1 }]),
      part({ outcome: 'proven', secrets }),
      end('proven'),
    ]);
    expect(incident).toMatchObject({ state: 'closed', times: { contain: 2_000 } });
    expect(incident.elsewhere).toEqual([
      {
        requestId: 'p1',
        ...place,
        planned: 1,
        memberRequestId: 'm1',
        outcome: 'proven',
        secrets: [{ secretName: '/staging/db', outcome: 'succeeded', refusedAt: start + 2_000 }],
      },
    ]);
  });

  test('is not contained, and goes on, while nothing tells of a part', () => {
    const incident = only([plan([{ ...place, secrets: 1, unreachable: 'Unreachable' }])]);
    expect(incident).toMatchObject({ state: 'open', underWay: true });
    expect(incident.times).not.toHaveProperty('contain');
    expect(incident.elsewhere).toMatchObject([{ member: 'west', unreachable: 'Unreachable', secrets: [] }]);
  });

  test('whose records are odd is still shown', () => {
    const incident = only([
      plan([7, null, { member: 3 }, { member: 'west' }]),
      part({ secrets: [null, { outcome: 1 }] }),
    ]);
    expect(incident.elsewhere).toMatchObject([{ member: 'west', secrets: [] }]);
  });
});
