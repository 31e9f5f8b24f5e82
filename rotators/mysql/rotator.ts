import type { OverlappingRotator } from '../../core/rotator.ts';
import { generatePassword } from '../../core/secret/password.ts';
import { endpointBounds } from '../transport/endpoint.ts';
import { applyAlternating } from './alternating.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { applyDual, retire } from './dual.ts';
import { probe } from './probe.ts';
import { alternateOf, type MysqlSecret, mysqlSecretSchema, portOf } from './schema.ts';
import { applySingle } from './single.ts';

/** Rotator for MySQL 5.7 and later and MariaDB 10.4 and later, on RDS, Aurora or elsewhere. See `docs/secret-types/mysql.md`. */
export const rotator: OverlappingRotator<MysqlSecret> = {
  type: 'mysql',
  kind: 'overlapping',
  strategies: descriptor.strategies,
  schema: mysqlSecretSchema,
  identity: ({ username }) => username,
  credentialKeys: () => ['password'],
  boundTo: (secret) => endpointBounds(secret, portOf(secret)),

  async propose(current, { strategy, random, passwords }) {
    const username = strategy === 'alternating-users' ? alternateOf(current) : current.username;
    return { ...current, username, password: generatePassword(passwords, random) };
  },

  check: (next, current, { strategy }) => check(next, current, strategy),

  async apply(next, context) {
    switch (context.strategy) {
      case 'single-user':
        return await applySingle(next, context);
      case 'alternating-users':
        return await applyAlternating(next, context);
      case 'dual-credential':
        return await applyDual(next, context);
    }
  },

  probe,
  retire,
  contain,
};
