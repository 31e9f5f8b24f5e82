import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, TargetContext } from '../../core/rotator.ts';
import { toAssign } from '../families/assigned.ts';
import { transportOf } from '../transport/tls/transport.ts';
import type { Database } from './api.ts';
import { tryLogin } from './login.ts';
import { reset, type Tools } from './reset.ts';
import { isAtHost, locate } from './resource.ts';
import type { MasterSecret } from './schema.ts';

/**
 * Makes the password of `next` the master user's. The API needs no login for it, so this repairs whatever came before. The
 * current one is tried all the same, because a password that was changed by others is worth a person's look.
 * @throws SecretError, TargetError
 */
export async function apply(
  next: MasterSecret,
  context: ApplyContext<MasterSecret>,
  tools: Tools,
): Promise<void> {
  const deadline = Date.now() + tools.pace.budgetMs;
  const { current } = context.credentials;
  await requireTransport(next, context);
  const login = await tryLogin(current, context);
  // What could not be tried afterwards is not changed.
  if (login instanceof TargetError) throw login;
  if (login === 'refused' && (await tryLogin(next, context)) === 'accepted') return;
  const database = await locate(next, tools.api, context);
  await requireSameDatabase(database, current, context);
  await reset(database, next, { deadline, blind: false }, tools, context);
  if (login !== 'refused') return;
  context.finding({
    code: 'CurrentCredentialRefused',
    message: `the server refused the current password of "${current.username}"; ${database.what} was given the new one through its API`,
  });
}

/**
 * Tells whether a password that the API sets may be sent where a secret points. Without TLS anybody on the way may be told it, and
 * accept whatever is sent, so that no login proves anything: the deployment must name the place.
 */
export const isSafeToSend = async (
  secret: MasterSecret,
  { credentials }: Pick<ApplyContext<MasterSecret>, 'credentials'>,
): Promise<boolean> => transportOf(secret) !== 'plaintext' || (await credentials.isAssigned(secret));

/**
 * Refuses to set a password that would be sent without TLS because only the secret asks for that. Whoever may write it, and
 * listens on the way, would learn the master password.
 * @throws SecretError `CredentialUnusable`
 */
async function requireTransport(next: MasterSecret, context: ApplyContext<MasterSecret>): Promise<void> {
  if (await isSafeToSend(next, context)) return;
  throw new SecretError(
    'CredentialUnusable',
    `the secret of "${next.username}" asks for a connection without TLS, over which a master password that works is not sent; ` +
      `take "ssl": false out of it, or: ${toAssign(next)}`,
  );
}

/**
 * Refuses to change another database than the one at the secret's host. An identifier is easily left as it was when a secret is
 * copied, and whoever may write the secret could have the new password sent to a host of their own. Another name for it is fine
 * where the password logs in at the database itself. A name may stand for something else a moment later.
 * @throws SecretError `IdentityMismatch`
 */
export async function requireSameDatabase(
  database: Database,
  credential: MasterSecret,
  context: TargetContext,
): Promise<void> {
  if (isAtHost(database, credential)) return;
  const [host] = database.hosts;
  const { port } = database;
  const there = host === undefined ? undefined : { ...credential, host, ...(port !== undefined && { port }) };
  if (there !== undefined && (await tryLogin(there, context)) === 'accepted') return;
  throw new SecretError(
    'IdentityMismatch',
    `the secret's host ${credential.host} is none of ${database.what}, whose endpoint is ${host ?? 'not known'}, and the ` +
      `password of the secret does not log in there; correct host, dbInstanceIdentifier or dbClusterIdentifier`,
  );
}
