import { usualStepSeconds } from '../../core/deployed/limits.ts';
import { summarizeError } from '../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../core/ports.ts';
import type { RotationEvent } from './event.ts';

/** Time after which a rotation whose tries fail counts as failed, in times of a step's longest duration. */
const triesLast = 2;

/**
 * Tells whether a failed step is worth a person's attention now. It is not while its error may pass and the target is as it was:
 * before anything was set, or while the target goes on setting a password by itself, such as a reset of RDS that takes its time.
 * Secrets Manager tries such a rotation again. One that goes on failing counts, since its version is older by then. The failure
 * is recorded in any case.
 *
 * @param stepMs - how long this function lets a step take
 */
export async function isLasting(
  error: unknown,
  { step, secretId, token }: RotationEvent,
  { store, now, stepMs }: { readonly store: SecretStore; readonly now: Date; readonly stepMs: number },
): Promise<boolean> {
  if (!summarizeError(error).retryable) return true;
  const waits = stepMs > usualStepSeconds * 1_000;
  if (step !== 'createSecret' && !(step === 'setSecret' && waits)) return true;
  const versions = await store.listVersions(secretId).catch(() => []);
  const begun = versions.find(({ versionId }) => versionId === token)?.created;
  return begun === undefined || now.getTime() - begun.getTime() > triesLast * stepMs;
}
