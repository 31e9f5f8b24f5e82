import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../../adapters/system.ts';
import {
  containmentInputSchema,
  type PlanInput,
  planInputSchema,
  workflowInputSchema,
} from '../../../core/deployed/revocation-state.ts';
import { detailSchema, type RevocationMode } from '../../../core/events/catalogue.ts';
import type { OutcomeStore, PlanStore, SecretOutcome } from '../../../core/revocation/ports.ts';
import type { Selection } from '../../../core/revocation/selection.ts';
import { stages } from '../../../core/secret/secret.ts';
import { announcePlan, readPlan } from '../../../lambdas/revocation/announce-plan.ts';
import { conclude } from '../../../lambdas/revocation/conclude.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { makePlan } from '../../../lambdas/revocation/plan.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { report } from '../../../lambdas/revocation/report.ts';
import { rotateStep } from '../../../lambdas/revocation/rotate.ts';
import { arnOf, definition } from '../../core/revocation/definitions.ts';
import { propertyRuns } from '../../property-runs.ts';
import { MemoryBus } from '../rotation/engine.ts';
import { planWorkflow } from './states.ts';
import { type Json, runMachine } from './states-language.ts';
import { requestId, World } from './world.ts';

const environment = 'test';
const hosts = ['db-1', 'db-2'];

/** What goes wrong with a call: not done, done and not answered, done twice. */
const faultKinds = ['not run', 'throttled', 'ended after its work', 'answer lost', 'run twice'] as const;
type Fault = (typeof faultKinds)[number];
const errors: Readonly<Record<Exclude<Fault, 'run twice'>, string>> = {
  'not run': 'Lambda.ServiceException',
  throttled: 'Lambda.TooManyRequestsException',
  'ended after its work': 'Sandbox.Timedout',
  'answer lost': 'States.Timeout',
};

interface Secret {
  readonly host: number;
  /** Number of the secret that administers it, if any. Cycles are allowed. */
  readonly admin: number | undefined;
  /** True if nothing ever answers at its target. */
  readonly dead: boolean;
  /** True if its report never comes through. */
  readonly silent: boolean;
}

const onceIn = (many: number) => fc.nat({ max: many - 1 }).map((side) => side === 0);

const secret = fc.record({
  host: fc.nat({ max: hosts.length - 1 }),
  admin: fc.option(fc.nat({ max: 35 }), { nil: undefined, freq: 1 }),
  dead: onceIn(4),
  silent: onceIn(8),
});
// Lanes of several secrets need more than eight on one host.
const secrets = fc.oneof(
  fc.array(secret, { minLength: 1, maxLength: 6 }),
  fc.array(secret, { minLength: 24, maxLength: 36 }),
);
/** Faults by the number of the call that they befall. */
const faultsOf = (most: number) =>
  fc.array(fc.tuple(fc.nat({ max: 300 }), fc.constantFrom(...faultKinds)), { maxLength: most });

const nameOf = (index: number): string => `secret-${String(index).padStart(2, '0')}`;

/** Secrets with targets of their own, and all that the workflow uses, in memory. */
class Fleet {
  readonly worlds = new Map<string, World>();
  readonly bus = new MemoryBus();
  /** Calls in their order, by what they are and the secret's name. */
  readonly calls: [what: string, name: string][] = [];
  /** Most calls that one host had at a time. */
  busiest = 0;
  readonly #definitions;
  readonly #texts = new Map<string, string>();
  readonly #outcomes = new Map<string, SecretOutcome>();
  readonly #faults: Map<number, Fault>;
  readonly #silent = new Set<string>();
  readonly #active = new Map<string, number>();
  #count = 0;

  constructor(all: readonly Secret[], faults: readonly (readonly [number, Fault])[]) {
    this.#faults = new Map(faults);
    this.#definitions = all.map(({ host, admin }, index) => {
      const of = admin === undefined ? undefined : admin % all.length;
      return definition(nameOf(index), {
        host: hosts[host] ?? '',
        ...(of !== undefined && of !== index && { admin: nameOf(of) }),
      });
    });
    for (const [index, one] of this.#definitions.entries()) {
      const world = new World('leaked-password', [0], one.arn);
      world.definition = one;
      if (all[index]?.dead) world.target.unreachable = Number.POSITIVE_INFINITY;
      if (all[index]?.silent) this.#silent.add(one.name);
      this.worlds.set(one.name, world);
    }
  }

  readonly plans: PlanStore = {
    keepFirst: async (key, text) => {
      const kept = this.#texts.get(key) ?? text;
      this.#texts.set(key, kept);
      return kept;
    },
    read: async (key) => this.#texts.get(key),
  };

  readonly #outcomeStore: OutcomeStore = {
    note: async (_, outcome) => void this.#outcomes.set(outcome.secretName, outcome),
    list: async () => [...this.#outcomes.values()],
  };

  readonly #origin = {
    source: 'rekey.revocation',
    environment,
    actor: 'test',
    clock: { now: () => new Date('2026-03-01T12:00:05.000Z') },
    random: systemRandom,
  } as const;

  async revoke(
    select: Selection,
    mode: RevocationMode,
  ): Promise<{ path: readonly string[]; input: PlanInput }> {
    const input: PlanInput = planInputSchema.parse({
      requestId,
      correlationId: 'INC-7',
      requestDigest: 'digest',
      requestedAt: '2026-03-01T12:00:00.000Z',
      takenAt: '2026-03-01T12:00:00.000Z',
      request: { select, chain: true, mode, reason: 'leaked', drill: false },
      subject: 'some',
      mode,
    });
    const { path } = await runMachine(planWorkflow(), input as unknown as Json, {
      invoke: (name, given) => this.#befallen(() => this.#invoke(name, given)),
      call: (service, parameters) => this.#befallen(() => this.#table(service, parameters)),
      items: async ({ Key }) => JSON.parse((await this.plans.read(String(Key))) ?? ''),
    });
    return { path, input };
  }

  /** Does what a call is for, unless this call is one that goes wrong. */
  async #befallen<Result>(act: () => Promise<Result>): Promise<Result> {
    const fault = this.#faults.get(this.#count);
    this.#count += 1;
    // Other lanes get their turn while a call is on its way.
    await setImmediate();
    if (fault === undefined) return await act();
    if (fault === 'run twice') {
      const [, second] = await Promise.allSettled([act(), act()]);
      if (second.status === 'rejected') throw second.reason;
      return second.value;
    }
    if (fault === 'ended after its work' || fault === 'answer lost') await act().catch(() => undefined);
    throw Object.assign(new Error(fault), { name: errors[fault] });
  }

  async #table(service: string, parameters: Json): Promise<unknown> {
    const {
      Key: { secretName },
      ExpressionAttributeValues: { ':contained': contained } = {},
    } = parameters as {
      Key: { secretName: { S: string } };
      ExpressionAttributeValues?: { ':contained'?: { S: string } };
    };
    const key = `contained ${secretName.S}`;
    if (service === 'dynamodb:updateItem') this.#texts.set(key, contained?.S ?? '');
    const kept = this.#texts.get(key);
    return kept === undefined ? {} : { Item: { contained: { S: kept } } };
  }

  async #invoke(name: string, given: unknown): Promise<unknown> {
    const { plans, bus } = this;
    if (name === 'plan') {
      const { action, input } = given as { action: string; input: unknown };
      const parsed = planInputSchema.parse(input);
      if (action === 'announce') return await announcePlan(parsed, { plans, bus, origin: this.#origin });
      return await makePlan(parsed, {
        definitions: { listValid: async () => ({ definitions: this.#definitions, invalid: [] }) },
        sources: {
          environment,
          tagged: async () => [],
          readableBy: async () => [],
          readBy: async () => 'off' as const,
        },
        plans,
        bucket: 'plans',
      });
    }
    if (name === 'conclude') {
      return await conclude(given, { plans, outcomes: this.#outcomeStore, bus, origin: this.#origin });
    }
    if (name === 'report') {
      if (this.#silent.has((given as { secretName: string }).secretName)) {
        throw Object.assign(new Error('ended'), { name: 'Sandbox.Timedout' });
      }
      return await report(given, { bus, origin: this.#origin, outcomes: this.#outcomeStore });
    }
    const { secretName } = given as { secretName: string };
    const world = this.worlds.get(secretName);
    if (world === undefined) throw new Error(`no secret ${secretName}`);
    return await this.#atTarget(world, async () => {
      if (name === 'rotate') {
        this.calls.push(['rotate', secretName]);
        return await rotateStep(workflowInputSchema.parse(given), {
          ...world,
          store: world.seen,
          definitions: { find: async () => world.definition },
        });
      }
      const parsed = containmentInputSchema.parse(given);
      this.calls.push([parsed.action, secretName]);
      const act = parsed.action === 'contain' ? containLeaks : verifyLeaks;
      return await act(parsed, world.containment());
    });
  }

  async #atTarget<Result>(world: World, act: () => Promise<Result>): Promise<Result> {
    const host = String(world.definition.content?.fields.host);
    const active = (this.#active.get(host) ?? 0) + 1;
    this.#active.set(host, active);
    this.busiest = Math.max(this.busiest, active);
    try {
      await setImmediate();
      return await act();
    } finally {
      this.#active.set(host, (this.#active.get(host) ?? 0) - 1);
    }
  }

  /** Facts of a type: what is published again under the same id is one. */
  facts(detailType: string): Json[] {
    const found = this.bus.events.filter((event) => event.detailType === detailType);
    for (const { detail } of found) {
      expect(
        detailSchema(found[0]?.detailType ?? 'Revocation Concluded').safeParse(detail).error,
      ).toBeUndefined();
    }
    return [...new Map(found.map(({ detail }) => [detail.metadata.id, detail.data as Json])).values()];
  }
}

const outcomeTypes = [
  'Secret Revocation Succeeded',
  'Secret Revocation Unproven',
  'Secret Revocation Failed',
];

describe.each(['kill', 'replace'] as const)('%s of several secrets, while calls go wrong', (mode) => {
  const check = async (
    all: readonly Secret[],
    faults: readonly (readonly [number, Fault])[],
    first: number | undefined,
  ): Promise<void> => {
    const fleet = new Fleet(all, faults);
    const select: Selection =
      first === undefined ? { environment } : { secrets: [{ secret: nameOf(first % all.length) }] };
    const { path, input } = await fleet.revoke(select, mode);
    const plan = await readPlan(input, fleet.plans);
    const planned = plan?.secrets ?? [];
    if (first === undefined) expect(planned).toHaveLength(all.length);

    // It ends once, and its figures are those of its secrets.
    const [concluded, ...more] = fleet.facts('Revocation Concluded');
    expect(more).toEqual([]);
    const outcomes = outcomeTypes.flatMap((type) =>
      fleet.facts(type).map(({ secretName }): [string, string] => [String(secretName), type]),
    );
    const count = (type: string) => outcomes.filter(([, one]) => one === type).length;
    expect(outcomes.map(([name]) => name).toSorted()).toEqual(planned.map(({ name }) => name).toSorted());
    expect(concluded).toMatchObject({
      succeeded: count('Secret Revocation Succeeded'),
      unproven: count('Secret Revocation Unproven'),
      failed: count('Secret Revocation Failed'),
    });
    const whole = count('Secret Revocation Succeeded') === planned.length && plan?.tasks.length === 0;
    expect(concluded?.outcome).toBe(whole ? 'proven' : 'open');
    expect(path.at(-1)).toBe(whole ? 'Proven' : concluded?.failed === 0 ? 'Left to people' : 'Some failed');

    for (const [name, outcome] of outcomes) {
      const world = fleet.worlds.get(name) as World;
      const { dead, silent } = all[[...fleet.worlds.keys()].indexOf(name)] as Secret;
      // Asked for twice with the same token, it is the same rotation.
      expect(new Set(world.rotations).size).toBeLessThanOrEqual(1);
      if (dead || silent) expect(outcome).toBe('Secret Revocation Failed');
      // What one of them meets touches no other, and few faults are tried again until they are over.
      else if (faults.length <= 2) expect(outcome).toBe('Secret Revocation Succeeded');
      if (outcome !== 'Secret Revocation Succeeded') continue;
      expect(world.target.accepts({ username: 'app', password: 'leaked-password' })).toBe(false);
      expect(
        world.target.accepts(JSON.parse(world.store.peek(arnOf(name), stages.current)?.value ?? '{}')),
      ).toBe(true);
    }
    expect(fleet.busiest).toBeLessThanOrEqual(8 + faults.length);

    const begun = (what: string, name: string) =>
      fleet.calls.findIndex(([one, of]) => one === what && of === name);
    const rotations = planned.map(({ name }) => begun('rotate', name)).filter((index) => index !== -1);
    if (mode === 'kill' && faults.length === 0) {
      for (const { name } of planned) expect(begun('contain', name)).toBeLessThan(Math.min(...rotations));
    }
    if (mode === 'replace' && faults.length === 0) {
      const levels = planned.map(({ name, level }) => [level, begun('rotate', name)] as const);
      for (const [level, index] of levels) {
        for (const [other, later] of levels) if (level < other) expect(index).toBeLessThan(later);
      }
    }
  };

  test.each([0, 2, 40])('with up to %d faults, each secret has one outcome, which is true', async (most) => {
    await fc.assert(
      fc.asyncProperty(
        secrets,
        faultsOf(most),
        fc.option(fc.nat({ max: 35 }), { nil: undefined, freq: 1 }),
        check,
      ),
      { numRuns: propertyRuns(20) },
    );
  });
});
