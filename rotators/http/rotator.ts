import { type IssuingRotator, runLivesMs } from '../../core/rotator.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { apply, probe } from './probe.ts';
import { propose } from './propose.ts';
import type { RecipeContext } from './recipe-context.ts';
import { recipes } from './recipes/index.ts';
import { discard, identity, retire } from './revoke.ts';
import { boundTo, credentialKeys, type HttpSecret, secretSchema } from './schema.ts';
import { httpsTransport } from './transport.ts';

/** Makes a rotator for API credentials of the given recipes. See `docs/secret-types/http.md`. */
export function httpRotator(
  options: Partial<RecipeContext> & Pick<RecipeContext, 'recipes'>,
): IssuingRotator<HttpSecret> {
  const recipeContext: RecipeContext = {
    transport: httpsTransport(),
    trialPauseMs: 1_000,
    runLivesMs,
    ...options,
  };
  return {
    type: 'http',
    kind: 'issuing',
    strategies: descriptor.strategies,
    schema: secretSchema(recipeContext.recipes),
    identity: (secret) => identity(secret, recipeContext.recipes),
    credentialKeys: (secret) => credentialKeys(secret, recipeContext.recipes),
    boundTo: (secret) => boundTo(secret, recipeContext.recipes),
    check: (next, current) => check(next, current, recipeContext.recipes),
    propose: (current, context) => propose(current, context, recipeContext),
    discard: (proposal, context) => discard(proposal, context, recipeContext),
    apply: (next, context) => apply(next, context, recipeContext),
    probe: (credential, context) => probe(credential, context, recipeContext),
    retire: (old, context) => retire(old, context, recipeContext),
    contain: (leaked, context) => contain(leaked, context, recipeContext),
  };
}

/** Rotator for API tokens and keys of the services that `recipes/` knows. */
export const rotator = httpRotator({ recipes });
