import { SecretError, TargetError } from '../../core/errors.ts';
import { LoginRefused, using } from '../login.ts';
import type { ApplyContext } from '../rotator.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { readRoles, requireAlter, requireValid, setPassword, verifierOf } from './role.ts';
import { databaseOf, type PostgresSecret } from './schema.ts';

/**
 * Gives the user of `next` its new password, by itself with whichever of its passwords works, else with the admin.
 * One connection where nothing is wrong.
 */
export async function applySingle(
  next: PostgresSecret,
  context: ApplyContext<PostgresSecret>,
): Promise<void> {
  const { credentials } = context;
  const { username } = next;
  const verifier = await verifierOf(next, context.random);
  const refused = (who: string) =>
    context.finding({
      code: 'CurrentCredentialRefused',
      severity: 'medium',
      message: `the server refused the current password of "${username}"; repaired with ${who}`,
    });

  const current = await tryOpen(credentials.current, context);
  if (!(current instanceof LoginRefused)) {
    await using(current, (session) => changeOwn(session, username, verifier, context));
    return;
  }

  // An earlier run may have got as far as the server.
  const pending = await tryOpen(next, context);
  if (!(pending instanceof LoginRefused)) {
    await pending.end();
    return;
  }

  let proven = current.passwordAccepted || pending.passwordAccepted;
  const own = async (kept: PostgresSecret, which: string): Promise<boolean> => {
    if (kept.username !== username) return false;
    const session = await tryOpen({ ...next, password: kept.password }, context);
    if (session instanceof LoginRefused) {
      proven ||= session.passwordAccepted;
      return false;
    }
    await using(session, (open) => changeOwn(open, username, verifier, context));
    refused(which);
    return true;
  };

  const previous = await credentials.previous();
  if (previous !== undefined && (await own(previous, 'the previous one'))) return;

  const admin = await credentials.admin();
  if (admin !== undefined && (await changeByAdmin(admin, next, verifier, context, proven))) {
    if (!current.passwordAccepted) refused('the admin secret');
    return;
  }
  for await (const other of credentials.others()) {
    if (await own(other, 'an older version')) return;
  }
  throw new SecretError(
    'CredentialUnusable',
    `${current.message}; neither do the pending, the previous and the other kept versions log in` +
      (admin === undefined
        ? '; name an admin secret in "masterarn", or set the password by hand to that of one version'
        : `, and "${username}" is too privileged a user to be reset by the admin without any proof that the secret ` +
          'belongs to it; set its password by hand to that of one version'),
  );
}

/** A user changes its own password; where the server reserves that to others, the admin does it. */
async function changeOwn(
  session: Session,
  username: string,
  verifier: string,
  context: ApplyContext<PostgresSecret>,
): Promise<void> {
  try {
    await session.transaction(() => setPassword(session, username, verifier, { login: false }));
  } catch (error) {
    const reserved =
      error instanceof TargetError && (error.code === 'PermissionMissing' || error.code === 'TargetRefused');
    const admin = reserved ? await context.credentials.admin() : undefined;
    if (admin === undefined) throw error;
    await changeByAdmin(admin, { ...context.credentials.current, username }, verifier, context, true);
  }
}

/**
 * The admin sets the password.
 * @returns false when nothing proves that the secret belongs to the user and the user is a privileged one: whoever
 * may write the secret could otherwise name any user in it and have it handed over.
 */
async function changeByAdmin(
  admin: PostgresSecret,
  next: PostgresSecret,
  verifier: string,
  context: ApplyContext<PostgresSecret>,
  proven: boolean,
): Promise<boolean> {
  const { username } = next;
  const session = await open(admin, context, databaseOf(next));
  return await using(session, () =>
    session.transaction(async (version) => {
      const role = (await readRoles(session, [username])).get(username);
      if (role === undefined) {
        throw new TargetError('TargetRefused', `${session.place.where}: there is no role "${username}"`);
      }
      if (!proven && (role.privileged || role.self)) return false;
      if (!role.self) requireAlter(session, role, version);
      requireValid(session, role);
      await setPassword(session, username, verifier, { login: !role.login });
      if (!role.login) noteLoginRestored(username, context);
      return true;
    }),
  );
}

/** A role without LOGIN was contained, or disabled by somebody on purpose; only a person can tell which. */
export function noteLoginRestored(username: string, context: ApplyContext<PostgresSecret>): void {
  context.finding({
    code: 'LoginRestored',
    severity: 'low',
    message: `role "${username}" was NOLOGIN, as after a containment; the rotation gave LOGIN back`,
  });
}
