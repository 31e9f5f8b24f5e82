/** What became of one mutant, as Stryker says. */
export interface Mutant {
  readonly status: string;
  readonly statusReason?: string | undefined;
}

/** How many mutants of a module ended in which way. */
export interface Score {
  readonly killed: number;
  readonly timedOut: number;
  readonly survived: number;
  readonly uncovered: number;
  /** Killed and timed out, in percent of all. */
  readonly percent: number;
}

/** How Stryker says that it left a mutant out for its configuration, and not for a comment. */
const leftOut =
  /^(?:Ignored because of excluded mutation "|Static mutant \(and "ignoreStatic" was enabled\)$)/;

/**
 * Counts mutants. One that a comment in the code disables counts as survived; what the configuration leaves out (kinds of
 * mutants, and those that only the load of a module reaches) does not count, nor does what no longer compiles.
 */
export function scoreOf(mutants: readonly Mutant[]): Score {
  const count = (...statuses: readonly string[]) =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  const disabled = mutants.filter(
    ({ status, statusReason = '' }) => status === 'Ignored' && !leftOut.test(statusReason),
  ).length;
  const killed = count('Killed');
  const timedOut = count('Timeout');
  const survived = count('Survived') + disabled;
  const uncovered = count('NoCoverage');
  const all = killed + timedOut + survived + uncovered;
  return {
    killed,
    timedOut,
    survived,
    uncovered,
    percent: all === 0 ? 100 : Math.round((1_000 * (killed + timedOut)) / all) / 10,
  };
}
