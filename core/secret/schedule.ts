import { gapsOf } from './cron.ts';

/** Reads the time between two runs of a `rate(…)` expression in hours; `undefined` for anything else. */
export function rateHours(schedule: string): number | undefined {
  const match = /^rate\((\d+) (hours?|days?)\)$/.exec(schedule);
  return match === null ? undefined : Number(match[1]) * (match[2]?.startsWith('hour') ? 1 : 24);
}

/**
 * Measures the longest time between two runs of a schedule of Secrets Manager, in hours. A schedule that never runs leaves an
 * infinite time.
 * @throws CronProblem for a schedule that Secrets Manager does not take
 */
export function longestGapHours(schedule: string): number {
  const rate = rateHours(schedule);
  if (rate !== undefined) return rate;
  return gapsOf(schedule)?.longest ?? Number.POSITIVE_INFINITY;
}
