import { RekeyError, SecretError, summarizeError } from '../../core/errors/rekey-error.ts';
import { memberTexts } from '../../core/secret/json-text.ts';
import { type SecretDescription, type SecretVersion, stages, versionWith } from '../../core/secret/secret.ts';
import { contentOf, type DefinitionDependencies } from './apply-definition.ts';
import { apart } from './content.ts';
import { credentialIn, isFirstValue, parseSecretJson } from './secret-value.ts';
import type { VersionCache } from './version-cache.ts';

/** The dependencies of trusting a pending version. */
export interface TrustDependencies<S extends object> extends DefinitionDependencies<S> {
  readonly store: VersionCache;
}

/**
 * Makes sure that a pending version that has a value may still become current. It may not when it was current before: its
 * credential was replaced then. Nor may it when somebody has stored another current version since it was made: that person's
 * change would be lost. A value that this process has just made from the current one is not looked at twice.
 *
 * @throws SecretError `PendingOutdated`
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html a leftover is attempted again
 */
export async function requireTrusted<S extends object>(
  pending: SecretVersion,
  description: SecretDescription,
  dependencies: TrustDependencies<S>,
): Promise<void> {
  const { store } = dependencies;
  const { arn, name, versions, lastRotated } = description;
  const { versionId } = pending;
  const distrust = (why: string): never => {
    throw new SecretError(
      'PendingOutdated',
      `version ${versionId} of ${name} is labelled ${stages.pending}, but ${why}`,
    );
  };
  if (versions[versionId]?.includes(stages.previous)) {
    distrust('it was current before: the credential in it was replaced, and must not come back');
  }
  const currentId = versionWith(description, stages.current);
  const base = store.baseOf(arn, versionId);
  if (currentId === undefined || currentId === base) return;
  if (base !== undefined)
    distrust('somebody has stored or labelled another current version since it was made');

  const current = await store.readDated(arn, currentId);
  if (current === undefined) return;
  const made = pending.created?.getTime() ?? Number.POSITIVE_INFINITY;
  if ((lastRotated?.getTime() ?? 0) > made) distrust('another rotation has ended since it was made');
  if ((current.created?.getTime() ?? 0) > made) distrust('the current version was stored after it was made');
  const lost = await unexplained(pending.value, current.value, description, dependencies);
  if (lost.length > 0) {
    const more = lost.length > mostNamed ? ` and ${lost.length - mostNamed} more` : '';
    distrust(`the current version differs from it in ${lost.slice(0, mostNamed).join(', ')}${more}`);
  }
  store.noteBase(arn, versionId, currentId);
}

/** Number of keys that an error names. */
const mostNamed = 5;

/** Lists keys in which a pending version differs from the current one for a reason other than rotation and definition. */
async function unexplained<S extends object>(
  pending: string,
  current: string,
  description: SecretDescription,
  dependencies: DefinitionDependencies<S>,
): Promise<string[]> {
  const { rotator } = dependencies;
  const held = parseSecretJson(current, description.name);
  const [next, now] = [credentialIn(rotator.schema, pending), credentialIn(rotator.schema, current)];
  // What is no credential is refused where it is parsed; a first value says nothing that could be lost.
  if (next === undefined || now === undefined || isFirstValue(held)) return [];
  const [before, after] = [memberTexts(current), memberTexts(pending)];
  const issued = new Set([...rotator.credentialKeys(now), ...rotator.credentialKeys(next)]);
  const turns = apart(now, next, dependencies).includes('username') ? [] : ['username'];
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (key) => before.get(key) !== after.get(key) && !issued.has(key) && !turns.includes(key),
  );
  if (changed.length === 0) return [];
  const content = await contentOf(description, dependencies).catch(() => undefined);
  if (content === undefined) return changed;
  return changed.filter((key) => key !== 'masterarn' && !Object.hasOwn(content.fields, key));
}

/**
 * Codes of errors that end a pending version. No later try of it can succeed, or none is wanted. A version that stays pending
 * would keep a revocation's rotation from beginning.
 */
const hopeless: ReadonlySet<string> = new Set([
  'RotationPaused',
  'SecretExpired',
  'RotationBraked',
  'CanaryUnfinished',
  'PendingOutdated',
  'PendingValueRefused',
  'IdentityMismatch',
  'PolicyRefused',
]);

/**
 * Gives up a pending version that can never become current, so that the next rotation makes another one. Its value never changes,
 * and Secrets Manager would try it for ever. Every other error leaves the label where it is.
 * @returns the error to throw, which says what was done
 */
export async function giveUpHopeless(
  error: unknown,
  { secretId, token }: { readonly secretId: string; readonly token: string },
  { store }: Pick<TrustDependencies<object>, 'store'>,
): Promise<unknown> {
  if (!(error instanceof RekeyError) || !hopeless.has(error.code)) return error;
  const given = await store.removePending(secretId, token).then(
    () => `its label ${stages.pending} was taken off: rotate again`,
    (cause: unknown) =>
      `its label ${stages.pending} could not be taken off (${summarizeError(cause).code}): give it up with \`rekey secret rotate --abandon\`, then rotate again`,
  );
  return new RekeyError(error.code, `${error.message}; ${given}`, { cause: error });
}
