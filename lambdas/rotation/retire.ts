import { createHash } from 'node:crypto';
import { SecretError } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import type { ApplyContext, RetireContext, RetireResult, Rotator } from '../../core/rotator.ts';
import { type SecretDescription, type SecretVersion, stages, versionWith } from '../../core/secret/secret.ts';
import { type CredentialSources, credentialsAtHand, isOfSamePlace } from './credentials.ts';
import { type FindingSources, withFindings } from './findings.ts';
import { subjectOf } from './records.ts';
import { credentialIn, parseCredential } from './secret-value.ts';

/** The dependencies of ending an overlap. */
export interface RetireDependencies<S extends object> extends FindingSources, CredentialSources<S> {
  readonly rotator: Rotator<S>;
}

/** The hours for which the credential before the current one goes on working. */
export interface Overlap {
  readonly overlapHours: number;
  /** Hours from disabling to removing it. */
  readonly graceHours: number;
}

/** An overlap that is over, as it was when it was first looked at. */
export interface EndedOverlap {
  readonly description: SecretDescription;
  readonly currentId: string;
  readonly act: RetireContext<object>['act'];
}

/** Result of the first look at an overlap: it is over, or stays for a reason. */
export type OverlapLook =
  | { readonly outcome: 'over'; readonly overlap: EndedOverlap }
  | { readonly outcome: 'stays'; readonly report: RetireReport };

/** Outcome of looking at an overlap, for the log. */
export type RetireReport =
  | RetireResult['done']
  | 'rotation under way'
  | 'labels moving'
  | 'no previous version'
  | 'overlap not over'
  | 'long over'
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
export async function lookAtOverlap(
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
 * ended, the one in use would be missing among them, and a target that is told what to keep would forget it.
 *
 * @throws SecretError, TargetError
 */
export async function endOverlap<S extends object>(
  { description, currentId, act }: EndedOverlap,
  dependencies: RetireDependencies<S>,
): Promise<RetireReport> {
  const { rotator, store, origin, strategy } = dependencies;
  const again = await store.describe(description.arn);
  const moved = Object.values(stages).some(
    (label) => versionWith(again, label) !== versionWith(description, label),
  );
  if (moved) return 'labels moving';
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

/**
 * Retires the credential labelled AWSPREVIOUS, unless it is the current one, and records what was done. A previous version that
 * holds no credential of this type cannot log in anywhere. Nothing is retired while the target does not accept the current one:
 * after somebody moved AWSCURRENT back, the previous one may be all that works.
 */
export async function retirePrevious<S extends object>(
  {
    rotator,
    strategy,
    store,
    records,
    origin,
  }: Pick<RetireDependencies<S>, 'rotator' | 'strategy' | 'store' | 'records' | 'origin'>,
  description: SecretDescription,
  {
    current,
    act,
    context,
  }: {
    readonly current: SecretVersion;
    readonly act: RetireContext<S>['act'];
    readonly context: ApplyContext<S>;
  },
): Promise<RetireResult['done'] | 'current not accepted'> {
  const versionId = versionWith(description, stages.previous);
  if (versionId === undefined || rotator.kind === 'replacing') return 'nothing';
  const previous = await store.read(description.arn, { versionId });
  const old = previous && credentialIn(rotator.schema, previous.value);
  if (old === undefined || previous?.value === current.value) return 'nothing';
  // Of another server than the current one: nothing here could end it, and its password must not be tried here.
  if (!isOfSamePlace(rotator, old, context.credentials.current)) return 'nothing';
  if (!(await isExpendable(rotator, old, context))) {
    context.finding({
      code: 'OverlapNotEnded',
      message: `the target refuses the current credential of ${description.name} and accepts the one before it, which therefore stays; rotate the secret`,
    });
    return 'current not accepted';
  }
  const subject = {
    ...subjectOf(description, versionId, { rotator, strategy }),
    currentVersionId: current.versionId,
    identity: rotator.identity(old),
  };
  const about = (what: string) => ({
    correlationId: current.versionId,
    fact: `${description.arn} ${versionId} ${what}`,
  });
  // The act first and the record behind it would leave nothing where the function ends between the two.
  const announce = () =>
    records.publish([createEvent(origin, 'Credential Retirement Started', { ...subject, act }, about(act))]);
  const { done, note } = await rotator.retire(old, { ...context, act, announce });
  if (done !== 'nothing') {
    await records.publish([
      createEvent(
        origin,
        'Credential Retired',
        { ...subject, done, ...(note !== undefined && { note }) },
        about(done),
      ),
    ]);
  }
  return done;
}

/** Tells whether `old` may go: the current credential is not refused, or `old` is refused already. */
async function isExpendable<S extends object>(
  rotator: Rotator<S>,
  old: S,
  context: ApplyContext<S>,
): Promise<boolean> {
  const current = await rotator.probe(context.credentials.current, context);
  if (current.outcome === 'unreachable') throw current.error;
  return current.outcome !== 'rejected' || (await rotator.probe(old, context)).outcome === 'rejected';
}

/** Tells whether a proposal failed for want of room that waiting would not bring. */
export const needsRoom = (error: unknown): boolean =>
  error instanceof SecretError && error.code === 'SlotsTaken';
