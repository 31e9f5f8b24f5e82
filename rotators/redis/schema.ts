import { createHash } from 'node:crypto';
import * as z from 'zod';
import { commonSecretFields } from '../../core/secret.ts';

/**
 * The JSON of a Redis or Valkey secret, with the keys of AWS's secrets for databases. Values keep the form they came
 * in (a port may be `6379` or `"6379"`), keys that are not listed survive.
 */
export const redisSecretSchema = z.looseObject({
  engine: z.enum(['redis', 'valkey']),
  /** Host name or IP address of one server; a Unix socket is not one. */
  host: z
    .string()
    .min(1)
    .refine((value) => !/[/\s\0]/.test(value), 'host must be a host name or an IP address'),
  /** An ACL user; `default` is one. */
  username: z
    .string()
    .min(1, 'username must not be empty')
    .refine((value) => value.isWellFormed() && !/[\s\0]/.test(value), 'username must be text without spaces'),
  password: z.string(),
  /** Default: 6379. */
  port: z.union([z.int().min(1).max(65535), z.stringFormat('port', /^[0-9]{1,5}$/)]).nullish(),
  /** `false` or `"false"`: plaintext. Anything else, or nothing: TLS with a verified certificate. */
  ssl: z.unknown().optional(),
  ...commonSecretFields,
});
export type RedisSecret = z.output<typeof redisSecretSchema>;

export const portOf = (secret: RedisSecret): number => Number(secret.port ?? 6379);

/** Whether the secret asks for a connection without TLS. */
export const wantsPlaintext = ({ ssl }: RedisSecret): boolean =>
  ssl === false || (typeof ssl === 'string' && ssl.toLowerCase() === 'false');

/**
 * A password as the server keeps it and as ACL rules name it (`#<hash>`, `!<hash>`): SHA-256 in small hexadecimal
 * digits, so that a rule never holds the password itself.
 * @see https://redis.io/docs/latest/commands/acl-setuser/
 */
export const hashOf = ({ password }: Pick<RedisSecret, 'password'>): string =>
  createHash('sha256').update(password, 'utf8').digest('hex');
