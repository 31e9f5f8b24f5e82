import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that things may take on a machine that is busy with others. */
const limitMs = 5 * 60_000;

/** Milliseconds between two looks, at first and at most. Whoever waits must not take the time of what it waits for. */
const [firstPauseMs, longestPauseMs] = [20, 500];

/**
 * Waits until `check` returns something. An error of `check` ends the wait.
 * @param timeoutMs - only where the time is a promise that is being checked
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  timeoutMs: number = limitMs,
): Promise<T> {
  const start = performance.now();
  for (;;) {
    const result = await check();
    if (result !== undefined && result !== false) {
      return result;
    }
    const waitedMs = performance.now() - start;
    if (waitedMs > timeoutMs) {
      throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    }
    // A tenth of what it has taken so far: what is late is noticed late by a tenth.
    await sleep(Math.min(longestPauseMs, Math.max(firstPauseMs, waitedMs / 10)));
  }
}
