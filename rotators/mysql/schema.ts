import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';
import { alternateOf as alternate } from '../families/alternating.ts';
import { endpointFields } from '../transport/endpoint.ts';

/** Longest user name in characters, as AWS's functions have it; servers refuse longer ones or allow few more. */
/** Longest password that `caching_sha2_password` takes. A longer one could never log in. */
export const longestPassword = 256;

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
 * JSON of a MySQL or MariaDB secret: the one that AWS's own rotation functions use. Values keep the form they came in (a port may
 * be `3306` or `"3306"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const mysqlSecretSchema = z
  .looseObject({
    engine: z.enum(['mysql', 'aurora-mysql', 'mariadb']),
    username: text('username'),
    ...endpointFields,
    /** Database of the login. Default: none, the login is to the server alone. */
    dbname: text('dbname').max(64, 'dbname must be at most 64 characters').or(z.literal('')).nullish(),
    ...commonSecretFields,
  })
  .refine(({ engine, username }) => [...username].length <= longestName[engine], {
    path: ['username'],
    error: 'username must be at most 32 characters for MySQL, 80 for MariaDB',
  });
export type MysqlSecret = z.output<typeof mysqlSecretSchema>;

/** Gives the port of the server. Default: 3306. */
export const portOf = (secret: MysqlSecret): number => Number(secret.port ?? 3306);
export const databaseOf = (secret: MysqlSecret): string | undefined => secret.dbname || undefined;

/**
 * Gives the user that takes turns with the one of `secret`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export const alternateOf = ({ engine, username }: Pick<MysqlSecret, 'engine' | 'username'>): string =>
  alternate(username, { longest: longestName[engine], unit: 'characters', of: engine });
