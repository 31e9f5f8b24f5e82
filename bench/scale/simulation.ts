import {
  callsOf,
  doneWithout,
  type Operation,
  type QuotaName,
  quotas,
  rotationPace,
} from '../../core/pace/quotas.ts';
import { intervalUs, type Pace, startUs } from '../../core/pace/token-bucket.ts';
import type { PlanLane, PlanPhase, PlanStep } from '../../core/revocation/plan.ts';
import { MinimumQueue } from './heap.ts';
import { type Bound, burstOf, effortOf, operationsOf, type Plan, type Room, usualRoom } from './model.ts';

/** What a simulated plan took. */
export interface Run {
  readonly seconds: number;
  readonly steps: readonly SimulatedStep[];
}

export interface SimulatedStep {
  readonly phase: PlanPhase;
  readonly seconds: number;
  /** Seconds that operations waited in all, by what they waited for. */
  readonly waits: ReadonlyMap<Bound, number>;
}

const us = 1_000_000;

/** A quota or a pace as what it is called for meets it: calls beyond it wait, in the order in which they came. */
class Bucket {
  readonly #interval: number;
  readonly #pace: Pace;
  #fullAt = 0;

  constructor(ratePerSecond: number, burst: number) {
    this.#pace = { ratePerSecond, burst };
    this.#interval = intervalUs(this.#pace);
  }

  /** Takes a number of calls, and returns when the last of them may be made, in microseconds. */
  take(calls: number, now: number): number {
    this.#fullAt = Math.max(this.#fullAt, now) + calls * this.#interval;
    return startUs(this.#fullAt, this.#pace, now);
  }
}

/** The functions of an account: each free from a time on. */
class Functions {
  readonly #free = new MinimumQueue<undefined>();

  constructor(most: number) {
    for (let place = 0; place < most; place += 1) this.#free.push(0, undefined);
  }

  /** Takes so many for a time, and returns when all are free. Where there are fewer, all of them do. */
  take(count: number, notBefore: number, lasting: number): number {
    const taken = Math.min(count, this.#free.size);
    let start = notBefore;
    for (let place = 0; place < taken; place += 1) start = Math.max(start, this.#free.pop()?.at ?? 0);
    for (let place = 0; place < taken; place += 1) this.#free.push(start + lasting, undefined);
    return start;
  }
}

interface Limit {
  readonly by: Bound;
  readonly count: number;
  readonly bucket: Bucket;
}

/** The limits that all steps of a run share. */
class Account {
  readonly functions: Functions;
  readonly pace = new Bucket(rotationPace.ratePerSecond, rotationPace.burst);
  readonly #quotas = new Map<QuotaName, Bucket>();

  constructor(room: Room) {
    this.functions = new Functions(room.functions);
  }

  quota(name: QuotaName): Bucket {
    const known = this.#quotas.get(name) ?? new Bucket(quotas[name].perSecond, burstOf(name));
    this.#quotas.set(name, known);
    return known;
  }

  /** Lists what one operation is held up by, with the number of calls that count towards it. */
  limitsOf(operation: Operation): readonly Limit[] {
    const calls = { ...callsOf[operation], transitions: effortOf[operation].transitions };
    const limits = (Object.entries(calls) as [QuotaName, number][])
      .filter(([name]) => !doneWithout.has(name))
      .map(([by, count]): Limit => ({ by, count, bucket: this.quota(by) }));
    return operation === 'rotate' ? [...limits, { by: 'pace', count: 1, bucket: this.pace }] : limits;
  }
}

/**
 * Runs a plan by the clock, without waiting for it: lanes side by side as far as there is room, secrets of a lane one after
 * the other, and each operation when quotas, the pace and a free function let it begin.
 */
export function simulate({ steps }: Plan, room: Room = usualRoom): Run {
  const account = new Account(room);
  let now = 0;
  const done = steps.map((step): SimulatedStep => {
    const begun = now;
    const waits = new Map<Bound, number>();
    now = runStep(step, begun, account, room, waits);
    return { phase: step.phase, seconds: (now - begun) / us, waits };
  });
  return { seconds: now / us, steps: done };
}

interface Progress {
  readonly lane: PlanLane;
  /** Operations that are done, of all secrets of the lane together. */
  done: number;
}

function runStep(
  { phase, lanes }: PlanStep,
  begun: number,
  account: Account,
  room: Room,
  waits: Map<Bound, number>,
): number {
  const operations = operationsOf[phase].map((name) => ({
    lasting: effortOf[name].seconds * us,
    functions: effortOf[name].functions,
    limits: account.limitsOf(name),
  }));
  const waited = (by: Bound, from: number, until: number) => {
    if (until > from) waits.set(by, (waits.get(by) ?? 0) + (until - from) / us);
    return until;
  };
  const running = new MinimumQueue<Progress>();
  const waiting = lanes.filter(({ secrets }) => secrets.length > 0).values();
  const open = (at: number) => {
    const { value: lane, done } = waiting.next();
    if (done === true) return;
    const start = waited('executionStarts', at, account.quota('executionStarts').take(1, at));
    running.push(start, { lane, done: 0 });
  };
  for (let lane = 0; lane < room.lanes; lane += 1) open(begun);
  let ended = begun;
  for (let next = running.pop(); next !== undefined; next = running.pop()) {
    const { at, value: progress } = next;
    if (progress.done === progress.lane.secrets.length * operations.length) {
      ended = Math.max(ended, at);
      open(at);
      continue;
    }
    const operation = operations[progress.done % operations.length];
    if (operation === undefined) break;
    let start = at;
    for (const { by, count, bucket } of operation.limits) {
      start = Math.max(start, waited(by, at, bucket.take(count, at)));
    }
    const free = waited(
      'functions',
      start,
      account.functions.take(operation.functions, start, operation.lasting),
    );
    progress.done += 1;
    running.push(free + operation.lasting, progress);
  }
  return ended;
}
