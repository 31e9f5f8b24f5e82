import { RekeyError, SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, ProbeResult, TargetContext } from '../../core/rotator.ts';
import { giveUpPending } from '../families/pending.ts';
import { valuesOf } from './authority.ts';
import { Caller, matches } from './caller.ts';
import { valueAt } from './pointer.ts';
import type { RecipeContext } from './recipe-context.ts';
import { type Credential, credentialOf, type HttpSecret } from './schema.ts';

/** Answer of the service to a credential. `id` is which one it was, where the answer says that. */
export type Trial =
  | { readonly outcome: 'accepted'; readonly id?: string }
  | { readonly outcome: 'rejected'; readonly error: TargetError };

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

/** Tries a credential at its service; see {@link Rotator.probe}. */
export async function probe(
  secret: HttpSecret,
  context: TargetContext,
  recipeContext: RecipeContext,
): Promise<ProbeResult> {
  try {
    const credential = credentialOf(secret, recipeContext.recipes);
    const trial = await refused(new Caller(credential, context, recipeContext), credential);
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
 * Waits until all of the service knows the new credential; see {@link Rotator.apply}. The service has made it already. Then it
 * sees that value and id belong together. What is left is to wait until all of the service knows it, and to see that value and id
 * belong together.
 * @throws SecretError `CredentialNotYetAccepted` when it is not accepted in time
 */
export async function apply(
  next: HttpSecret,
  context: ApplyContext<HttpSecret>,
  recipeContext: RecipeContext,
): Promise<void> {
  const credential = credentialOf(next, recipeContext.recipes);
  const caller = new Caller(credential, context, recipeContext);
  const { settleSeconds, credential: keys } = credential.recipe;
  const { trial, holds } = await settled(caller, credential, 'accepted');
  if (trial.outcome === 'rejected') {
    throw new SecretError(
      'CredentialNotYetAccepted',
      `${trial.error.message}, for ${settleSeconds} s; if that stays so it was revoked: ${giveUpPending}`,
    );
  }
  if (!holds) {
    throw new SecretError(
      'CredentialNotYetAccepted',
      `the service accepts the credential ${keys.id} ${credential.id} one time and refuses it another, for ${settleSeconds} s; try again later`,
    );
  }
  if (trial.id !== undefined && trial.id !== credential.id) {
    throw new SecretError(
      'IdentityMismatch',
      `the service says that the pending ${keys.secret} is of ${keys.id} ${trial.id}, the pending version says ${credential.id}; ${giveUpPending}`,
    );
  }
}

/** The last trial. `holds` says whether the service said so as often as its recipe asks for. */
interface Settled {
  readonly trial: Trial;
  readonly holds: boolean;
}

/**
 * Tries a credential until the service has said what is expected, or has had its time. The answer counts when it came as many
 * times in a row as the recipe asks for.
 */
export async function settled(
  caller: Caller,
  credential: Credential,
  expected: Trial['outcome'],
): Promise<Settled> {
  const { settleSeconds, settleAnswers } = caller.recipe;
  const until = performance.now() + settleSeconds * 1000;
  for (let inRow = 0; ; ) {
    const trial = await tryCredential(caller, credential);
    inRow = trial.outcome === expected ? inRow + 1 : 0;
    const holds = inRow >= settleAnswers;
    if (holds || performance.now() >= until) return { trial, holds };
    if (!(await caller.pause(Math.min(caller.trialPauseMs, Math.max(1, until - performance.now()))))) {
      return { trial, holds };
    }
  }
}

/**
 * Tries a credential once. A refusal counts when it is repeated as many times in a row as the recipe asks for.
 * @throws TargetError `TargetTimeout` when there is no time left for that
 */
export async function refused(caller: Caller, credential: Credential): Promise<Trial> {
  for (let asked = 1; ; asked += 1) {
    const trial = await tryCredential(caller, credential);
    if (trial.outcome === 'accepted' || asked >= caller.recipe.settleAnswers) return trial;
    if (!(await caller.pause(caller.trialPauseMs))) {
      throw new TargetError(
        'TargetTimeout',
        `${trial.error.message}, but no time is left to ask as often as counts; try again later`,
      );
    }
  }
}
