import * as z from 'zod';
import { SecretError } from '../../core/errors.ts';
import { commonSecretFields } from '../../core/secret.ts';

/** Longest user name in characters, as AWS's functions have it; servers refuse longer ones or allow few more. */
const longestName = { mysql: 32, 'aurora-mysql': 32, mariadb: 80 } as const;

const text = (what: string) =>
  z
    .string()
    .min(1, `${what} must not be empty`)
    .refine(
      // The servers keep names in three-byte UTF-8.
      (value) => value.isWellFormed() && !/[\0\u{10000}-\u{10ffff}]/u.test(value),
      `${what} must be text without NUL and without characters above U+FFFF`,
    )
    .refine((value) => !value.endsWith(' '), `${what} must not end with a space`);

/**
 * The JSON of a MySQL or MariaDB secret: the one that AWS's own rotation functions use. Values keep the form they came
 * in (a port may be `3306` or `"3306"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const mysqlSecretSchema = z
  .looseObject({
    engine: z.enum(['mysql', 'aurora-mysql', 'mariadb']),
    /** Host name or IP address; a Unix socket is not one. */
    host: z
      .string()
      .min(1)
      .refine((value) => !/[/\s\0]/.test(value), 'host must be a host name or an IP address'),
    username: text('username'),
    password: z.string(),
    /** Default: 3306. */
    port: z.union([z.int().min(1).max(65535), z.stringFormat('port', /^[0-9]{1,5}$/)]).nullish(),
    /** Default: none, the login is to the server alone. */
    dbname: text('dbname').max(64, 'dbname must be at most 64 characters').or(z.literal('')).nullish(),
    /** `false` or `"false"`: plaintext. Anything else, or nothing: TLS with a verified certificate. */
    ssl: z.unknown().optional(),
    ...commonSecretFields,
  })
  .refine(({ engine, username }) => [...username].length <= longestName[engine], {
    path: ['username'],
    error: 'username must be at most 32 characters for MySQL, 80 for MariaDB',
  });
export type MysqlSecret = z.output<typeof mysqlSecretSchema>;

export const portOf = (secret: MysqlSecret): number => Number(secret.port ?? 3306);
export const databaseOf = (secret: MysqlSecret): string | undefined => secret.dbname || undefined;

/** How the secret wants its connections, by the rules of AWS's functions for the key `ssl`. */
export function transportOf(secret: MysqlSecret): 'tls' | 'plaintext' | 'unsaid' {
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
 * The user that takes turns with the one of `secret`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export function alternateOf({ engine, username }: MysqlSecret): string {
  const { base, clone } = pairOf(username);
  if (base === '') {
    throw new SecretError(
      'StrategyUnsupported',
      `user "${username}" has no name before "${cloneSuffix}"; alternating users need one`,
    );
  }
  const limit = longestName[engine];
  const length = [...clone].length;
  if (length > limit) {
    throw new SecretError(
      'StrategyUnsupported',
      `user "${clone}" would have ${length} characters, ${engine} allows ${limit}; ` +
        `alternating users need a name of at most ${limit - cloneSuffix.length} characters`,
    );
  }
  return username === base ? clone : base;
}
