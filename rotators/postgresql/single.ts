import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { changePassword } from '../families/single-user.ts';
import { using } from '../transport/login.ts';
import { open, type Session, tryOpen } from './connection.ts';
import {
  noteStandbys,
  readRoles,
  requireAlter,
  requireValid,
  setPassword,
  type Verifier,
  verifierOf,
} from './role.ts';
import { databaseOf, type PostgresSecret } from './schema.ts';
import type { ServerForm } from './wire.ts';

/** Gives the user of `next` its new password; see {@link changePassword}. */
export async function applySingle(
  next: PostgresSecret,
  context: ApplyContext<PostgresSecret>,
): Promise<void> {
  const verifier = await verifierOf(next, context.random);
  const heard: ServerForm = {};
  await changePassword(next, context, {
    tryOpen: (secret) => tryOpen(secret, context, heard),
    changeOwn: (session) => changeOwn(session, { next, verifier, heard, context }),
    changeByAdmin: (admin, proven) => changeByAdmin(admin, { next, verifier, heard, context }, proven),
  });
}

/** The values that one run works with. */
interface Work {
  readonly next: PostgresSecret;
  readonly verifier: Verifier;
  readonly heard: ServerForm;
  readonly context: ApplyContext<PostgresSecret>;
}

/** Changes a user's own password as that user. Where the server reserves that to others, the admin does it. */
async function changeOwn(session: Session, work: Work): Promise<void> {
  const { next, verifier, context } = work;
  const { username } = next;
  try {
    await session.transaction(async () => {
      await noteStandbys(session, username, context);
      await setPassword(session, username, verifier, { login: false });
    });
  } catch (error) {
    const reserved =
      error instanceof TargetError && (error.code === 'PermissionMissing' || error.code === 'TargetRefused');
    const admin = reserved ? await context.credentials.admin() : undefined;
    if (admin === undefined) throw error;
    await changeByAdmin(admin, { ...work, next: { ...context.credentials.current, username } }, true);
  }
}

/**
 * Sets the password as the admin.
 * @returns false when nothing proves that the secret belongs to the user and the user is a privileged one: whoever
 * may write the secret could otherwise name any user in it and have it handed over.
 */
async function changeByAdmin(
  admin: PostgresSecret,
  { next, verifier, heard, context }: Work,
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
      await noteStandbys(session, username, context);
      await setPassword(session, username, verifier, { login: !role.login, kept: heard.form });
      if (!role.login) noteLoginRestored(username, context);
      return true;
    }),
  );
}

/**
 * Notes that the rotation gave LOGIN back. A role without it was contained, or disabled by somebody on purpose; only a person can
 * tell which.
 */
export function noteLoginRestored(username: string, context: ApplyContext<PostgresSecret>): void {
  context.finding({
    code: 'LoginRestored',
    message: `role "${username}" was NOLOGIN, as after a containment; the rotation gave LOGIN back`,
  });
}
