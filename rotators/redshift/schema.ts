import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';
import { alternateOf as alternate } from '../families/alternating.ts';
import { endpointFields, nameField } from '../transport/endpoint.ts';

/** Longest name, in bytes. @see https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
const longestName = 127;

const name = (what: string) => nameField(what, longestName);

/**
 * JSON of a Redshift secret: the one that AWS's own rotation functions use. Values keep the form they came in (a port may be
 * `5439` or `"5439"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const redshiftSecretSchema = z.looseObject({
  engine: z.literal('redshift'),
  username: name('username').refine(
    (value) => value.toUpperCase() !== 'PUBLIC',
    'username must not be PUBLIC, which stands for everybody',
  ),
  /** Database of the login. Default: `dev`. */
  dbname: name('dbname').or(z.literal('')).nullish(),
  ...endpointFields,
  ...commonSecretFields,
});
export type RedshiftSecret = z.output<typeof redshiftSecretSchema>;

/** Gives the port of the cluster. Default: 5439. */
export const portOf = (secret: RedshiftSecret): number => Number(secret.port ?? 5439);
export const databaseOf = (secret: RedshiftSecret): string => secret.dbname || 'dev';

/**
 * Gives the user that takes turns with `username`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export const alternateOf = (username: string): string =>
  alternate(username, { longest: longestName, unit: 'bytes', of: 'Redshift' });
