import { endsLikeSuffix, sameSecret } from '../../core/deployed/names.ts';
import { SecretError } from '../../core/errors/rekey-error.ts';
import type { DatabaseDirectory, SecretStore } from '../../core/ports.ts';
import type { Bounds, Credentials, Revoker } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import type { Assignment } from '../../core/secret/definition.ts';
import { type SecretDescription, type Strategy, stages, versionWith } from '../../core/secret/secret.ts';
import { differences } from './content.ts';
import { unlessUnreadable } from './refusals.ts';
import { isFirstValue, parseCredential, parseSecretJson, type SecretJson } from './secret-value.ts';

/** Older versions that recovery tries at the most: each costs a read and a login. */
const otherVersionsTried = 5;

export interface CredentialSources<S extends object> {
  readonly rotator: Revoker<S>;
  readonly strategy: Strategy;
  readonly store: SecretStore;
  readonly databases: DatabaseDirectory;
  /** Gives the user, place and admin secret that the deployment names as the secret's. Default: none. */
  readonly assigned?: (secret: SecretDescription) => Promise<Assignment | undefined>;
}

/**
 * Gives the credentials at hand for one secret: the current one at once, the others when a rotator asks. Versions that are of
 * another host, port or TLS setting than the current one are left out, since a rotator tries them where that is.
 * @param current - the parsed value of AWSCURRENT
 */
export function credentialsAtHand<S extends object>(
  sources: CredentialSources<S>,
  description: SecretDescription,
  current: S,
): Credentials<S> {
  const { rotator, store } = sources;
  const read = async (versionId: string): Promise<S | undefined> => {
    const version = await store.read(description.arn, { versionId });
    const where = `${description.name} version ${versionId}`;
    if (version === undefined || isFirstValue(parseSecretJson(version.value, where))) return undefined;
    const credential = parseCredential(rotator.schema, version.value, where);
    return isOfSamePlace(rotator, credential, current) ? credential : undefined;
  };
  let admin: Promise<S | undefined> | undefined;
  const isAssigned = (credential: S) => isOfAssigned(sources, description, credential);
  return {
    current,
    isAssigned,
    admin: () => {
      admin ??= readAdmin(sources, current, isAssigned);
      return admin;
    },
    previous: async () => {
      const versionId = versionWith(description, stages.previous);
      // What holds no credential is no way in; the others may be.
      return versionId === undefined ? undefined : read(versionId).catch(unlessUnreadable);
    },
    others: async function* (which = 'all') {
      // Labels that people give, such as "last-known-good", make a version a better way in: those come first.
      const own: readonly string[] = Object.values(stages);
      const versions = await store.listVersions(description.arn);
      const currentId = versionWith(description, stages.current);
      const at = versions.findIndex(({ versionId }) => versionId === currentId);
      const labelled = ({ versionId }: { readonly versionId: string }) =>
        description.versions[versionId] === undefined ? 1 : 0;
      const kept = (which === 'newer' ? versions.slice(0, Math.max(at, 0)) : versions)
        .filter(({ versionId }) => !description.versions[versionId]?.some((label) => own.includes(label)))
        .toSorted((one, other) => labelled(one) - labelled(other))
        .slice(0, otherVersionsTried);
      for (const { versionId } of kept) {
        // A version that cannot be read or is malformed is no way in; the next one may be.
        const credential = await read(versionId).catch(() => undefined);
        if (credential !== undefined) {
          yield credential;
        }
      }
    },
  };
}

/** Tells whether a credential may be sent where another one goes. Whose it is, the rotators look at themselves. */
export const isOfSamePlace = <S extends object>(
  { boundTo }: Pick<Revoker<S>, 'boundTo'>,
  credential: S,
  there: S,
): boolean => differences(boundTo(credential), boundTo(there)).every((key) => key === 'username');

/**
 * Tells whether the deployment names a credential as the secret's; see {@link Credentials.isAssigned}. Two users who take turns
 * count as one.
 */
async function isOfAssigned<S extends object>(
  { rotator, strategy, assigned }: CredentialSources<S>,
  description: SecretDescription,
  credential: S,
): Promise<boolean> {
  const said = await assigned?.(description);
  if (said === undefined) return false;
  const { username, masterarn } = credential as SecretJson;
  const { fields } = said;
  if (typeof username !== 'string') return false;
  const inTurn = strategy === 'alternating-users' && pairOf(username).base === pairOf(fields.username).base;
  if (username !== fields.username && !inTurn) return false;
  const admin = typeof masterarn === 'string' && masterarn !== '' ? masterarn : undefined;
  const sameAdmin =
    admin === undefined || said.masterarn === undefined
      ? admin === said.masterarn
      : sameSecret(admin, said.masterarn);
  if (!sameAdmin) return false;
  const { port: _port, ssl: _ssl, ...rest } = credential as SecretJson;
  const meant = rotator.schema.safeParse({ ...rest, ...fields, username });
  return meant.success && differences(rotator.boundTo(meant.data), rotator.boundTo(credential)).length === 0;
}

/**
 * Reads the admin secret named in `masterarn` and makes sure that it is of the same target.
 *
 * A secret that RDS manages holds only `username` and `password`. The RDS API is asked where its database listens, by the tags
 * that RDS puts on the secret. The admin of a read replica's user is the primary's.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
 */
async function readAdmin<S extends object>(
  sources: CredentialSources<S>,
  current: S,
  isAssigned: (credential: S) => Promise<boolean>,
): Promise<S | undefined> {
  const { rotator, store, databases } = sources;
  const arn = (current as SecretJson).masterarn;
  if (typeof arn !== 'string' || arn === '') {
    return undefined;
  }
  const version = await store.read(arn, { stage: stages.current });
  if (version === undefined) {
    throw new SecretError(
      'AdminSecretMissing',
      `the admin secret ${arn} (key masterarn) does not exist or has no value; correct masterarn${partial(arn)} or store the admin credential there`,
    );
  }
  const json = parseSecretJson(version.value, arn);
  const { host } = current as SecretJson;
  const located =
    typeof host === 'string' && json.host === undefined ? await locateManaged(sources, arn) : {};
  const admin = parseCredential(rotator.schema, JSON.stringify({ ...located, ...json }), arn);
  const { host: adminHost } = admin as SecretJson;
  if (typeof adminHost !== 'string' || typeof host !== 'string') return admin;
  if (adminHost !== host && !(await databases.sharesUsers(host, adminHost))) {
    throw new SecretError(
      'AdminSecretMismatch',
      `the admin secret ${arn} is of host ${adminHost}, the secret of host ${host}, which RDS knows neither as an endpoint of the same cluster nor as a replica of it; correct masterarn`,
    );
  }
  const weaker = placeApart(rotator.boundTo(admin), rotator.boundTo(current));
  if (weaker !== undefined && !(await isAssigned(current))) {
    throw new SecretError(
      'AdminSecretMismatch',
      `the admin secret ${arn} is of ${weaker.admin}, the secret of ${weaker.secret}: what the admin sets at the one would be sent to the other; correct masterarn, or have the configuration say where the secret is used (create.fields, or identity of an adopted secret)`,
    );
  }
  return admin;
}

/**
 * Says how a secret points elsewhere than the admin that sets its passwords, though at the same host. Whoever listens there would
 * be sent a password that works where the admin is.
 */
function placeApart(admin: Bounds, secret: Bounds): { admin: string; secret: string } | undefined {
  if (admin.port !== secret.port) return { admin: `port ${admin.port}`, secret: `port ${secret.port}` };
  return secret.ssl === 'plaintext' && admin.ssl !== 'plaintext'
    ? { admin: 'a connection with TLS', secret: 'one without (ssl: false)' }
    : undefined;
}

/** Says what may be wrong with an ARN that looks full and is not found. The end of the name was then taken for the suffix. */
const partial = (arn: string): string =>
  arn.startsWith('arn:') && endsLikeSuffix(arn)
    ? ' (if its name ends in a hyphen and six characters, masterarn needs six more, as the full ARN has them),'
    : '';

async function locateManaged<S extends object>(
  { store, databases }: CredentialSources<S>,
  arn: string,
): Promise<SecretJson> {
  const { tags } = await store.describe(arn);
  const database = tags['aws:rds:primaryDBInstanceArn'] ?? tags['aws:rds:primaryDBClusterArn'];
  const located = database === undefined ? undefined : await databases.locate(database);
  if (located === undefined) {
    throw new SecretError(
      'AdminSecretMismatch',
      `the admin secret ${arn} holds no host, and ${database === undefined ? 'RDS does not manage it' : `RDS does not know ${database}`}; add host to it or name the database's own admin secret`,
    );
  }
  return located;
}
