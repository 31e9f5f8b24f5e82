import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignShards, type ShardAssignment } from '../../lib/config/shards/assignment.ts';
import {
  comfortableCapacity,
  type Demand,
  demandsOf,
  hardCapacity,
  Load,
} from '../../lib/config/shards/capacity.ts';
import { recordedShards } from '../../lib/config/shards/record.ts';
import example from '../../rekey.config.ts';

const demand = (name: string, more: Partial<Demand> = {}): Demand => ({
  name,
  functions: 'postgresql',
  resources: 4,
  templateSize: 5_000,
  policySize: 350,
  startSize: 100,
  shared: new Map(),
  ...more,
});
const many = (count: number, more: Partial<Demand> = {}) =>
  Array.from({ length: count }, (_, index) => demand(`/prod/${String(index).padStart(4, '0')}`, more));
const assign = (demands: readonly Demand[], recorded?: ShardAssignment) =>
  assignShards(demands, { environment: 'prod', recorded, nothingDeployed: true });

/** What each stack holds. */
function loadsOf(demands: readonly Demand[], { stacks, secrets }: ShardAssignment): Load[] {
  const loads = Array.from({ length: stacks }, () => new Load());
  for (const each of demands) loads[secrets[each.name] ?? -1]?.add(each);
  return loads;
}

describe('the assignment of secrets to rotation stacks', () => {
  test('puts everything into one stack while it fits', () => {
    expect(assignShards(many(50), { environment: 'prod' }).stacks).toBe(1);
    expect(assignShards([], { environment: 'prod' })).toEqual({ stacks: 1, secrets: {} });
  });

  test('refuses to guess where secrets are that need several', () => {
    expect(() => assignShards(many(1_000), { environment: 'prod' })).toThrow(
      /its 1000 secrets need \d+ rotation stacks, and nothing is recorded .*restore rekey\.shards\.json.*-c deployed=nothing/,
    );
    expect(assign(many(1_000)).stacks).toBeGreaterThan(8);
  });

  test('has a new secret join its functions, else fill a gap, else open a stack', () => {
    const recorded = {
      stacks: 2,
      secrets: { ...Object.fromEntries(many(20).map(({ name }) => [name, 0])), '/prod/redis': 1 },
    };
    const before = [...many(20), demand('/prod/redis', { functions: 'redis' })];
    const place = (added: Demand) => assign([...before, added], recorded).secrets[added.name];
    expect(place(demand('/prod/new'))).toBe(0);
    expect(place(demand('/prod/new', { functions: 'redis' }))).toBe(1);
    expect(place(demand('/prod/new', { functions: 'mysql' }))).toBe(0);
    expect(place(demand('/prod/new', { resources: 350 }))).toBe(1);
    expect(place(demand('/prod/new', { policySize: 43_900, functions: 'big' }))).toBe(0);
    expect(place(demand('/prod/new', { resources: 420 }))).toBe(2);
  });

  test('keeps a stack that has no secrets any more, so that it is deployed and emptied', () => {
    const recorded = { stacks: 3, secrets: { '/prod/0001': 2 } };
    expect(assign([], recorded)).toEqual(recorded);
  });

  test('gives a secret that was taken out its place again, since nobody knows whether that was deployed', () => {
    const recorded = { stacks: 2, secrets: { '/prod/0001': 1 } };
    const others = many(10, { functions: 'redis' }).filter(({ name }) => name !== '/prod/0001');
    const without = assign([...others, demand('/prod/first')], recorded);
    expect(without.secrets['/prod/first']).toBe(0);
    // Its functions are in the first stack now, which has room.
    const again = assign([...others, demand('/prod/first'), demand('/prod/0001')], without);
    expect(again.secrets['/prod/0001']).toBe(1);
  });

  test('says how one comes into another stack that has no room left where it was', () => {
    const recorded = {
      stacks: 1,
      secrets: { ...Object.fromEntries(many(120).map(({ name }) => [name, 0])) },
    };
    expect(() => assign(many(120), recorded)).toThrow(
      'take some out, deploy, take their lines out of rekey.shards.json, and adopt them again',
    );
  });

  test('refuses what no longer fits where it is recorded', () => {
    const recorded = { stacks: 1, secrets: Object.fromEntries(many(100).map(({ name }) => [name, 0])) };
    const apart = many(100).map((each, index) => ({ ...each, functions: `of-${index}` }));
    expect(() => assign(apart, recorded)).toThrow(
      /rekey-prod-rotation no longer fit into it: \d+ resources of 495/,
    );
  });

  /** Where what comes back does not fit, takes out the lines of what is gone, as the refusal says. */
  function orFreed(
    demands: readonly Demand[],
    recorded: ShardAssignment | undefined,
    deployed: ReadonlySet<string>,
  ): ShardAssignment {
    try {
      return assign(demands, recorded);
    } catch (error) {
      if (recorded === undefined || !String(error).includes('take their lines out')) throw error;
      const left = Object.entries(recorded.secrets).filter(([secret]) => deployed.has(secret));
      return assign(demands, { ...recorded, secrets: Object.fromEntries(left) });
    }
  }

  const change = fc.array(
    fc.record({
      add: fc.boolean(),
      name: fc.integer({ min: 0, max: 400 }),
      count: fc.integer({ min: 1, max: 120 }),
    }),
    { minLength: 1, maxLength: 12 },
  );

  test('whatever comes and goes, no secret moves and no stack is too full', () => {
    const kind = (index: number): Demand =>
      demand(`/prod/${index}`, {
        functions: `kind-${index % 7}`,
        resources: index % 3 === 0 ? 2 : 4,
        policySize: 250 + (index % 11) * 100,
        templateSize: 4_000 + (index % 13) * 500,
      });
    fc.assert(
      fc.property(change, (changes) => {
        let recorded: ShardAssignment | undefined;
        let deployed: ReadonlySet<string> = new Set();
        const there = new Set<number>();
        for (const { add, name, count } of changes) {
          for (let index = name; index < name + count; index += 1) {
            if (add) there.add(index);
            else there.delete(index);
          }
          const demands = [...there].map(kind);
          const next = orFreed(demands, recorded, deployed);
          expect(Object.keys(next.secrets)).toEqual(expect.arrayContaining(demands.map((each) => each.name)));
          for (const [secret, shard] of Object.entries(recorded?.secrets ?? {})) {
            if (deployed.has(secret)) expect(next.secrets[secret]).toBe(shard);
          }
          expect(next.stacks).toBeGreaterThanOrEqual(recorded?.stacks ?? 1);
          for (const load of loadsOf(demands, next)) expect(load.fits(hardCapacity)).toBe(true);
          // The same again changes nothing, in whatever order the configuration names them.
          expect(assign(demands.toReversed(), next)).toEqual(next);
          recorded = next;
          deployed = new Set(demands.map(({ name: secret }) => secret));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('leaves room for changes of what is there', () => {
    for (const limit of ['resources', 'templateSize', 'policySize'] as const) {
      expect(comfortableCapacity[limit]).toBeLessThan(hardCapacity[limit]);
    }
  });
});

describe('the file that records it', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rekey-shards-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const record = (file: string, count: number, nothingDeployed = false) =>
    recordedShards(join(folder, file), many(count), { environment: 'prod', nothingDeployed });

  test('is written with what is new, sorted, and leaves other environments alone', () => {
    const file = join(folder, 'kept.json');
    writeFileSync(file, JSON.stringify({ test: { stacks: 2, secrets: { '/test/a': 1 } } }));
    expect(record('kept.json', 2)).toEqual({ stacks: 1, secrets: { '/prod/0000': 0, '/prod/0001': 0 } });
    expect(readFileSync(file, 'utf8')).toBe(
      `${JSON.stringify(
        {
          prod: { stacks: 1, secrets: { '/prod/0000': 0, '/prod/0001': 0 } },
          test: { stacks: 2, secrets: { '/test/a': 1 } },
        },
        undefined,
        2,
      )}\n`,
    );
  });

  test('grows from one stack to more without a question, since it knows the first', () => {
    record('grown.json', 100);
    const { stacks, secrets } = record('grown.json', 300);
    expect(stacks).toBeGreaterThan(1);
    expect(many(100).every(({ name }) => secrets[name] === 0)).toBe(true);
  });

  test('asks on the first deployment of what needs several, and is told', () => {
    expect(() => record('first.json', 300)).toThrow('-c deployed=nothing');
    expect(record('first.json', 300, true).stacks).toBeGreaterThan(1);
    expect(record('first.json', 301).stacks).toBeGreaterThan(1);
  });

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['another form', '{"prod":{"secrets":{}}}', 'stacks'],
    ['a stack that is not there', '{"prod":{"stacks":1,"secrets":{"/prod/a":1}}}', 'names a stack beyond'],
  ])('is not guessed at when it holds %s', (_, text, problem) => {
    writeFileSync(join(folder, 'broken.json'), text);
    expect(() => record('broken.json', 1)).toThrow(problem);
    expect(() => record('broken.json', 1)).toThrow('restore it from version control');
    expect(readFileSync(join(folder, 'broken.json'), 'utf8')).toBe(text);
  });

  test('is there for the example, so that synthesizing it writes nothing', () => {
    const file = join(import.meta.dirname, '../../rekey.shards.json');
    const before = readFileSync(file, 'utf8');
    for (const [environment, configuration] of Object.entries(example.environments)) {
      recordedShards(file, demandsOf(environment, configuration), { environment });
    }
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('refuses to change when it is locked, names what is missing, and writes nothing', () => {
    record('locked.json', 3);
    const file = join(folder, 'locked.json');
    const before = readFileSync(file, 'utf8');
    const locked = (demands: readonly Demand[]) =>
      recordedShards(file, demands, { environment: 'prod', locked: true });
    expect(locked(many(3)).secrets).toEqual(JSON.parse(before).prod.secrets);
    // A secret that is taken out keeps its line.
    expect(locked(many(2)).stacks).toBe(1);
    expect(() => locked(many(5))).toThrow(
      /locked\.json is locked, and lacks what this configuration adds to prod: the stack of \/prod\/0003, \/prod\/0004\. .* npx cdk synth -c environment=prod/,
    );
    expect(() => locked(many(300))).toThrow(
      /the stack of \/prod\/0003, .* and 287 more; \d+ rotation stacks/,
    );
    expect(() => locked([...many(3), demand('ledger', { adopted: 'waits' })])).toThrow(
      /the stack of ledger; that ledger are adopted/,
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('must be writable once there is something to know', () => {
    expect(record('missing/shards.json', 5).stacks).toBe(1);
    expect(() => record('missing/shards.json', 300, true)).toThrow(
      /missing\/shards\.json: cannot be written \(ENOENT\)/,
    );
  });
});
