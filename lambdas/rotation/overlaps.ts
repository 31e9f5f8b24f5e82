import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { WithWait } from '../../core/pace/patience.ts';
import type { RetireContext, RetireResult } from '../../core/rotator.ts';
import { laggingReplicas, type SecretDescription, stages, versionWith } from '../../core/secret/secret.ts';
import { credentialsAtHand } from './credentials.ts';
import { withFindings } from './findings.ts';
import { type RetireDependencies, retirePrevious } from './retire.ts';
import { parseCredential } from './secret-value.ts';

/** The hours for which the credential before the current one goes on working. */
export interface Overlap {
  readonly overlapHours: number;
  /** Hours from disabling to removing it. */
  readonly graceHours: number;
}

/** An overlap that is over, as it was when it was first looked at. */
interface EndedOverlap {
  readonly description: SecretDescription;
  readonly currentId: string;
  readonly act: RetireContext<object>['act'];
}

/** Result of the first look at an overlap: it is over, or stays for a reason. */
type OverlapLook =
  | { readonly outcome: 'over'; readonly overlap: EndedOverlap }
  | { readonly outcome: 'stays'; readonly report: RetireReport };

/** Outcome of looking at an overlap, for the log. */
type RetireReport =
  | RetireResult['done']
  | 'rotation under way'
  | 'labels moving'
  | 'no previous version'
  | 'overlap not over'
  | 'long over'
  | 'replica behind'
  | 'current not accepted';

const hourMs = 3_600_000;
/**
 * Hours after the grace period in which a removal is tried each hour. After that it is tried once a day, in case somebody enabled
 * it.
 */
const persistenceHours = 48;

/** Picks the hour of the day, in UTC, at which a secret's overlap that is long over is looked at. The hours differ by secret. */
export const dailyHour = (secretArn: string): number =>
  createHash('sha256').update(secretArn).digest().readUInt32BE() % 24;

const stays = (report: RetireReport): OverlapLook => ({ outcome: 'stays', report });

/**
 * Looks at the labels and dates of a `dual-credential` secret, and at no value.
 * @returns the overlap if it is over, otherwise what stands in the way
 * @throws SecretError
 */
async function lookAtOverlap(
  secretId: string,
  { overlapHours, graceHours }: Overlap,
  { store, origin }: Pick<RetireDependencies<object>, 'store' | 'origin'>,
): Promise<OverlapLook> {
  const description = await store.describe(secretId);
  const currentId = versionWith(description, stages.current);
  const pendingId = versionWith(description, stages.pending);
  if (pendingId !== undefined && pendingId !== currentId) return stays('rotation under way');
  if (versionWith(description, stages.previous) === undefined || currentId === undefined) {
    return stays('no previous version');
  }
  const now = origin.clock.now();
  const hoursSince = (date: Date) => (now.getTime() - date.getTime()) / hourMs;
  const { lastRotated } = description;
  if (lastRotated !== undefined && hoursSince(lastRotated) < overlapHours) return stays('overlap not over');
  const versions = await store.listVersions(description.arn);
  const created = versions.find(({ versionId }) => versionId === currentId)?.created;
  if (created === undefined) return stays('no previous version');
  // The version is made when its rotation begins; it may have become current much later.
  const hours = Math.min(hoursSince(created), hoursSince(lastRotated ?? created));
  if (hours < overlapHours) return stays('overlap not over');
  if (
    hours > overlapHours + graceHours + persistenceHours &&
    now.getUTCHours() !== dailyHour(description.arn)
  ) {
    return stays('long over');
  }
  const act = hours < overlapHours + graceHours ? 'disable' : 'remove';
  return { outcome: 'over', overlap: { description, currentId, act } };
}

/**
 * Ends an overlap that is over: disables the credential before the current one, or removes it after the grace period.
 *
 * Labels are looked at a second time, some seconds after the first, because they may be old. After a rotation that has just
 * ended, the one in use would be missing among them, and a target that is told what to keep would forget it. A replica that is not in
 * step with its primary secret holds the end back.
 *
 * @throws SecretError, TargetError
 */
async function endOverlap<S extends object>(
  { description, currentId, act }: EndedOverlap,
  dependencies: RetireDependencies<S>,
): Promise<RetireReport> {
  const { rotator, store, origin, strategy } = dependencies;
  const again = await store.describe(description.arn);
  const moved = Object.values(stages).some(
    (label) => versionWith(again, label) !== versionWith(description, label),
  );
  if (moved) return 'labels moving';
  const behind = laggingReplicas(again);
  if (behind.length > 0) {
    await withFindings(dependencies, { secretArn: description.arn, versionId: currentId }, async (target) => {
      for (const { region, status } of behind) {
        target.finding({
          code: 'ReplicaOutdated',
          message: `the replica of ${description.name} in ${region} is ${status}: whoever reads it there may have the credential before the current one, which therefore stays; mend the replication`,
        });
      }
    });
    return 'replica behind';
  }
  const current = await store.read(description.arn, { versionId: currentId });
  if (current === undefined) return 'no previous version';
  const credential = parseCredential(rotator.schema, current.value, description.name);
  return await withFindings(dependencies, { secretArn: description.arn, versionId: currentId }, (target) =>
    retirePrevious(dependencies, description, {
      current,
      act,
      context: {
        ...target,
        strategy,
        random: origin.random,
        credentials: credentialsAtHand(dependencies, description, credential),
      },
    }),
  );
}

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
