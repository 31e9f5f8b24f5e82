import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { authorityFor, currentOf } from './authority.ts';
import { Caller } from './caller.ts';
import { isListedAsMade } from './ownership.ts';
import { refused, settled, type Trial } from './probe.ts';
import type { RecipeContext } from './recipe-context.ts';
import { disable, identityOf } from './revoke.ts';
import { type Credential, credentialOf, type HttpSecret } from './schema.ts';

/** Turns the credential off at the service, or revokes it, and sees that it is refused; see {@link Rotator.contain}. */
export async function contain(
  leakedSecret: HttpSecret,
  context: ContainContext<HttpSecret>,
  recipeContext: RecipeContext,
): Promise<ContainResult> {
  const { credentials } = context;
  const leaked = credentialOf(leakedSecret, recipeContext.recipes);
  const current = currentOf(credentials, recipeContext.recipes);
  const { recipe } = leaked;
  const isCurrent = leaked.value === current.value;
  const caller = new Caller(leaked, context, recipeContext);
  if (isCurrent && recipe.own !== undefined && (await credentials.admin()) === undefined) {
    return onlyRotation('there is no admin, and once it is revoked it could not make its successor');
  }
  const authority = await authorityFor(leaked, {
    credentials,
    recipes: recipeContext.recipes,
    self: current,
  });
  if (authority.secrets.includes(leaked.value)) {
    return onlyRotation('it is the one that the admin secret holds');
  }
  const before = await trial(caller, leaked);
  // The value is what leaked: where the service says whose it is, that counts and not what the secret says.
  const id = before.outcome === 'accepted' && before.id !== undefined ? before.id : leaked.id;
  if (before.outcome !== 'accepted') {
    const isOther = !isCurrent && id === current.id;
    const isOurs = !isOther && (await isListedAsMade(caller, leaked, leaked, authority).catch(() => false));
    if (!isOurs) {
      if (before.outcome === 'unreachable') throw before.error;
      return { loginsRefused: true, sessionsEnded: 0, note: 'refused already' };
    }
  }
  const done = await disable(caller, leaked, id, authority);
  const { trial: after, holds } = await settled(caller, leaked, 'rejected');
  if (!holds) {
    if (done === 'gone' && after.outcome === 'accepted') {
      throw new TargetError(
        'TargetRefused',
        `the service has no ${identityOf({ ...leaked, id })}, yet accepts the leaked ${recipe.credential.secret}: it belongs to another; revoke it at the service`,
      );
    }
    return {
      loginsRefused: false,
      sessionsEnded: 0,
      note: `revoked, but still accepted ${recipe.settleSeconds} s later`,
    };
  }
  return { loginsRefused: true, sessionsEnded: 0, note: recipe.revocation };
}

const onlyRotation = (reason: string): ContainResult => ({
  loginsRefused: false,
  sessionsEnded: 0,
  note: `not revoked, since ${reason}; only a rotation ends it`,
});

/** A trial that the service gave no clear answer to. */
interface Unanswered {
  readonly outcome: 'unreachable';
  readonly error: TargetError;
}

/** Tries the credential, and returns a failure in place of an answer. The name of the credential may prove whose it is, too. */
async function trial(caller: Caller, leaked: Credential): Promise<Trial | Unanswered> {
  try {
    return await refused(caller, leaked);
  } catch (error) {
    if (error instanceof TargetError) return { outcome: 'unreachable', error };
    throw error;
  }
}
