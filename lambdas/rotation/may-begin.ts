import { pausedUntil } from '../../core/deployed/pause.ts';
import { isRevocationToken } from '../../core/deployed/revocation-token.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import type { EventOrigin } from '../../core/events/create.ts';
import { hasExpired, lifecycleTags } from '../../core/lifecycle/marks.ts';
import type { SecretStore } from '../../core/ports.ts';
import { type SecretDescription, stages, versionWith } from '../../core/secret/secret.ts';
import { isFirstValue, parseSecretJson } from './secret-value.ts';

/** The dependencies of {@link requireMayBegin}. */
export interface MayBeginDependencies {
  readonly store: Pick<SecretStore, 'read'>;
  readonly origin: Pick<EventOrigin, 'clock'>;
  /**
   * Asks the brake of the function.
   * @default the function has none
   * @throws SecretError `RotationBraked` | `CanaryUnfinished`
   */
  readonly mayBegin?: (secret: SecretDescription, token: string) => Promise<void>;
}

/**
 * Refuses to begin a rotation of a secret that is expired, paused, braked or behind a canary.
 *
 * A rotation whose value is stored has begun, and may have reached the target: it goes on. That of a revocation waits for nobody.
 * A first rotation waits for the canary as long as a function can, and then goes on.
 * @throws SecretError `SecretExpired` | `RotationPaused` | `RotationBraked` | `CanaryUnfinished`
 */
export async function requireMayBegin(
  secret: SecretDescription,
  token: string,
  { store, origin, mayBegin }: MayBeginDependencies,
): Promise<void> {
  if (isRevocationToken(token)) return;
  try {
    requireUnexpired(secret);
    requireUnpaused(secret, origin.clock.now());
    await mayBegin?.(secret, token);
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    if ((await store.read(secret.arn, { versionId: token })) !== undefined) return;
    if (error.code === 'CanaryUnfinished' && (await logsInNowhere(secret, store))) return;
    throw error;
  }
}

/** Tells whether a secret waits for its first rotation. No login is at stake then, and its next date may be far away. */
async function logsInNowhere(secret: SecretDescription, store: Pick<SecretStore, 'read'>): Promise<boolean> {
  const versionId = versionWith(secret, stages.current);
  const current = versionId === undefined ? undefined : await store.read(secret.arn, { versionId });
  return current !== undefined && isFirstValue(parseSecretJson(current.value, secret.name));
}

function requireUnexpired({ name, tags }: SecretDescription): void {
  if (!hasExpired(tags)) return;
  throw new SecretError(
    'SecretExpired',
    `${name} expired (${tags[lifecycleTags.expired]}); a later \`expires\` in its configuration lets it rotate again, and so does taking the tag ${lifecycleTags.expired} off`,
  );
}

function requireUnpaused({ name, tags }: SecretDescription, now: Date): void {
  const until = pausedUntil(tags, now);
  if (until === undefined) return;
  throw new SecretError(
    'RotationPaused',
    `rotations of ${name} are paused until ${until.toISOString()}; \`rekey resume\` ends that`,
  );
}
