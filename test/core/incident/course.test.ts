import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AuditEvent } from '../../../core/audit/format.ts';
import { findIncident, type IncidentCourse, incidentsOf } from '../../../core/incident/incident-course.ts';
import { incidentIdOf, revocationKey } from '../../../core/notification/incident-id.ts';
import { propertyRuns } from '../../property-runs.ts';
import { alice, begun, planned, recordsOf, requested, revocation, start, taskDone, told } from './sample.ts';

const orders = { requestId: 'r1', secretName: '/prod/orders/db' };
const billing = { requestId: 'r2', secretName: '/prod/billing', at: 10_000 };

/** Builds the only incident of these events. */
function only(events: readonly AuditEvent[]): IncidentCourse {
  const [incident, ...others] = incidentsOf(recordsOf(events));
  expect(others).toEqual([]);
  if (incident === undefined) throw new Error('no incident');
  return incident;
}

describe('a single revocation', () => {
  test('that was proven is a closed incident, with its times', () => {
    const incident = only(revocation(orders));
    expect(incident).toMatchObject({
      id: 'r1',
      state: 'closed',
      underWay: false,
      requestedAt: start,
      closedAt: start + 5_000,
      times: { contain: 1_400, rotate: 3_200, prove: 5_000 },
      reasons: ['found in a public repository'],
      open: [],
      sequences: [1, 2, 3, 4, 5, 6],
    });
    expect(incident.secrets).toMatchObject([
      { requestId: 'r1', secretName: '/prod/orders/db', state: 'revoked', versions: ['v1'] },
    ]);
  });

  test.each([
    ['asked for', [requested(orders)], 'requested', true],
    ['begun', [requested(orders), ...begun(orders).slice(0, 1)], 'under way', true],
    ['contained', [...begun(orders).slice(1, 2)], 'under way', true],
    ['unproven', revocation(orders, 'Unproven'), 'unproven', false],
    ['failed', revocation(orders, 'Failed'), 'failed', false],
  ] as const)('that is %s keeps its incident open', (_, events, state, underWay) => {
    const incident = only(events);
    expect(incident).toMatchObject({ state: 'open', underWay, secrets: [{ state }] });
    expect(incident.open).toHaveLength(1);
    expect(incident.open[0]).toContain('/prod/orders/db');
    expect(incident.closedAt).toBeUndefined();
  });

  test('that was rejected says why, and nothing was done', () => {
    const incident = only([
      requested(orders),
      told('Secret Revocation Rejected', 50, {
        requestId: 'r1',
        requestSource: 'rekey.cli',
        error: { code: 'SecretUnknown', message: 'no such secret', retryable: false },
      }),
    ]);
    expect(incident).toMatchObject({ state: 'open', secrets: [{ state: 'rejected' }], times: {} });
    expect(incident.open).toEqual([
      '/prod/orders/db: the request was rejected, SecretUnknown: no such secret. Nothing was done.',
    ]);
  });

  test('whose id a second request took is not rejected itself', () => {
    const rejected = told('Secret Revocation Rejected', 50, {
      requestId: 'r1',
      error: { code: 'RequestConflict', message: 'another', retryable: false },
    });
    expect(only([...revocation(orders), rejected])).toMatchObject({ state: 'closed' });
  });

  test('that waits for a second person says so, and is closed when that person refuses', () => {
    const asked = { requestId: 'r1', operation: 'revocation', subject: '/prod/orders/db', act: 'kill' };
    const waits = [
      requested(orders),
      ...begun(orders).slice(0, 1),
      told('Approval Requested', 500, { ...asked, author: alice, reason: 'x' }, { source: 'rekey.approval' }),
    ];
    expect(only(waits)).toMatchObject({ underWay: true, secrets: [{ state: 'waiting for approval' }] });
    const refused = [
      ...waits,
      told(
        'Approval Refused',
        900,
        { ...asked, author: alice, approver: 'ada', way: 'cli', reason: 'not before the release' },
        { source: 'rekey.approval' },
      ),
      told('Secret Revocation Failed', 950, {
        requestId: 'r1',
        secretName: '/prod/orders/db',
        stage: 'approval',
        error: { code: 'ApprovalRefused', message: 'ada refused', retryable: false },
      }),
    ];
    expect(only(refused)).toMatchObject({ state: 'closed', secrets: [{ state: 'not approved' }] });
    expect(only(refused).people.map(({ who, attested }) => [who, attested])).toEqual([
      [alice, 'claimed'],
      ['ada', 'proven'],
    ]);
  });

  test('the sender of the request is a claim, functions stand behind their own events', () => {
    const { people, timeline } = only(revocation(orders));
    expect(people).toMatchObject([{ who: alice, attested: 'claimed', kind: 'request' }]);
    expect(new Set(timeline.slice(1).map(({ attested }) => attested))).toEqual(new Set(['function']));
  });
});

describe('what belongs together', () => {
  test('revocations of one name are one incident, others are not', () => {
    const named = [
      ...revocation({ ...orders, incident: 'INC-1' }),
      ...revocation({ ...billing, incident: 'INC-1' }),
    ];
    const incidents = incidentsOf(
      recordsOf([...named, ...revocation({ requestId: 'r3', secretName: '/prod/x', at: 20_000 })]),
    );
    expect(incidents.map(({ id, requests }) => [id, requests])).toEqual([
      ['r3', ['r3']],
      ['INC-1', ['r1', 'r2']],
    ]);
  });

  test('an incident is found by name, request, correlation, and the id of the page', () => {
    const incidents = incidentsOf(
      recordsOf([
        ...revocation({ ...orders, incident: 'INC-1', correlationId: 'c1' }),
        ...revocation({ ...billing, correlationId: 'c2' }),
      ]),
    );
    const found = (id: string) => findIncident(incidents, id)?.id;
    expect(['INC-1', 'r1', 'c1', 'c2', 'r2', incidentIdOf(revocationKey('r2')), 'r9'].map(found)).toEqual([
      'INC-1',
      'INC-1',
      'INC-1',
      'r2',
      'r2',
      'r2',
      undefined,
    ]);
  });

  test('who took it on belongs to it', () => {
    const incidentId = incidentIdOf(revocationKey('r1'));
    const taken = told(
      'Incident Acknowledged',
      700,
      { incidentId, note: 'looking' },
      {
        source: 'rekey.cli',
        metadata: { actor: alice },
      },
    );
    expect(only([...revocation(orders), taken]).people.map(({ what }) => what)).toContain(
      'Taken on: looking',
    );
  });

  test('a rotation that no revocation asked for does not', () => {
    const scheduled = told('Secret Rotation Succeeded', 2_500, {
      secretName: '/prod/orders/db',
      secretArn: 'arn',
      versionId: 'scheduled',
    });
    expect(only([...revocation(orders), scheduled]).sequences).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a second try', () => {
  const failed = revocation({ ...orders, incident: 'INC-1' }, 'Failed');
  const again = { requestId: 'r9', secretName: '/prod/orders/db', at: 60_000, incident: 'INC-1' };

  test('that proves all versions of the first closes the incident', () => {
    const incident = only([...failed, ...revocation({ ...again, versions: ['v1', 'v2'] })]);
    expect(incident).toMatchObject({
      state: 'closed',
      secrets: [{ state: 'failed', settledBy: 'r9' }, { state: 'revoked' }],
      times: { contain: 61_400 },
    });
  });

  const plannedFailure = [
    ...failed.slice(0, 1),
    ...begun({ ...orders, incident: 'INC-1', versions: [] }),
    ...failed.slice(-1),
  ];

  test('of all versions makes up for one of all, though the plan lists none', () => {
    expect(only([...plannedFailure, ...revocation({ ...again, versions: [] })])).toMatchObject({
      state: 'closed',
    });
    const some = revocation({ ...again, versions: ['v1'] }).map((event) =>
      event.detailType === 'Secret Revocation Requested'
        ? { ...event, detail: { ...event.detail, data: { ...Object(event.detail.data), versions: ['v1'] } } }
        : event,
    );
    expect(only([...plannedFailure, ...some])).toMatchObject({ state: 'open' });
  });

  test('that lists no versions counts for those that it saw refused', () => {
    // The proof of the sample saw v1 refused.
    const retried = (versions: readonly string[]) =>
      only([
        ...revocation({ ...orders, incident: 'INC-1', versions }, 'Failed'),
        ...revocation({ ...again, versions: [] }),
      ]);
    expect(retried(['v1'])).toMatchObject({ state: 'closed' });
    expect(retried(['v1', 'v0'])).toMatchObject({ state: 'open' });
  });

  test.each([
    ['proves other versions', revocation({ ...again, versions: ['v2'] })],
    ['is of another secret', revocation({ ...again, secretName: '/prod/other', versions: ['v1'] })],
    ['is a rehearsal', revocation({ ...again, versions: ['v1'], drill: true })],
    ['is unproven', revocation({ ...again, versions: ['v1'] }, 'Unproven')],
  ])('that %s does not', (_, events) => {
    expect(only([...failed, ...events])).toMatchObject({ state: 'open', secrets: [{ state: 'failed' }, {}] });
  });
});

describe('a plan for several secrets', () => {
  test('is one incident of all its secrets, open until its task is done', () => {
    const open = only(planned(['Succeeded', 'Succeeded', 'Succeeded']));
    expect(open).toMatchObject({ id: 'INC-4711', state: 'open', underWay: false });
    expect(open.secrets.map(({ secretName, state }) => [secretName, state])).toEqual([
      ['/prod/part-0', 'revoked'],
      ['/prod/part-1', 'revoked'],
      ['/prod/part-2', 'revoked'],
    ]);
    expect(open.open).toEqual(['To do: Ask the partner to refuse the old key (/prod/partner)']);
    const closed = only([...planned(['Succeeded', 'Succeeded', 'Succeeded']), taskDone]);
    expect(closed).toMatchObject({ state: 'closed', closedAt: start + 86_400, times: { contain: 2_600 } });
    expect(closed.people.at(-1)).toMatchObject({ who: alice, attested: 'claimed', kind: 'task' });
  });

  test.each(['Unproven', 'Failed'] as const)('stays open while one is %s', (outcome) => {
    const incident = only([...planned(['Succeeded', outcome]), taskDone]);
    expect(incident.state).toBe('open');
    expect(incident.open).toEqual([expect.stringContaining('/prod/part-1')]);
  });

  test('an unproven secret is settled by its own proof, and by no other task', () => {
    const task = (requestId: string, taskId: string) =>
      told('Revocation Task Done', 90_000, { requestId, taskId, note: 'y' });
    const other = told('Revocation Task Opened', 5_000, {
      requestId: 'root-request',
      taskId: 't2',
      task: 'x',
      via: '/prod/part-1',
    });
    const waits = [...planned(['Succeeded', 'Unproven']), taskDone, other];
    expect(only(waits).open).toHaveLength(2);
    expect(only([...waits, task('root-request', 't2')])).toMatchObject({ state: 'open' });
    const unproven = only(waits).secrets.find(({ state }) => state === 'unproven')?.requestId ?? '';
    const seen = [...waits, task('root-request', 't2'), task(unproven, 'proof')];
    expect(only(seen)).toMatchObject({ state: 'closed' });
  });

  test('a plan that concluded without a record of each secret stays open', () => {
    const [request, plan] = planned(['Succeeded', 'Succeeded']);
    const concluded = told('Revocation Concluded', 80_000, {
      requestId: 'root-request',
      outcome: 'open',
      succeeded: 0,
      unproven: 0,
      failed: 2,
      openTasks: 0,
    });
    const incident = only([...[request, plan].flatMap((event) => event ?? []), taskDone, concluded]);
    expect(incident.state).toBe('open');
  });

  test('a plan that was rejected says why, and one that nobody approved is closed', () => {
    const [request, plan] = planned(['Succeeded']);
    const rejected = (code: string) =>
      only([
        ...[request, plan].flatMap((event) => event ?? []),
        told('Secret Revocation Rejected', 500, {
          requestId: 'root-request',
          error: { code, message: 'no', retryable: false },
        }),
      ]);
    expect(rejected('PlanChanged')).toMatchObject({
      state: 'open',
      underWay: false,
      open: ['The plan root-request was rejected, PlanChanged: no.'],
    });
    expect(rejected('ApprovalRefused')).toMatchObject({ state: 'closed', open: [] });
  });

  test('secrets that have not begun, and tasks that are not recorded, keep it open', () => {
    const [request, plan] = planned(['Succeeded', 'Succeeded']);
    const incident = only([request, plan].flatMap((event) => event ?? []));
    expect(incident).toMatchObject({ state: 'open', underWay: true });
    expect(incident.open).toEqual([
      'The plan root-request has no conclusion yet.',
      '2 of the 2 secrets of the plan root-request have not begun.',
      'The plan root-request counts 1 tasks, and 0 are recorded.',
    ]);
  });
});

describe('whatever becomes of the records', () => {
  const stories = [
    ...planned(['Succeeded', 'Unproven', 'Failed']),
    taskDone,
    ...revocation(orders),
    ...revocation({ ...billing, incident: 'INC-2' }, 'Failed'),
    ...revocation({ ...billing, requestId: 'r8', at: 90_000, incident: 'INC-2' }),
  ];
  const records = recordsOf(stories);

  test('their order changes nothing, and neither does a record twice', () => {
    // Each fact was recorded twice, too.
    const all = recordsOf([...stories, ...stories]);
    const expected = incidentsOf(all);
    const shuffled = fc.shuffledSubarray([...all], { minLength: all.length });
    fc.assert(
      fc.property(shuffled, fc.subarray([...all]), (order, twice) => {
        expect(incidentsOf([...twice, ...order])).toEqual(expected);
      }),
      { numRuns: propertyRuns(100) },
    );
  });

  test('a fact that was recorded again stands once in the timeline, and both records are evidence', () => {
    const [first, ...rest] = revocation(orders);
    const incident = only([first, ...rest, first].flatMap((event) => event ?? []));
    expect(incident.timeline).toHaveLength(6);
    expect(incident.sequences).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('an incident is closed only with the end of each secret, and its timeline is in order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...records]), (some) => {
        const incidents = incidentsOf(some);
        for (const { state, open, secrets, timeline, requestedAt, sequences, underWay } of incidents) {
          expect(state === 'open').toBe(open.length > 0);
          if (underWay) expect(state).toBe('open');
          const unsettled = secrets.filter(
            (secret) => secret.settledBy === undefined && secret.state !== 'revoked',
          );
          if (unsettled.length > 0) expect(state).toBe('open');
          const times = timeline.map(({ at }) => at);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          for (const one of secrets) {
            for (const at of [one.containedAt, one.rotatedAt, one.provenAt, one.endedAt]) {
              expect(at ?? one.requestedAt).toBeGreaterThanOrEqual(one.requestedAt);
            }
          }
          expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
          expect(Number.isFinite(requestedAt)).toBe(true);
        }
        // No record is in two incidents.
        const all = incidents.flatMap(({ sequences }) => sequences);
        expect(new Set(all).size).toBe(all.length);
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  test('events of any form harm nothing', () => {
    const anyEvent = fc.record({
      detailType: fc.constantFrom(...new Set(stories.map(({ detailType }) => detailType)), 'Other'),
      data: fc.dictionary(
        fc.constantFrom(
          'requestId',
          'secretName',
          'containments',
          'versions',
          'select',
          'error',
          'incident',
          'secrets',
        ),
        fc.anything(),
      ),
      metadata: fc.anything(),
    });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 8 }), (given) => {
        const odd = given.map(({ detailType, data, metadata }, index) => ({
          ...told(detailType, index, {}),
          detail: { data, metadata },
        }));
        expect(() => incidentsOf(recordsOf(odd))).not.toThrow();
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  test('half a character in an id harms nothing', () => {
    const half = { requestId: 'r\ud800', secretName: '/prod/\udc00' };
    expect(only(revocation(half))).toMatchObject({ state: 'closed', secrets: [half] });
  });

  test('a clock that runs ahead is held to the time of the record', () => {
    const ahead = requested({ ...orders, at: 999_000_000 });
    expect(only([ahead]).requestedAt).toBe(start + 60_000_000);
  });
});
