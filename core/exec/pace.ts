/** Most restarts within {@link windowMs}. */
const restartBudget = 5;
/** The time in which restarts are counted. */
export const windowMs = 10 * 60_000;
/** Pause before the second restart of a window; each further one takes twice as long. */
const firstPauseMs = 1_000;

/**
 * Says when a process may be restarted. The first restart of ten minutes comes at once, later ones after a pause that doubles,
 * and the sixth when the first is ten minutes old. So a secret whose label moves to and fro cannot keep a process from working.
 * @param restarts - times of earlier restarts, ascending, in ms
 * @param now - in ms
 * @returns the time, in ms; in the past where nothing is to be waited for
 */
export function nextRestart(restarts: readonly number[], now: number): number {
  const recent = restarts.filter((at) => at > now - windowMs);
  const [first] = recent;
  const last = recent.at(-1);
  if (first === undefined || last === undefined) return now;
  const paused = last + firstPauseMs * 2 ** (recent.length - 1);
  return recent.length < restartBudget
    ? paused
    : Math.max(paused, (recent.at(-restartBudget) ?? first) + windowMs);
}

/** Looks that fail in a row make the next one later, up to this many times the interval. */
const longestFactor = 8;

/**
 * Gives the time until the next look at the secrets. It is the interval, within a tenth by chance: processes that began together
 * then ask apart.
 * @param chance - a number in [0, 1)
 * @param failures - looks that failed in a row
 */
export function untilNextLook(intervalMs: number, chance: number, failures: number): number {
  return intervalMs * Math.min(longestFactor, 2 ** failures) * (0.9 + 0.2 * chance);
}
