import { RekeyError, SecretError, TargetError } from '../../core/errors.ts';
import type { ApplyContext, ProbeResult, TargetContext } from '../rotator.ts';
import { valuesOf } from './authority.ts';
import { Caller, matches } from './caller.ts';
import type { Kit } from './kit.ts';
import { valueAt } from './pointer.ts';
import { type Credential, credentialOf, type HttpSecret } from './schema.ts';

/** What the service says to a credential; `id` is which one it was, where the answer says that. */
export type Trial =
  | { readonly outcome: 'accepted'; readonly id?: string }
  | { readonly outcome: 'rejected'; readonly error: TargetError };

const pauseMs = 1_000;

/**
 * Tries a credential with the test request of its recipe.
 * @throws TargetError when the answer is neither yes nor no
 */
export async function tryCredential(
  caller: Caller,
  credential: Credential,
  options: { readonly attempts?: number } = {},
): Promise<Trial> {
  const { test, credential: keys } = caller.recipe;
  const values = valuesOf(credential);
  const by = test.authentication && { authentication: test.authentication, values };
  const call = { name: 'test', values, ...(by !== undefined && { by }), ...options } as const;
  const answer = await caller.send(test, call);
  const url = caller.url(test, call);
  if (matches(test.accepted, answer)) {
    const id = test.id === undefined ? undefined : valueAt(answer.body, test.id);
    return {
      outcome: 'accepted',
      ...((typeof id === 'string' || typeof id === 'number') && { id: String(id) }),
    };
  }
  if (matches(test.rejected, answer)) {
    return {
      outcome: 'rejected',
      error: new TargetError(
        'AuthenticationRefused',
        `${caller.where('test', url)}: the service refuses the credential ${keys.id} ${credential.id} (${answer.status})`,
      ),
    };
  }
  const error = caller.refusal(answer, url, { name: 'test', values });
  throw error.code === 'AuthenticationRefused'
    ? new TargetError('TargetRefused', `${error.message}, but not in a way that proves it`)
    : error;
}

/** See {@link Rotator.probe}. */
export async function probe(
  secret: HttpSecret,
  context: TargetContext,
  { recipes, transport }: Kit,
): Promise<ProbeResult> {
  try {
    const credential = credentialOf(secret, recipes);
    const trial = await tryCredential(new Caller(credential, context, transport), credential);
    return trial.outcome === 'accepted' ? { outcome: 'accepted' } : trial;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return {
      outcome: 'unreachable',
      error: error instanceof TargetError ? error : new TargetError('TargetRefused', error.message),
    };
  }
}

/**
 * See {@link Rotator.apply}: the service has made the credential already. What is left is to wait until all of the service
 * knows it, and to see that value and id belong together.
 * @throws SecretError `CredentialNotYetAccepted` when it is not accepted in time
 */
export async function apply(
  next: HttpSecret,
  context: ApplyContext<HttpSecret>,
  { recipes, transport }: Kit,
): Promise<void> {
  const credential = credentialOf(next, recipes);
  const caller = new Caller(credential, context, transport);
  const { settleSeconds, credential: keys } = credential.recipe;
  const trial = await settled(caller, credential, 'accepted');
  if (trial.outcome === 'rejected') {
    throw new SecretError(
      'CredentialNotYetAccepted',
      `${trial.error.message}, for ${settleSeconds} s; if that stays so it was revoked: remove the AWSPENDING label and rotate again`,
    );
  }
  if (trial.id !== undefined && trial.id !== credential.id) {
    throw new SecretError(
      'IdentityMismatch',
      `the service says that the pending ${keys.secret} is of ${keys.id} ${trial.id}, the pending version says ${credential.id}; remove the AWSPENDING label and rotate again`,
    );
  }
}

/** Tries a credential until the service says what is expected, or has had the time that it may need for it. */
export async function settled(
  caller: Caller,
  credential: Credential,
  expected: Trial['outcome'],
): Promise<Trial> {
  const until = performance.now() + caller.recipe.settleSeconds * 1000;
  for (;;) {
    const trial = await tryCredential(caller, credential);
    if (trial.outcome === expected || performance.now() >= until) return trial;
    if (!(await caller.pause(Math.min(pauseMs, Math.max(1, until - performance.now()))))) return trial;
  }
}
