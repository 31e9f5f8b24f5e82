import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ReplacingRotator } from '../../core/rotator.ts';
import { generatePassword } from '../../core/secret/password.ts';
import { endpointBounds } from '../transport/endpoint.ts';
import { applyAlternating } from './alternating.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { probe } from './probe.ts';
import { alternateOf, type PostgresSecret, portOf, postgresSecretSchema } from './schema.ts';
import { applySingle } from './single.ts';

/** Rotator for PostgreSQL 10 and later, on RDS, Aurora or elsewhere. See `docs/secret-types/postgresql.md`. */
export const rotator: ReplacingRotator<PostgresSecret> = {
  type: 'postgresql',
  kind: 'replacing',
  strategies: descriptor.strategies,
  schema: postgresSecretSchema,
  identity: ({ username }) => username,
  credentialKeys: () => ['password'],
  boundTo: (secret) => endpointBounds(secret, portOf(secret)),

  async propose(current, { strategy, random, passwords }) {
    const username = strategy === 'alternating-users' ? alternateOf(current.username) : current.username;
    return { ...current, username, password: generatePassword(passwords, random) };
  },

  check: (next, current, { strategy }) => check(next, current, strategy),

  async apply(next, context) {
    switch (context.strategy) {
      case 'single-user':
        return await applySingle(next, context);
      case 'alternating-users':
        return await applyAlternating(next, context);
      default:
        throw new SecretError('StrategyUnsupported', `PostgreSQL has no strategy "${context.strategy}"`);
    }
  },

  probe,
  contain,
};
