import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '../errors/codes.ts';
import { RekeyError } from '../errors/rekey-error.ts';
import type { WithWait } from './patience.ts';

/** The pace of one kind of work, for all that do it. */
export interface Pace {
  /** Starts in a second, in the long run. Greater than zero. */
  readonly ratePerSecond: number;
  /** Starts that may come at once after a pause. A whole number, at least 1. */
  readonly burst: number;
}

/**
 * A bucket of tokens that many workers share. Whoever takes one is given a start of their own, at once or later.
 *
 * It is the generic cell rate algorithm, which keeps one number: the time at which the bucket would be full. All that
 * share a bucket give the same pace.
 *
 * In any stretch of `t` seconds no more than `burst + ratePerSecond × t` of the starts that it gives lie. Each worker counts
 * by its own clock: where clocks are up to `e` seconds apart, `t` is `t + 2e` of it, and one jump ahead leaves up to `e` seconds unused.
 * Lambda keeps clocks within milliseconds, and AWS takes no request that is signed more than five minutes off.
 *
 * @see https://www.itu.int/rec/T-REC-I.371 (generic cell rate algorithm, virtual scheduling)
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
 */
export interface TokenBucket {
  /**
   * Reserves one start.
   * @param name - bucket, such as `rotate`
   * @returns the milliseconds to wait before the start, 0 or more; the start stays reserved whether or not it is used
   * @throws RekeyError `Throttled` | `Unreachable` | `AccessDenied` …, as the table answers, after which nothing is sure
   * to be reserved
   */
  take(name: string, pace: Pace, now: Date): Promise<number>;
}

/**
 * The one number of each bucket, in microseconds since 1970, and the two ways to move it. A table can compare and add
 * where it keeps a number, but it cannot take the greater of two: a bucket that is full is another case than one that is not.
 */
export interface PaceTable {
  /** Adds to a number that is later than `than`. Returns the new number, or nothing where it is not later. */
  addIfLater(name: string, addUs: number, than: number): Promise<number | undefined>;
  /** Sets a number that is missing, or not later than `than`. Returns false where it is later. */
  setUnlessLater(name: string, toUs: number, than: number): Promise<boolean>;
}

const usPerMs = 1_000;
const usPerSecond = 1_000_000;

/** Microseconds between two starts; rounded up, so that the rate is never exceeded. */
export const intervalUs = ({ ratePerSecond }: Pick<Pace, 'ratePerSecond'>): number =>
  Math.ceil(usPerSecond / ratePerSecond);

/**
 * Computes the start that a bucket gives.
 * @param fullAtUs - the time at which the bucket would be full, with this start taken from it
 * @returns the time of the start, in microseconds since 1970
 */
export function startUs(fullAtUs: number, pace: Pace, nowUs: number): number {
  return Math.max(nowUs, fullAtUs - pace.burst * intervalUs(pace));
}

/** Pauses between tries; each is shortened by chance. Two tries in a row fail only where others took the bucket in between. */
const pausesMs = [0, 0, 5, 10, 20, 40, 80, 160];

/** The bucket whose number a table keeps. */
export class SharedBucket implements TokenBucket {
  readonly #table: PaceTable;
  readonly #wait: (ms: number) => Promise<unknown>;

  constructor(table: PaceTable, { wait = sleep }: WithWait = {}) {
    this.#table = table;
    this.#wait = wait;
  }

  async take(name: string, pace: Pace, now: Date): Promise<number> {
    const nowUs = now.getTime() * usPerMs;
    const interval = intervalUs(pace);
    for (const ms of pausesMs) {
      if (ms > 0) await this.#wait(ms * (0.5 + Math.random() / 2));
      const fullAt = await this.#table.addIfLater(name, interval, nowUs);
      if (fullAt !== undefined) return Math.ceil((startUs(fullAt, pace, nowUs) - nowUs) / usPerMs);
      if (await this.#table.setUnlessLater(name, nowUs + interval, nowUs)) return 0;
    }
    throw new RekeyError(
      'ResourceBusy',
      `the bucket ${name} was taken by others ${pausesMs.length} times in a row; it is tried again`,
    );
  }
}

/** A turn that may have been given without a bucket. */
export interface Turn {
  /** Milliseconds to wait before the start. */
  readonly waitMs: number;
  /** The reason why it was given without one. */
  readonly without?: ErrorCode;
}

/** Longest time that an emergency waits for the answer of a bucket. */
const patienceMs = 3_000;

/**
 * Takes a start for an emergency, which no bucket may stop. Where the bucket fails or is silent, the start is at once, and the turn
 * says why.
 * @param limitMs - longest wait for the bucket's answer. @default 3 seconds
 */
export async function takeOrGo(take: () => Promise<number>, limitMs: number = patienceMs): Promise<Turn> {
  const silent = new AbortController();
  try {
    const waitMs = await Promise.race([
      take(),
      sleep(limitMs, undefined, { signal: silent.signal }).catch(() => undefined),
    ]);
    return waitMs === undefined ? { waitMs: 0, without: 'Unreachable' } : { waitMs };
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return { waitMs: 0, without: error.code };
  } finally {
    silent.abort();
  }
}
