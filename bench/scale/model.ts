import {
  atOnce,
  callsOf,
  doneWithout,
  type Operation,
  type QuotaName,
  quotas,
  rotationPace,
  secondsFor,
} from '../../core/pace/quotas.ts';
import { secretGraph } from '../../core/revocation/graph.ts';
import {
  type PlanPhase,
  type PlanStep,
  planRevocation,
  type RevocationPlan,
  usualLanesAtOnce,
} from '../../core/revocation/plan.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';

/** The steps of a plan; its duration depends on nothing else. */
export type Plan = Pick<RevocationPlan, 'steps'>;

/** The operations that each phase makes of a secret, one after the other. */
export const operationsOf: Readonly<Record<PlanPhase, readonly Operation[]>> = {
  contain: ['contain'],
  // As if nothing had been cut off the first time.
  'contain again': ['contain'],
  replace: ['rotate', 'verify', 'sweep'],
};

/** Work of one operation, assumed and not measured on AWS. */
export interface Effort {
  readonly seconds: number;
  /** Functions that run at once; the step that rotates waits while the rotation function works. */
  readonly functions: number;
  /** Transitions of the workflow, waits and choices among them. */
  readonly transitions: number;
}

export const effortOf: Readonly<Record<Operation, Effort>> = {
  contain: { seconds: 2, functions: 1, transitions: 4 },
  // Among them the looks at what was cut off before, and a wait for the turn.
  rotate: { seconds: 8, functions: 2, transitions: 10 },
  verify: { seconds: 2, functions: 1, transitions: 2 },
  sweep: { seconds: 2, functions: 1, transitions: 2 },
};

/** The room that an account gives. */
export interface Room {
  /** Functions that run at once. */
  readonly functions: number;
  /** Lanes that run at once, as the distributed Map is told. */
  readonly lanes: number;
}

export const usualRoom: Room = { functions: atOnce.functions.usual, lanes: usualLanesAtOnce };

/** Names of what may bind: a quota, or one of these. */
export type Bound = QuotaName | 'pace' | 'functions' | 'lanesAtOnce' | 'longestLane';

/** How long a step takes, and what holds it up most. */
export interface Estimate {
  readonly seconds: number;
  readonly by: Bound;
  /** Seconds that each bound alone would take. */
  readonly bounds: ReadonlyMap<Bound, number>;
}

/** Calls that count towards each quota, for one secret in a phase. */
function callsIn(phase: PlanPhase): ReadonlyMap<QuotaName, number> {
  const sums = new Map<QuotaName, number>();
  const add = (name: QuotaName, by: number) => sums.set(name, (sums.get(name) ?? 0) + by);
  for (const operation of operationsOf[phase]) {
    for (const [name, calls] of Object.entries(callsOf[operation])) {
      if (!doneWithout.has(name as QuotaName)) add(name as QuotaName, calls);
    }
    add('transitions', effortOf[operation].transitions);
  }
  return sums;
}

/** Calls that a quota lets through at once. */
export const burstOf = (name: QuotaName): number => {
  const quota: { readonly perSecond: number; readonly burst?: number } = quotas[name];
  return quota.burst ?? quota.perSecond;
};

/**
 * Estimates a step in closed form: each bound alone, of which the longest counts. A quota, the pace and the functions let the
 * last secret begin after so long, and it then takes its own time.
 */
export function estimateStep({ phase, lanes }: PlanStep, room: Room = usualRoom): Estimate {
  const secrets = lanes.reduce((sum, { secrets: those }) => sum + those.length, 0);
  const longest = Math.max(0, ...lanes.map(({ secrets: those }) => those.length));
  const operations = operationsOf[phase];
  const seconds = operations.reduce((sum, name) => sum + effortOf[name].seconds, 0);
  const functionSeconds = operations.reduce(
    (sum, name) => sum + effortOf[name].seconds * effortOf[name].functions,
    0,
  );
  const last = secrets === 0 ? 0 : seconds;
  const bounds = new Map<Bound, number>([['longestLane', longest * seconds]]);
  const limit = (name: QuotaName, calls: number) =>
    bounds.set(name, Math.max(0, calls - burstOf(name)) / quotas[name].perSecond + last);
  for (const [name, calls] of callsIn(phase)) limit(name, calls * secrets);
  limit('executionStarts', lanes.length);
  if (operations.includes('rotate')) bounds.set('pace', secondsFor(secrets, rotationPace) + last);
  bounds.set('functions', Math.max(last, (secrets * functionSeconds) / room.functions));
  bounds.set('lanesAtOnce', (secrets * seconds) / Math.min(room.lanes, Math.max(1, lanes.length)));
  const [by, most] = [...bounds].reduce((worst, one) => (one[1] > worst[1] ? one : worst));
  return { seconds: most, by, bounds };
}

/** Estimates a whole plan: its steps follow one another. */
export const estimatePlan = ({ steps }: Plan, room: Room = usualRoom): number =>
  steps.reduce((sum, step) => sum + estimateStep(step, room).seconds, 0);

/** Plans a revocation of so many secrets that lead to nothing, with the same number on each target. */
export function evenPlan(secrets: number, perTarget: number): RevocationPlan {
  const definitions = Array.from({ length: secrets }, (_, index): SecretDefinition => {
    const name = `secret-${index}`;
    return {
      name,
      arn: name,
      type: 'postgresql',
      strategy: 'single-user',
      owner: 'team',
      consumers: [],
      schedule: 'rate(30 days)',
      rotationFunction: 'rotation',
      containmentFunction: 'containment',
      content: { fields: { host: `target-${Math.floor(index / perTarget)}` } },
    };
  });
  return planRevocation(secretGraph(definitions), {
    mode: 'kill',
    chain: false,
    selected: definitions.map(({ name }) => ({ name, because: 'everything' })),
  });
}
