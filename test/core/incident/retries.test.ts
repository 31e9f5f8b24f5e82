import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../../core/audit/format.ts';
import { type IncidentCourse, incidentsOf } from '../../../core/incident/incident-course.ts';
import { retriesOf } from '../../../core/incident/retries.ts';
import {
  begun,
  ended,
  planned,
  recordsOf,
  requested,
  revocation,
  start,
  type Told,
  taskDone,
} from './sample.ts';

const orders = { requestId: 'r1', secretName: '/prod/orders/db', incident: 'INC-1', versions: ['v1', 'v2'] };
const failed = revocation(orders, 'Failed');
const again: Told = { ...orders, requestId: 'r2', at: 60_000, causationId: 'r1', correlationId: 'r1' };

function only(events: readonly AuditEvent[]): IncidentCourse {
  const [incident, ...others] = incidentsOf(recordsOf(events));
  expect(others).toEqual([]);
  if (incident === undefined) throw new Error('no incident');
  return incident;
}

/** A retry of a plan's secrets as one plan: `part-0` onwards, by the number of the secret. */
const retryOfPlan = (outcomes: Readonly<Record<number, 'Succeeded' | 'Failed'>>): AuditEvent[] => {
  const root = { requestId: 'again', secretName: 'unused', at: 20_000, correlationId: 'root-request' };
  return [
    requested({ ...root, causationId: 'root-request' }),
    ...Object.entries(outcomes).flatMap(([index, outcome]) => {
      const of: Told = {
        requestId: `again-${index}`,
        secretName: `/prod/part-${index}`,
        at: 21_000,
        correlationId: 'root-request',
        causationId: 'again',
        partOf: 'again',
        versions: ['v1'],
      };
      return [...begun(of), ended(of, outcome)];
    }),
  ];
};

describe('a retry', () => {
  test('that proves what was open closes the incident', () => {
    const incident = only([...failed, ...revocation(again)]);
    expect(incident).toMatchObject({ state: 'closed', open: [] });
    expect(retriesOf(incident.secrets)).toEqual([]);
  });

  test('counts in the place of the first while it is under way, and when it fails', () => {
    const running = only([...failed, requested(again), ...begun(again)]);
    expect(running.secrets).toMatchObject([
      { requestId: 'r1', state: 'failed', retriedBy: 'r2' },
      { requestId: 'r2', state: 'under way' },
    ]);
    expect(running.open).toEqual(['/prod/orders/db: is under way.']);
    expect(retriesOf(running.secrets)).toEqual([]);
    const second = only([...failed, ...revocation(again, 'Failed')]);
    expect(second.open).toHaveLength(1);
    expect(retriesOf(second.secrets)).toMatchObject([{ requestId: 'r2', secrets: [{ requestId: 'r2' }] }]);
  });

  test('of a retry goes back to the first', () => {
    const third: Told = { ...again, requestId: 'r3', at: 120_000, causationId: 'r2' };
    const incident = only([...failed, ...revocation(again, 'Unproven'), ...revocation(third)]);
    expect(incident.state).toBe('closed');
  });

  test.each([
    ['about fewer versions', { ...again, versions: ['v2'] }],
    ['about another secret', { ...again, secretName: '/prod/other' }],
    ['that nothing led to', { ...again, causationId: 'r2' }],
    ['that is a rehearsal', { ...again, drill: true }],
  ])('%s leaves the first open', (_, retry) => {
    const incident = only([...failed, ...revocation(retry, 'Unproven')]);
    expect(incident.secrets[0]).toMatchObject({ requestId: 'r1', state: 'failed' });
    expect(incident.secrets[0]?.retriedBy).toBeUndefined();
  });

  test('that was only asked for, or rejected, leaves the first open', () => {
    const incident = only([...failed, requested(again)]);
    expect(retriesOf(incident.secrets)).toMatchObject([{ requestId: 'r1' }]);
  });

  test('as of an earlier time makes up for no revocation that was about more versions', () => {
    const iso = (at: number) => new Date(start + at).toISOString();
    const takenAt = (events: readonly AuditEvent[], at: number): AuditEvent[] =>
      events.map((event) =>
        event.detailType === 'Secret Revocation Started'
          ? {
              ...event,
              detail: { ...event.detail, data: { ...(event.detail.data as object), takenAt: iso(at) } },
            }
          : event,
      );
    const all = { ...orders, versions: [] };
    const later: Told = { ...all, requestId: 'r3', at: 3_600_000 };
    const retry: Told = { ...all, requestId: 'r4', at: 7_200_000, causationId: 'r1', correlationId: 'r1' };
    const incident = only([
      ...takenAt(revocation(all, 'Failed'), 1_000),
      ...takenAt(revocation(later, 'Failed'), 3_601_000),
      ...takenAt(revocation(retry), 1_000),
    ]);
    expect(incident.state).toBe('open');
    expect(retriesOf(incident.secrets)).toMatchObject([{ requestId: 'r3' }]);
  });

  test.each([
    ['named by the request leaves it open', ['v1', 'v2'], 'open'],
    ['found by it, and dropped by Secrets Manager, leaves nothing to try', undefined, 'closed'],
  ])('that could not try a version %s', (_, versions, state) => {
    const withData = (events: readonly AuditEvent[], detailType: string, data: object): AuditEvent[] =>
      events.map((event) =>
        event.detailType === detailType
          ? { ...event, detail: { ...event.detail, data: { ...(event.detail.data as object), ...data } } }
          : event,
      );
    const incident = only([
      ...withData(failed, 'Secret Revocation Requested', { versions }),
      ...withData(revocation(again), 'Secret Revocation Succeeded', { unavailableVersions: ['v2'] }),
    ]);
    expect(incident.state).toBe(state);
  });

  test('is no retry for being sent in a circle', () => {
    const circle: Told = { ...orders, requestId: 'r8', at: 60_000, causationId: 'r9' };
    const back: Told = { ...orders, requestId: 'r9', at: 70_000, causationId: 'r8' };
    const events = [...failed, ...revocation(circle, 'Unproven'), ...revocation(back, 'Unproven')];
    expect(only(events).secrets.map(({ retriedBy }) => retriedBy)).toEqual([undefined, 'r9', undefined]);
  });

  test('of a plan is about what failed in it, and closes what that left open', () => {
    const before = only([...planned(['Succeeded', 'Failed', 'Unproven']), taskDone]);
    expect(retriesOf(before.secrets)).toMatchObject([
      { requestId: 'root-request', secrets: [{ requestId: 'part-1' }, { requestId: 'part-2' }] },
    ]);
    const half = only([
      ...planned(['Succeeded', 'Failed', 'Unproven']),
      taskDone,
      ...retryOfPlan({ 1: 'Succeeded', 2: 'Failed' }),
    ]);
    expect(retriesOf(half.secrets)).toMatchObject([
      { requestId: 'again', secrets: [{ requestId: 'again-2' }] },
    ]);
  });

  test('is narrowed to secrets that are named by name or ARN', () => {
    const { secrets } = only([...planned(['Failed', 'Failed']), taskDone]);
    expect(retriesOf(secrets, ['/prod/part-1'])).toMatchObject([{ secrets: [{ requestId: 'part-1' }] }]);
    expect(retriesOf(secrets, [secrets[0]?.secretArn ?? ''])[0]?.secrets).toHaveLength(1);
    expect(retriesOf(secrets, ['/prod/other'])).toEqual([]);
  });
});
