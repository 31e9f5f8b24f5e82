import { type IssuingRotator, runLivesMs } from '../../core/rotator.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import type { Kit } from './kit.ts';
import { apply, probe } from './probe.ts';
import { propose } from './propose.ts';
import { recipes } from './recipes/index.ts';
import { discard, identity, retire } from './revoke.ts';
import { boundTo, credentialKeys, type HttpSecret, secretSchema } from './schema.ts';
import { httpsTransport } from './transport.ts';

/** Makes a rotator for API credentials of the given recipes. See `docs/secret-types/http.md`. */
export function httpRotator(options: Partial<Kit> & Pick<Kit, 'recipes'>): IssuingRotator<HttpSecret> {
  const kit: Kit = { transport: httpsTransport(), trialPauseMs: 1_000, runLivesMs, ...options };
  return {
    type: 'http',
    kind: 'issuing',
    strategies: descriptor.strategies,
    schema: secretSchema(kit.recipes),
    identity: (secret) => identity(secret, kit.recipes),
    credentialKeys: (secret) => credentialKeys(secret, kit.recipes),
    boundTo: (secret) => boundTo(secret, kit.recipes),
    check: (next, current) => check(next, current, kit.recipes),
    propose: (current, context) => propose(current, context, kit),
    discard: (proposal, context) => discard(proposal, context, kit),
    apply: (next, context) => apply(next, context, kit),
    probe: (credential, context) => probe(credential, context, kit),
    retire: (old, context) => retire(old, context, kit),
    contain: (leaked, context) => contain(leaked, context, kit),
  };
}

/** Rotator for API tokens and keys of the services that `recipes/` knows. */
export const rotator = httpRotator({ recipes });
