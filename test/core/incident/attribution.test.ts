import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../../core/audit/format.ts';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import { concernsIncidents } from '../../../core/incident/concerns.ts';
import { type IncidentCourse, incidentsOf } from '../../../core/incident/incident-course.ts';
import { alice, arnOf, recordsOf, revocation, told } from './sample.ts';

const orders = { requestId: 'r1', secretName: '/prod/orders/db' };

/** Builds the only incident of these events. */
function only(events: readonly AuditEvent[]): IncidentCourse {
  const [incident, ...others] = incidentsOf(recordsOf(events));
  expect(others).toEqual([]);
  if (incident === undefined) throw new Error('no incident');
  return incident;
}

describe('who really asked', () => {
  test.each([
    ['confirms the claim', true, 'rekey.trail', { who: 'mallory', agrees: true }],
    ['names another caller', false, 'rekey.trail', { who: 'mallory', agrees: false }],
    ['is the word of somebody else, which counts nothing', true, 'acme.scanner', undefined],
  ])('CloudTrail stands beside the claim where it %s', (_what, agrees, source, proven) => {
    const records = revocation(orders);
    const { id } = Object(records[0]?.detail.metadata) as { id: string };
    const data = { requestId: orders.requestId, about: 'Secret Revocation Requested', subject: 'x', agrees };
    const attributed = told(
      'Request Attributed',
      90_000,
      { ...data, claimed: alice, proven: { principal: 'mallory' } },
      { source, metadata: { causationId: id } },
    );
    const { people, timeline } = only([...records, attributed]);
    expect(people[0]).toMatchObject({ who: alice, attested: 'claimed' });
    expect(people[0]?.proven).toEqual(proven);
    expect(timeline.at(-1)).toMatchObject({ detailType: 'Request Attributed' });
    expect(people.filter(({ attested }) => attested === 'trail')).toEqual([]);
  });

  test('of several callers the one that disagrees is shown', () => {
    const records = revocation(orders);
    const { id } = Object(records[0]?.detail.metadata) as { id: string };
    const attributed = (principal: string, agrees: boolean, at: number) =>
      told(
        'Request Attributed',
        at,
        { requestId: orders.requestId, about: 'Secret Revocation Requested', agrees, proven: { principal } },
        { source: 'rekey.trail', metadata: { causationId: id } },
      );
    const { people } = only([
      ...records,
      attributed(alice, true, 90_000),
      attributed('mallory', false, 95_000),
    ]);
    expect(people[0]?.proven).toEqual({ who: 'mallory', agrees: false });
  });

  test('who started a rotation of the revocation belongs to the incident, and other rotations do not', () => {
    const records = revocation(orders);
    const of = (requestId: string) =>
      told(
        'Request Attributed',
        90_000,
        { requestId, about: 'Secret Rotation Started', agrees: true, proven: { principal: 'rotator' } },
        { source: 'rekey.trail', metadata: { causationId: `rotation ${requestId}` } },
      );
    const own = revocationToken(orders.requestId, arnOf(orders.secretName));
    const foreign = of('0195a000-0000-4000-8000-00000000000a');
    const { timeline } = only([...records, of(own), foreign]);
    expect(timeline.filter(({ attested }) => attested === 'trail')).toHaveLength(1);
    expect([of(own), foreign].map(concernsIncidents)).toEqual([true, false]);
  });
});
