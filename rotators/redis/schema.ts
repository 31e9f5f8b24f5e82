import { createHash } from 'node:crypto';
import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';
import { endpointFields } from '../transport/endpoint.ts';

/**
 * The JSON of a Redis or Valkey secret, with the keys of AWS's secrets for databases. Values keep the form they came
 * in (a port may be `6379` or `"6379"`), keys that are not listed survive.
 */
export const redisSecretSchema = z.looseObject({
  engine: z.enum(['redis', 'valkey']),
  /** Name of an ACL user; `default` is one. */
  username: z
    .string()
    .min(1, 'username must not be empty')
    .max(512, 'username must have at most 512 characters')
    .refine((value) => value.isWellFormed() && !/[\s\0]/.test(value), 'username must be text without spaces'),
  ...endpointFields,
  ...commonSecretFields,
});
export type RedisSecret = z.output<typeof redisSecretSchema>;

/** Gives the port of the server. Default: 6379. */
export const portOf = (secret: RedisSecret): number => Number(secret.port ?? 6379);

/**
 * Hashes a password as the server keeps it and as ACL rules name it (`#<hash>`, `!<hash>`). It is SHA-256 in small hexadecimal
 * digits, so that a rule never holds the password itself.
 * @see https://redis.io/docs/latest/commands/acl-setuser/
 */
export const hashOf = ({ password }: Pick<RedisSecret, 'password'>): string =>
  createHash('sha256').update(password, 'utf8').digest('hex');
