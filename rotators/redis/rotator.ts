import type { OverlappingRotator } from '../../core/rotator.ts';
import { generatePassword } from '../../core/secret/password.ts';
import { endpointBounds } from '../transport/endpoint.ts';
import { probeLogin } from '../transport/login.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import { open } from './connection.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { retire } from './retire.ts';
import { portOf, type RedisSecret, redisSecretSchema } from './schema.ts';

/** Rotator for ACL users of Redis 6 and later and of Valkey. See `docs/secret-types/redis.md`. */
export const rotator: OverlappingRotator<RedisSecret> = {
  type: 'redis',
  kind: 'overlapping',
  strategies: descriptor.strategies,
  schema: redisSecretSchema,
  identity: ({ username }) => username,
  credentialKeys: () => ['password'],
  boundTo: (secret) => endpointBounds(secret, portOf(secret)),
  propose: async (current, { random, passwords }) => ({
    ...current,
    password: generatePassword(passwords, random),
  }),
  check,
  apply,
  retire,
  contain,

  /** Logs in. The login alone is asked for, since a user may lack the permission for every command. */
  async probe(credential, context) {
    return await probeLogin(async () => (await open(credential, context)).end());
  },
};
