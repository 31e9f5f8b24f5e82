import { SecretError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import type { Database, DatabaseApi, Kind } from './api.ts';
import { familyOfSecret, type MasterSecret, portOf } from './schema.ts';

/**
 * Finds the database whose master user the secret is of, by its identifier in the JSON, else by its host. An instance that is a
 * member of a cluster stands for the cluster, which has the password.
 * @throws SecretError `ManagedByAws` | `IdentityMismatch`
 * @throws TargetError
 */
export async function locate(
  secret: MasterSecret,
  api: DatabaseApi,
  context: TargetContext,
): Promise<Database> {
  const { dbInstanceIdentifier, dbClusterIdentifier } = secret;
  let database: Database;
  if (dbClusterIdentifier) {
    const kind = familyOfSecret(secret) === 'redshift' ? 'redshift' : 'cluster';
    database = await api.find(kind, dbClusterIdentifier, context);
  } else if (dbInstanceIdentifier) {
    database = await api.find('instance', dbInstanceIdentifier, context);
  } else {
    database = await locateByHost(secret, api, context);
  }
  if (database.memberOf !== undefined) {
    database = await api.find('cluster', database.memberOf, context);
  }
  requireOwn(database, secret);
  return database;
}

async function locateByHost(
  secret: MasterSecret,
  api: DatabaseApi,
  context: TargetContext,
): Promise<Database> {
  const { host, username } = secret;
  const found: Database[] = [];
  for (const kind of kindsOf(secret)) {
    const all = await api.list(kind, context);
    found.push(
      ...all.filter((one) => listensAt(one, secret) && (one.username === username || one.username === '')),
    );
    if (found.length > 0) break;
  }
  const [database] = found;
  if (database === undefined || found.length > 1) {
    const how = database === undefined ? 'no database' : `${found.length} databases`;
    throw new SecretError(
      'IdentityMismatch',
      `${how} of this account and region with the master user "${username}" at ${host}:${portOf(secret)}; ` +
        'put dbInstanceIdentifier or dbClusterIdentifier into the secret',
    );
  }
  return database;
}

/** Lists the kinds of database to look among by engine and host, most likely first. */
function kindsOf(secret: MasterSecret): readonly Kind[] {
  switch (familyOfSecret(secret)) {
    case 'redshift':
      return ['redshift'];
    case 'documentdb':
      return ['cluster'];
    default:
      return /\.cluster-/i.test(secret.host) || secret.engine.startsWith('aurora')
        ? ['cluster', 'instance']
        : ['instance', 'cluster'];
  }
}

const listensAt = ({ hosts, port }: Database, secret: MasterSecret): boolean =>
  hosts.includes(secret.host.toLowerCase()) && (port === undefined || port === portOf(secret));

/** Tells whether the API gives the database the host that the secret has. A host of its own may be an alias of that. */
export const isAtHost = ({ hosts }: Database, { host }: MasterSecret): boolean =>
  hosts.includes(host.toLowerCase());

function requireOwn(
  { what, username, managedSecret, replicaOf, kind }: Database,
  secret: MasterSecret,
): void {
  if (managedSecret !== undefined) {
    const service = kind === 'redshift' ? 'Redshift' : 'RDS';
    throw new SecretError(
      'ManagedByAws',
      `${service} itself manages the master password of ${what} in the secret ${managedSecret} and rotates it there; ` +
        'Rekey leaves it to that. Rotate that secret, or turn the management off at the database',
    );
  }
  if (replicaOf !== undefined) {
    throw new SecretError(
      'IdentityMismatch',
      `${what} is a replica of ${replicaOf} and has the master password of that; name that one in the secret`,
    );
  }
  if (username !== secret.username) {
    throw new SecretError(
      'IdentityMismatch',
      `the master user of ${what} is "${username}", the secret is of "${secret.username}"; its password cannot be set this way`,
    );
  }
}
