import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import {
  intervalUs,
  type Pace,
  type PaceTable,
  SharedBucket,
  takeOrGo,
} from '../../../core/pace/token-bucket.ts';
import { propertyRuns } from '../../property-runs.ts';

const runs = { numRuns: propertyRuns(200) };
const paces = fc.record({
  ratePerSecond: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0.1, max: 50, noNaN: true })),
  burst: fc.integer({ min: 1, max: 30 }),
});

/** A table in memory whose every call waits until the test lets it through, so that calls of many interleave as the test says. */
class GatedTable implements PaceTable {
  fullAt: number | undefined;
  calls = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #pick: () => number;

  constructor(pick: () => number) {
    this.#pick = pick;
  }

  async addIfLater(_name: string, addUs: number, than: number): Promise<number | undefined> {
    await this.#gate();
    if (this.fullAt === undefined || this.fullAt <= than) return undefined;
    this.fullAt += addUs;
    return this.fullAt;
  }

  async setUnlessLater(_name: string, toUs: number, than: number): Promise<boolean> {
    await this.#gate();
    if (this.fullAt !== undefined && this.fullAt > than) return false;
    this.fullAt = toUs;
    return true;
  }

  async #gate(): Promise<void> {
    this.calls += 1;
    await new Promise<void>((open) => this.#waiting.push(open));
  }

  /** Lets one call after the other through, each chosen among those that wait. */
  async drain<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    while (!done) {
      const [open] = this.#waiting.splice(this.#pick() % Math.max(1, this.#waiting.length), 1);
      open?.();
      await new Promise((turn) => setImmediate(turn));
    }
    return await ended;
  }
}

/** Takers at their times in milliseconds, with clocks that are off by so much; returns when each really starts. */
async function starts(
  takers: readonly { readonly atMs: number; readonly skewMs: number }[],
  pace: Pace,
  order: readonly number[],
): Promise<number[]> {
  let turn = 0;
  const table = new GatedTable(() => order[turn++ % order.length] ?? 0);
  const bucket = new SharedBucket(table, { wait: async () => undefined });
  const waits = takers.map(({ atMs, skewMs }) => bucket.take('rotate', pace, new Date(atMs + skewMs)));
  const given = await table.drain(Promise.all(waits));
  return given.map((waitMs, index) => (takers[index]?.atMs ?? 0) + waitMs);
}

/** The most starts beyond `burst + rate × t` in any stretch that begins and ends with a start; never above zero. */
function excess(at: readonly number[], { ratePerSecond, burst }: Pace, slackMs: number): number {
  const sorted = at.toSorted((a, b) => a - b);
  let worst = Number.NEGATIVE_INFINITY;
  for (const [first, from] of sorted.entries()) {
    for (const [last, to] of sorted.entries()) {
      if (last < first) continue;
      const allowed = burst + (ratePerSecond * (to - from + slackMs)) / 1_000;
      worst = Math.max(worst, last - first + 1 - allowed);
    }
  }
  return worst;
}

// A wait is a whole number of milliseconds, rounded up: a start may lie one later.
const roundingMs = 1;
const orders = fc.array(fc.nat(50), { minLength: 1, maxLength: 60 });

describe('a bucket that many share', () => {
  test('never gives more than burst + rate × t starts in any stretch t, in whatever order calls arrive', async () => {
    const takers = fc.array(fc.record({ atMs: fc.nat(5_000), skewMs: fc.constant(0) }), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(takers, paces, orders, async (those, pace, order) => {
        expect(excess(await starts(those, pace, order), pace, roundingMs)).toBeLessThanOrEqual(1e-6);
      }),
      runs,
    );
  });

  test('gives more by no more than what clocks are apart', async () => {
    const apartMs = 400;
    const takers = fc.array(
      fc.record({ atMs: fc.nat(3_000), skewMs: fc.integer({ min: -apartMs / 2, max: apartMs / 2 }) }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(takers, paces, orders, async (those, pace, order) => {
        const slackMs = 2 * apartMs + roundingMs;
        expect(excess(await starts(those, pace, order), pace, slackMs)).toBeLessThanOrEqual(1e-6);
      }),
      runs,
    );
  });

  test('loses no start: of those that come at once, each has the next one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), paces, orders, async (count, pace, order) => {
        const takers = Array.from({ length: count }, () => ({ atMs: 1_000, skewMs: 0 }));
        const given = (await starts(takers, pace, order)).toSorted((a, b) => a - b);
        const expected = Array.from({ length: count }, (_, index) => {
          const behind = Math.max(0, index + 1 - pace.burst);
          return 1_000 + Math.ceil((behind * intervalUs(pace)) / 1_000);
        });
        expect(given).toEqual(expected);
      }),
      runs,
    );
  });

  test('lets nobody wait who could start: a wait ends where the stretch before it is full', async () => {
    const gaps = fc.array(fc.nat(400), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(gaps, paces, async (between, pace) => {
        const given: number[] = [];
        let atMs = 0;
        const table = new GatedTable(() => 0);
        const bucket = new SharedBucket(table);
        for (const gap of between) {
          atMs += gap;
          const waitMs = await table.drain(bucket.take('rotate', pace, new Date(atMs)));
          if (waitMs > roundingMs) {
            const start = atMs + waitMs;
            const stretchMs = (pace.burst * intervalUs(pace)) / 1_000;
            // As many as the bucket holds lie in the stretch in which it fills, so an earlier start would be one too many.
            const within = given.filter((one) => one > start - stretchMs - 2 * roundingMs).length;
            expect(within).toBeGreaterThanOrEqual(pace.burst);
          }
          given.push(atMs + waitMs);
        }
      }),
      runs,
    );
  });

  test('asks three times at most where nothing but its own kind comes between', async () => {
    const table = new GatedTable(() => 0);
    const bucket = new SharedBucket(table);
    const pace = { ratePerSecond: 10, burst: 1 };
    const takes = Array.from({ length: 20 }, () => bucket.take('rotate', pace, new Date(0)));
    await table.drain(Promise.all(takes));
    // Twenty find no number and set one; nineteen of these find another's, and add to it.
    expect(table.calls).toBe(20 + 20 + 19);
  });

  test('gives up, and says so, where the table says no again and again', async () => {
    const paused: number[] = [];
    const never: PaceTable = { addIfLater: async () => undefined, setUnlessLater: async () => false };
    const bucket = new SharedBucket(never, { wait: async (ms) => void paused.push(ms) });
    const taken = bucket.take('rotate', { ratePerSecond: 1, burst: 1 }, new Date(0));
    await expect(taken).rejects.toMatchObject({ code: 'ResourceBusy' });
    expect(paused).toHaveLength(6);
    for (const [index, ms] of paused.entries()) {
      expect(ms).toBeGreaterThanOrEqual(5 * 2 ** index * 0.5);
      expect(ms).toBeLessThanOrEqual(5 * 2 ** index);
    }
  });
});

describe('an emergency', () => {
  test('waits for its turn', async () => {
    expect(await takeOrGo(async () => 250)).toEqual({ waitMs: 250 });
  });

  test('goes on where the bucket fails, and says why', async () => {
    const denied = async () => {
      throw new RekeyError('AccessDenied', 'no');
    };
    expect(await takeOrGo(denied)).toEqual({ waitMs: 0, without: 'AccessDenied' });
  });

  test('goes on where the bucket is silent, though it fails later', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<number>((_, reject) => {
      fail = reject;
    });
    expect(await takeOrGo(() => late, 10)).toEqual({ waitMs: 0, without: 'Unreachable' });
    fail(new RekeyError('Throttled', 'late'));
    await new Promise((turn) => setImmediate(turn));
  });

  test('does not hide a mistake', async () => {
    const wrong = async () => {
      throw new TypeError('wrong');
    };
    await expect(takeOrGo(wrong)).rejects.toThrow('wrong');
  });
});
