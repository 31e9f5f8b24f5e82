import * as z from 'zod';
import type { Bounds } from '../../core/rotator.ts';
import { commonSecretFields } from '../../core/secret/secret.ts';
import { endpointBounds, endpointFields } from '../transport/endpoint.ts';

/** Family of engines, which decides about passwords and logins of a database. */
export type Family =
  | 'postgresql'
  | 'redshift'
  | 'mysql'
  | 'mariadb'
  | 'documentdb'
  | 'oracle'
  | 'sqlserver'
  | 'db2';

/** Families by the names that AWS's secrets give an engine, and those of the RDS API. */
const families: ReadonlyMap<string, Family> = new Map([
  ['postgres', 'postgresql'],
  ['aurora-postgresql', 'postgresql'],
  ['redshift', 'redshift'],
  ['mysql', 'mysql'],
  ['aurora-mysql', 'mysql'],
  ['mariadb', 'mariadb'],
  ['mongo', 'documentdb'],
  ['docdb', 'documentdb'],
]);

/** Engines whose editions have names of their own: `oracle-se2`, `sqlserver-ex`. */
const edition = /^(oracle|sqlserver|db2)(?:-[a-z0-9-]+)?$/;

/** Finds the family of an engine. Undefined for one that is unknown, or whose master password cannot be set. */
export function familyOfEngine(engine: string): Family | undefined {
  return families.get(engine) ?? (edition.exec(engine)?.[1] as Family | undefined);
}

const identifier = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, 'must be an identifier: letters, digits and hyphens')
  .or(z.literal(''))
  .nullish();

/**
 * JSON of a master user's secret, as the consoles of AWS write it. Values keep the form they came in (a port may be `5432` or
 * `"5432"`), keys that are not listed survive.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export const masterSecretSchema = z.looseObject({
  engine: z
    .string()
    .max(64, 'engine must have at most 64 characters')
    .refine(
      (value) => familyOfEngine(value) !== undefined,
      `engine must be one of ${[...families.keys()].join(', ')}, oracle, sqlserver, db2`,
    ),
  /** Name of the master user; the API sets no other user's password. */
  username: z
    .string()
    .min(1, 'username must not be empty')
    .max(128, 'username must have at most 128 characters'),
  ...endpointFields,
  dbname: z.string().nullish(),
  /** Identifier of an RDS DB instance, or of a member of a cluster. */
  dbInstanceIdentifier: identifier,
  /** Identifier of an Aurora, Multi-AZ or DocumentDB cluster, or of a Redshift cluster where `engine` is `redshift`. */
  dbClusterIdentifier: identifier,
  ...commonSecretFields,
});
export type MasterSecret = z.output<typeof masterSecretSchema>;

/** Gives the family of a secret's engine; the schema has seen to it that there is one. */
export const familyOfSecret = ({ engine }: MasterSecret): Family => familyOfEngine(engine) ?? 'postgresql';

const defaultPorts: Readonly<Record<Family, number>> = {
  postgresql: 5432,
  redshift: 5439,
  mysql: 3306,
  mariadb: 3306,
  documentdb: 27017,
  oracle: 1521,
  sqlserver: 1433,
  db2: 50000,
};
/** Gives the port of the database. Default: the engine's own. */
export const portOf = (secret: MasterSecret): number =>
  Number(secret.port ?? defaultPorts[familyOfSecret(secret)]);

/** Gives the keys and values that the login is bound to; see {@link Rotator.boundTo}. */
export const boundTo = (secret: MasterSecret): Bounds => ({
  ...endpointBounds(secret, portOf(secret)),
  engine: secret.engine,
  dbInstanceIdentifier: secret.dbInstanceIdentifier ?? '',
  dbClusterIdentifier: secret.dbClusterIdentifier ?? '',
});
