import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';
import { alternateOf as alternate } from '../families/alternating.ts';
import { endpointFields, nameField } from '../transport/endpoint.ts';

/** Longest name in bytes: NAMEDATALEN - 1. */
const longestName = 63;

const name = (what: string) => nameField(what, longestName);

/**
 * JSON of a PostgreSQL secret: the one that AWS's own rotation functions use. Values keep the form they came in (a port may be
 * `5432` or `"5432"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const postgresSecretSchema = z.looseObject({
  engine: z.enum(['postgres', 'aurora-postgresql']),
  username: name('username'),
  ...endpointFields,
  /** Database of the login. Default: `postgres`. */
  dbname: name('dbname').or(z.literal('')).nullish(),
  ...commonSecretFields,
});
export type PostgresSecret = z.output<typeof postgresSecretSchema>;

/** Gives the port of the server. Default: 5432. */
export const portOf = (secret: PostgresSecret): number => Number(secret.port ?? 5432);
export const databaseOf = (secret: PostgresSecret): string => secret.dbname || 'postgres';

/**
 * Gives the user that takes turns with `username`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export const alternateOf = (username: string): string =>
  alternate(username, { longest: longestName, unit: 'bytes', of: 'PostgreSQL' });
