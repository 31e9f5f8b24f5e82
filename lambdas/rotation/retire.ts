import { SecretError } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import type { ApplyContext, RetireContext, RetireResult, Rotator } from '../../core/rotator.ts';
import { type SecretDescription, type SecretVersion, stages, versionWith } from '../../core/secret/secret.ts';
import { type CredentialSources, isOfSamePlace } from './credentials.ts';
import type { FindingSources } from './findings.ts';
import { subjectOf } from './records.ts';
import { credentialIn } from './secret-value.ts';

/** The dependencies of ending an overlap. */
export interface RetireDependencies<S extends object> extends FindingSources, CredentialSources<S> {
  readonly rotator: Rotator<S>;
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
