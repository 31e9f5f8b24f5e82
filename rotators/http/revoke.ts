import { isDeepStrictEqual } from 'node:util';
import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, RetireContext, RetireResult } from '../../core/rotator.ts';
import { carriedName } from '../../core/secret/secret.ts';
import { type Authority, authorityFor, currentOf, valuesOf } from './authority.ts';
import { Caller, matches } from './caller.ts';
import { isListedAsMade } from './ownership.ts';
import { refused } from './probe.ts';
import type { Removal } from './recipe.ts';
import type { Recipes } from './recipe-book.ts';
import type { RecipeContext } from './recipe-context.ts';
import { hostParameters } from './recipe-rules.ts';
import { type Credential, credentialOf, type HttpSecret } from './schema.ts';
import type { Values } from './template.ts';

type Done = 'done' | 'gone';

/** Sends one of the requests that take a credential away. */
async function take(
  caller: Caller,
  name: 'disable' | 'revoke',
  { request, values, by }: { readonly request: Removal; readonly values: Values; readonly by: Authority },
): Promise<Done> {
  const call = { name, values, by } as const;
  const answer = await caller.send(request, call);
  if (matches(request.done, answer)) return 'done';
  if (matches(request.gone, answer)) return 'gone';
  throw caller.refusal(answer, caller.url(request, call), call);
}

/** Gives the values of the requests that take the credential with this id away. */
function valuesFor(subject: Credential, id: string, authority: Authority): Values {
  return new Map([...valuesOf(subject), ...authority.open, [subject.recipe.credential.id, id]]);
}

/** Turns a credential off where the service can, else removes it. */
export async function disable(caller: Caller, subject: Credential, id: string, by: Authority): Promise<Done> {
  const { disable: request } = caller.recipe;
  if (request === undefined) return await revoke(caller, subject, id, by);
  return await take(caller, 'disable', { request, values: valuesFor(subject, id, by), by });
}

/** Removes a credential for good. */
export async function revoke(caller: Caller, subject: Credential, id: string, by: Authority): Promise<Done> {
  const { disable: off, revoke: request } = caller.recipe;
  const values = valuesFor(subject, id, by);
  if (off !== undefined && (await take(caller, 'disable', { request: off, values, by })) === 'gone')
    return 'gone';
  return await take(caller, 'revoke', { request, values, by });
}

/** Revokes a proposal that was not stored; see {@link IssuingRotator.discard}. */
export async function discard(
  secret: HttpSecret,
  context: ApplyContext<HttpSecret>,
  recipeContext: RecipeContext,
): Promise<void> {
  const { credentials } = context;
  const proposal = credentialOf(secret, recipeContext.recipes);
  const current = currentOf(credentials, recipeContext.recipes);
  if (proposal.id === current.id) return;
  const authority = await authorityFor(proposal, {
    credentials,
    recipes: recipeContext.recipes,
    self: current,
  });
  const caller = new Caller(proposal, context, recipeContext);
  // A replica that has not heard of what was just made calls it gone.
  for (let asked = 1; ; asked += 1) {
    if ((await revoke(caller, proposal, proposal.id, authority)) === 'done') return;
    if (asked >= caller.recipe.settleAnswers || !(await caller.pause(caller.trialPauseMs))) break;
  }
  if ((await refused(caller, proposal)).outcome === 'accepted') {
    context.finding({
      code: 'AbandonedCredentialRemains',
      message: `${identityOf(proposal)} was made and not stored; ${goneAndAccepted}; revoke it at the service`,
    });
  }
}

/** Words for a credential that is called gone and works. Services answer "not found" as well to those who may not see a thing. */
const goneAndAccepted =
  'the service says that it is not there and still accepts it, as one does whose admin lost sight of it';

/** Turns off or revokes a credential that was replaced; see {@link IssuingRotator.retire}. */
export async function retire(
  old: HttpSecret,
  context: RetireContext<HttpSecret>,
  recipeContext: RecipeContext,
): Promise<RetireResult> {
  const { credentials, act } = context;
  const { recipes } = recipeContext;
  if (old.recipe === undefined) return { done: 'nothing' };
  const stale = credentialOf(old, recipes);
  const current = currentOf(credentials, recipes);
  const caller = new Caller(stale, context, recipeContext);
  const remains = (reason: string): RetireResult => {
    context.finding({
      code: 'PreviousCredentialRemains',
      message: `${identityOf(stale)} was replaced, but not revoked: ${reason}; revoke it at the service`,
    });
    return { done: 'nothing', note: reason };
  };
  /** Tries a credential that the service calls gone: it is there while it is accepted. */
  const believed = async (answer: Done, done: RetireResult['done']): Promise<RetireResult> => {
    if (answer === 'done') return { done };
    const trial = await refused(caller, stale);
    return trial.outcome === 'accepted' ? remains(goneAndAccepted) : { done: 'nothing' };
  };
  if (!isOfSameService(stale, current)) return remains('the secret now names another recipe or host');
  if (stale.id === current.id || stale.value === current.value) return { done: 'nothing' };
  const authority = await authorityFor(stale, { credentials, recipes, self: current }).catch(
    (error: unknown) => {
      if (error instanceof SecretError && error.code === 'AdminSecretMismatch') return error;
      throw error;
    },
  );
  if (authority instanceof SecretError) return remains(authority.message);
  if (authority.secrets.includes(stale.value)) return remains('it is the one that the admin secret holds');
  const turnsOff = act === 'disable' && stale.recipe.disable !== undefined;
  // Services turn off what is off as if it were not, and whose the id is shows the value alone: so it is tried first.
  const trial = await refused(caller, stale);
  if (trial.outcome === 'accepted') {
    if (trial.id !== undefined && trial.id !== stale.id) {
      return remains(`the service says that its value is of ${trial.id}`);
    }
  } else if (turnsOff || !(await isListedAsMade(caller, stale, stale, authority))) {
    return { done: 'nothing' };
  }
  await context.announce();
  if (turnsOff) return await believed(await disable(caller, stale, stale.id, authority), 'disabled');
  return await believed(await revoke(caller, stale, stale.id, authority), 'removed');
}

/** Tells whether two credentials are of the same recipe at the same hosts. */
function isOfSameService(one: Credential, other: Credential): boolean {
  return (
    one.name === other.name &&
    hostParameters(one.recipe).every((name) =>
      isDeepStrictEqual(one.parameters.get(name), other.parameters.get(name)),
    )
  );
}

/** Gives the id that the service knows a credential by, with the recipe that says which service that is. */
export const identityOf = ({ name, id }: Pick<Credential, 'name' | 'id'>): string => `${name} ${id}`;

/** Names a credential for records; see {@link Rotator.identity}. A version may hold an admin credential by mistake. */
export function identity(secret: HttpSecret, recipes: Recipes): string {
  return carriedName(
    secret.recipe === undefined
      ? `admin of ${secret.service ?? 'nothing'}`
      : identityOf(credentialOf(secret, recipes)),
  );
}
