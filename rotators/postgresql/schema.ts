import * as z from 'zod';
import { SecretError } from '../../core/errors.ts';
import { commonSecretFields } from '../../core/secret.ts';

/** PostgreSQL cuts longer names off without a word (NAMEDATALEN - 1), so they are refused here. */
const longestName = 63;

const name = (what: string) =>
  z
    .string()
    .min(1, `${what} must not be empty`)
    .refine(
      (value) => Buffer.byteLength(value) <= longestName,
      `${what} must be at most ${longestName} bytes`,
    )
    .refine((value) => value.isWellFormed() && !value.includes('\0'), `${what} must be text without NUL`);

/**
 * The JSON of a PostgreSQL secret: the one that AWS's own rotation functions use. Values keep the form they came in
 * (a port may be `5432` or `"5432"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const postgresSecretSchema = z.looseObject({
  engine: z.enum(['postgres', 'aurora-postgresql']),
  /** Host name or IP address; a Unix socket is not one. */
  host: z
    .string()
    .min(1)
    .refine((value) => !/[/\s\0]/.test(value), 'host must be a host name or an IP address'),
  username: name('username'),
  password: z.string(),
  /** Default: 5432. */
  port: z.union([z.int().min(1).max(65535), z.stringFormat('port', /^[0-9]{1,5}$/)]).nullish(),
  /** Default: `postgres`. */
  dbname: name('dbname').or(z.literal('')).nullish(),
  /** `false` or `"false"`: plaintext. Anything else, or nothing: TLS with a verified certificate. */
  ssl: z.unknown().optional(),
  ...commonSecretFields,
});
export type PostgresSecret = z.output<typeof postgresSecretSchema>;

export const portOf = (secret: PostgresSecret): number => Number(secret.port ?? 5432);
export const databaseOf = (secret: PostgresSecret): string => secret.dbname || 'postgres';

/** How the secret wants its connections, by the rules of AWS's functions for the key `ssl`. */
export function transportOf(secret: PostgresSecret): 'tls' | 'plaintext' | 'unsaid' {
  const value = typeof secret.ssl === 'string' ? secret.ssl.toLowerCase() : secret.ssl;
  if (value === true || value === 'true') return 'tls';
  if (value === false || value === 'false') return 'plaintext';
  return 'unsaid';
}

const cloneSuffix = '_clone';

/** The pair of users that alternate: the one without and the one with the suffix of AWS's functions. */
export function pairOf(username: string): { base: string; clone: string } {
  const base = username.endsWith(cloneSuffix) ? username.slice(0, -cloneSuffix.length) : username;
  return { base, clone: `${base}${cloneSuffix}` };
}

/**
 * The user that takes turns with `username`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export function alternateOf(username: string): string {
  const { base, clone } = pairOf(username);
  if (base === '') {
    throw new SecretError(
      'StrategyUnsupported',
      `user "${username}" has no name before "${cloneSuffix}"; alternating users need one`,
    );
  }
  const bytes = Buffer.byteLength(clone);
  if (bytes > longestName) {
    throw new SecretError(
      'StrategyUnsupported',
      `user "${clone}" would have ${bytes} bytes, PostgreSQL allows ${longestName}; ` +
        `alternating users need a name of at most ${longestName - cloneSuffix.length} bytes`,
    );
  }
  return username === base ? clone : base;
}
