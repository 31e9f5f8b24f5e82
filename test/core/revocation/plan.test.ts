import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { secretGraph } from '../../../core/revocation/graph.ts';
import { levelsOf } from '../../../core/revocation/order.ts';
import { planDigest, planRevocation, type RevocationPlan } from '../../../core/revocation/plan.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import { propertyRuns } from '../../property-runs.ts';
import { arnOf, definition } from './definitions.ts';

const plan = (
  definitions: readonly SecretDefinition[],
  names: readonly string[],
  change: { mode?: 'kill' | 'replace'; chain?: boolean; atOncePerTarget?: number } = {},
): RevocationPlan =>
  planRevocation(secretGraph(definitions), {
    mode: 'kill',
    chain: true,
    selected: names.map((name) => ({ name, because: 'named by the request' })),
    ...change,
  });
const steps = ({ steps: all }: RevocationPlan) =>
  all.map(
    ({ phase, lanes }) =>
      `${phase}: ${lanes
        .flatMap(({ secrets }) => secrets)
        .toSorted()
        .join(' ')}`,
  );

describe('an admin secret that leaked', () => {
  const known = [
    definition('admin'),
    definition('orders', { admin: 'admin' }),
    definition('billing', { admin: 'admin' }),
    definition('elsewhere', { host: 'db-2' }),
  ];

  test('takes its users along, and is replaced before they are', () => {
    const made = plan(known, ['admin']);
    expect(steps(made)).toEqual([
      'contain: admin billing orders',
      'replace: admin',
      'contain again: billing orders',
      'replace: billing orders',
    ]);
    expect(made.secrets.map(({ name, because, level }) => [name, because, level])).toEqual([
      ['admin', ['named by the request'], 0],
      ['billing', ['admin is its admin secret'], 1],
      ['orders', ['admin is its admin secret'], 1],
    ]);
  });

  test('goes alone where the chain is not followed', () => {
    expect(steps(plan(known, ['admin'], { chain: false }))).toEqual(['contain: admin', 'replace: admin']);
  });

  test('replace goes level by level', () => {
    expect(steps(plan(known, ['admin'], { mode: 'replace' }))).toEqual([
      'replace: admin',
      'replace: billing orders',
    ]);
  });

  test('goes before its users where all are selected, too', () => {
    const names = known.map(({ name }) => name);
    expect(steps(plan(known, names, { chain: false, mode: 'replace' }))).toEqual([
      'replace: admin elsewhere',
      'replace: billing orders',
    ]);
  });
});

test('what consumers issue is followed, through cycles, and what Rekey cannot cut off is a task', () => {
  const known = [
    definition('signing', {
      leads: [
        { secret: 'session', via: 'login-service' },
        { task: 'End the sessions of all customers.', via: 'login-service' },
      ],
    }),
    definition('session', { leads: [{ secret: arnOf('api') }] }),
    definition('api', { leads: [{ secret: 'signing' }, { secret: 'of-another-team' }] }),
  ];
  const made = plan(known, ['signing']);
  expect(made.secrets.map(({ name, because }) => [name, because])).toEqual([
    ['signing', ['api leads to it', 'named by the request']],
    ['session', ['login-service issues it, and reads signing']],
    ['api', ['session leads to it']],
  ]);
  expect(made.tasks.map(({ task, via }) => [task, via]).toSorted()).toEqual([
    ['End the sessions of all customers.', 'login-service, which reads signing'],
    ['Replace of-another-team, which Rekey does not look after here.', 'api'],
  ]);
});

test('versions that are named stay named; a secret that the chain reaches as well is revoked whole', () => {
  const known = [definition('admin'), definition('orders', { admin: 'admin' })];
  const selected = [
    { name: 'admin', because: 'named by the request', versions: ['v1'] },
    { name: 'orders', because: 'named by the request', versions: ['v7'] },
  ];
  const made = planRevocation(secretGraph(known), { mode: 'kill', chain: true, selected });
  expect(made.secrets.map(({ name, versions }) => [name, versions])).toEqual([
    ['admin', ['v1']],
    ['orders', undefined],
  ]);
});

test('no target gets more lanes than it may have', () => {
  const known = Array.from({ length: 30 }, (_, index) =>
    definition(`s${index}`, { host: `db-${index % 2}` }),
  );
  const made = plan(
    known,
    known.map(({ name }) => name),
    { atOncePerTarget: 4 },
  );
  for (const { lanes } of made.steps) {
    for (const group of Map.groupBy(lanes, ({ target }) => target).values()) expect(group).toHaveLength(4);
  }
});

test('a lane has no more secrets than one execution has room for; what is more comes in a step of its own', () => {
  const known = Array.from({ length: 120 }, (_, index) => definition(`s${index}`));
  const made = plan(
    known,
    known.map(({ name }) => name),
    { atOncePerTarget: 1, mode: 'replace' },
  );
  expect(made.steps.map(({ lanes }) => lanes.map(({ secrets }) => secrets.length))).toEqual([
    [50],
    [50],
    [20],
  ]);
});

const worlds = fc
  .record({
    size: fc.integer({ min: 1, max: 12 }),
    edges: fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 30 }),
    admins: fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 8 }),
    selected: fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }),
    mode: fc.constantFrom('kill' as const, 'replace' as const),
    atOncePerTarget: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ size, edges, admins, selected, ...rest }) => {
    const name = (index: number) => `s${index % size}`;
    const admin = new Map(admins.map(([user, of]) => [name(user), name(of)]));
    const known = Array.from({ length: size }, (_, index) =>
      definition(name(index), {
        host: `db-${index % 3}`,
        leads: edges.filter(([from]) => name(from) === name(index)).map(([, to]) => ({ secret: name(to) })),
        ...(admin.has(name(index)) && { admin: admin.get(name(index)) as string }),
      }),
    );
    return { known, selected: [...new Set(selected.map(name))], ...rest };
  });

/** Follows the edges in another way than the planner: by looking again until nothing is new. */
function reached(known: readonly SecretDefinition[], selected: readonly string[]): string[] {
  const found = new Set(selected);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { name, leadsTo = [], content } of known) {
      if (found.has(name)) for (const lead of leadsTo) if ('secret' in lead) found.add(lead.secret);
      const admin = known.find(({ arn }) => arn === content?.masterarn);
      if (admin !== undefined && found.has(admin.name)) found.add(name);
    }
  }
  return [...found].toSorted();
}

describe('whatever leads to whatever', () => {
  test('a plan has all that is reached, each cut off and replaced once', () => {
    fc.assert(
      fc.property(worlds, ({ known, selected, mode, atOncePerTarget }) => {
        const made = plan(known, selected, { mode, atOncePerTarget });
        const wanted = reached(known, selected);
        expect(made.secrets.map(({ name }) => name).toSorted()).toEqual(wanted);
        const of = (phase: string) =>
          made.steps
            .filter((step) => step.phase === phase)
            .flatMap(({ lanes }) => lanes.flatMap(({ secrets }) => secrets))
            .toSorted();
        expect(of('replace')).toEqual(wanted);
        expect(of('contain')).toEqual(mode === 'kill' ? wanted : []);
        if (mode === 'kill') expect(made.steps[0]?.phase).toBe('contain');
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  test('the same world gives the same plan, however it is listed', () => {
    fc.assert(
      fc.property(worlds, ({ known, selected, mode }) => {
        const there = plan(known, selected, { mode });
        const back = plan(known.toReversed(), selected.toReversed(), { mode });
        expect(planDigest(back)).toBe(planDigest(there));
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  test('without a cycle, each goes after all that leads to it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(15), fc.nat(15)), { maxLength: 40 }), (pairs) => {
        const edges = pairs.filter(([from, to]) => from < to).map(([from, to]) => [`n${from}`, `n${to}`]);
        const names = Array.from({ length: 16 }, (_, index) => `n${15 - index}`);
        const levels = levelsOf(names, (name) =>
          edges.flatMap(([from, to]) => (from === name ? [to ?? ''] : [])),
        );
        for (const [from = '', to = ''] of edges) {
          expect(levels.get(to)).toBeGreaterThan(levels.get(from) ?? Number.NaN);
        }
        expect(levels.size).toBe(16);
      }),
      { numRuns: propertyRuns(200) },
    );
  });
});

test('10,000 secrets are planned in time that grows with their number', () => {
  const many = (count: number) => [
    definition('admin'),
    ...Array.from({ length: count }, (_, index) => definition(`s${index}`, { admin: 'admin' })),
  ];
  const [few, lots] = [many(1_000), many(10_000)];
  plan(few, ['admin']);
  const timeOf = (known: readonly SecretDefinition[]) => {
    const begun = process.cpuUsage();
    plan(known, ['admin']);
    return process.cpuUsage(begun).user;
  };
  const small = Math.min(timeOf(few), timeOf(few), timeOf(few));
  expect(timeOf(lots)).toBeLessThan(60 * small + 200_000);
});
