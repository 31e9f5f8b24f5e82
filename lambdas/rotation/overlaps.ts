import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { WithWait } from '../../core/pace/patience.ts';
import {
  type EndedOverlap,
  endOverlap,
  lookAtOverlap,
  type Overlap,
  type RetireDependencies,
  type RetireReport,
} from './retire.ts';

/** The dependencies of {@link endOverlaps}. */
export interface OverlapsDependencies<S extends object> extends RetireDependencies<S>, WithWait {
  /** Milliseconds left before the function is ended. */
  readonly remainingMs: () => number;
}

/** Outcome of one secret. */
export type OverlapOutcome = { readonly secret: string } & (
  | { readonly outcome: 'looked'; readonly report: RetireReport | 'left for the next hour' }
  | { readonly outcome: 'failed'; readonly failure: unknown }
);

const hourMs = 3_600_000;
/** Pause between the two looks at the labels. */
const secondLookMs = 3_000;

/**
 * Ends the overlaps of `dual-credential` secrets whose time has come. Called every hour; nothing is remembered between calls.
 *
 * The first look at all secrets comes before the second at any. What fails for one secret does not keep the others. No
 * secret is begun once half of the time is gone: those that are left have their turn in one of the next hours, since each hour
 * begins with another one.
 */
export async function endOverlaps<S extends object>(
  secrets: readonly string[],
  overlap: Overlap,
  dependencies: OverlapsDependencies<S>,
): Promise<OverlapOutcome[]> {
  const { origin, remainingMs, wait = sleep } = dependencies;
  const enough = remainingMs() / 2;
  const outcomes: OverlapOutcome[] = [];
  const attempt = async (secret: string, act: () => Promise<RetireReport | undefined>) => {
    if (remainingMs() < enough) {
      outcomes.push({ secret, outcome: 'looked', report: 'left for the next hour' });
      return;
    }
    try {
      const report = await act();
      if (report !== undefined) outcomes.push({ secret, outcome: 'looked', report });
    } catch (failure) {
      outcomes.push({ secret, outcome: 'failed', failure });
    }
  };
  const ended: { readonly secret: string; readonly overlap: EndedOverlap }[] = [];
  await inTurns(inOrderOf(origin.clock.now(), secrets), (secret) =>
    attempt(secret, async () => {
      const look = await lookAtOverlap(secret, overlap, dependencies);
      if (look.outcome === 'stays') return look.report;
      ended.push({ secret, overlap: look.overlap });
      return undefined;
    }),
  );
  if (ended.length > 0) {
    await wait(secondLookMs);
    await inTurns(ended, (found) => attempt(found.secret, () => endOverlap(found.overlap, dependencies)));
  }
  return outcomes;
}

/** Counts the outcomes, for the log. */
export function summarizeOverlaps(outcomes: readonly OverlapOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const what = outcome.outcome === 'looked' ? outcome.report : 'failed';
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** Secrets that an error names; the log has all. */
const mostNamed = 10;

/**
 * Makes one error of all failures. Lambda then tries all again, which does nothing twice.
 * @returns undefined when nothing failed
 */
export function failureOf(outcomes: readonly OverlapOutcome[]): RekeyError | undefined {
  const failed = outcomes.flatMap((outcome) =>
    outcome.outcome === 'failed' ? [{ secret: outcome.secret, error: summarizeError(outcome.failure) }] : [],
  );
  if (failed.length === 0) return undefined;
  const named = failed.slice(0, mostNamed).map(({ secret, error }) => `${secret} (${error.code})`);
  const more = failed.length > mostNamed ? ` and ${failed.length - mostNamed} more` : '';
  return new RekeyError(
    failed.some(({ error }) => error.retryable) ? 'OverlapsDelayed' : 'OverlapsNotEnded',
    `overlaps of ${failed.length} of ${outcomes.length} secrets could not be looked at or ended: ${named.join(', ')}${more}; the log says why, and each is tried again every hour`,
  );
}

/** Steps by this part of a circle, the golden ratio, come near every place soon. */
const stepOfCircle = (Math.sqrt(5) - 1) / 2;

/** Begins elsewhere in every hour, so that each secret has its turn, also behind some that take long. */
function inOrderOf(now: Date, secrets: readonly string[]): string[] {
  const hour = Math.floor(now.getTime() / hourMs);
  const first = Math.floor(((hour * stepOfCircle) % 1) * secrets.length);
  return [...secrets.slice(first), ...secrets.slice(0, first)];
}
