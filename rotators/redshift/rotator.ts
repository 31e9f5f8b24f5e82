import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ReplacingRotator } from '../../core/rotator.ts';
import { generatePassword } from '../../core/secret/password.ts';
import { endpointBounds } from '../transport/endpoint.ts';
import { applyAlternating } from './alternating.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { redshiftPolicy } from './password.ts';
import { probe } from './probe.ts';
import { alternateOf, portOf, type RedshiftSecret, redshiftSecretSchema } from './schema.ts';
import { applySingle } from './single.ts';

/** Rotator for Amazon Redshift, provisioned and serverless. See `docs/secret-types/redshift.md`. */
export const rotator: ReplacingRotator<RedshiftSecret> = {
  type: 'redshift',
  kind: 'replacing',
  strategies: descriptor.strategies,
  schema: redshiftSecretSchema,
  identity: ({ username }) => username,
  credentialKeys: () => ['password'],
  boundTo: (secret) => endpointBounds(secret, portOf(secret)),

  async propose(current, { strategy, random, passwords }) {
    const username = strategy === 'alternating-users' ? alternateOf(current.username) : current.username;
    return { ...current, username, password: generatePassword(redshiftPolicy(passwords), random) };
  },

  check: (next, current, { strategy }) => check(next, current, strategy),

  async apply(next, context) {
    switch (context.strategy) {
      case 'single-user':
        return await applySingle(next, context);
      case 'alternating-users':
        return await applyAlternating(next, context);
      default:
        throw new SecretError('StrategyUnsupported', `Redshift has no strategy "${context.strategy}"`);
    }
  },

  probe,
  contain,
};
