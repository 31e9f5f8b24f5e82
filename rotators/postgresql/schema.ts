import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';
import { alternateOf as alternate } from '../families/alternating.ts';
import { endpointFields, nameField } from '../transport/endpoint.ts';

/** NAMEDATALEN - 1. */
const longestName = 63;

const name = (what: string) => nameField(what, longestName);

/**
 * The JSON of a PostgreSQL secret: the one that AWS's own rotation functions use. Values keep the form they came in
 * (a port may be `5432` or `"5432"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const postgresSecretSchema = z.looseObject({
  engine: z.enum(['postgres', 'aurora-postgresql']),
  username: name('username'),
  ...endpointFields,
  /** Default: `postgres`. */
  dbname: name('dbname').or(z.literal('')).nullish(),
  ...commonSecretFields,
});
export type PostgresSecret = z.output<typeof postgresSecretSchema>;

/** Default: 5432. */
export const portOf = (secret: PostgresSecret): number => Number(secret.port ?? 5432);
export const databaseOf = (secret: PostgresSecret): string => secret.dbname || 'postgres';

/**
 * The user that takes turns with `username`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export const alternateOf = (username: string): string =>
  alternate(username, { longest: longestName, unit: 'bytes', of: 'PostgreSQL' });
