import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { LoginDenied, LoginHindered, type LoginRefused, using } from '../transport/login.ts';
import { requireAssigned } from './assigned.ts';

/** The ways in which one kind of server lets a password be changed. */
export interface PasswordChange<S, C> {
  tryOpen(secret: S): Promise<C | LoginRefused | LoginHindered>;
  /** Changes the password as the user itself. */
  changeOwn(session: C): Promise<void>;
  /**
   * Changes the password as the admin.
   * @param proven - some version of the secret is known to be of the user; else the deployment says so
   * @returns false when the admin must not: nothing is proven, and the user is a privileged one
   */
  changeByAdmin(admin: S, proven: boolean): Promise<boolean>;
}

/**
 * Gives the user of `next` its new password. The user sets it with any of its passwords that works, else the admin does. It takes
 * one connection where nothing is wrong.
 * @throws SecretError `CredentialUnusable`
 */
export async function changePassword<
  S extends { username: string; password: string; host: string },
  C extends { end(): Promise<void> },
>(next: S, context: ApplyContext<S>, change: PasswordChange<S, C>): Promise<void> {
  const { credentials } = context;
  const { username } = next;
  const current = await change.tryOpen(credentials.current);
  if (!(current instanceof LoginDenied)) {
    await using(current, (session) => change.changeOwn(session));
    return;
  }

  const repaired = (who: string) => {
    // Of a right one that has expired, for example, there is nothing to find out.
    if (!current.passwordAccepted) noteRefused(context, current, who);
  };

  // An earlier run may have got as far as the server.
  const pending = await change.tryOpen(next);
  if (!(pending instanceof LoginDenied)) {
    await pending.end();
    return;
  }

  let proven = current.passwordAccepted || pending.passwordAccepted;
  const own = async (kept: S, which: string): Promise<boolean> => {
    if (kept.username !== username) return false;
    const session = await change.tryOpen({ ...next, password: kept.password });
    if (session instanceof LoginDenied) {
      proven ||= session.passwordAccepted;
      return false;
    }
    await using(session, (open) => change.changeOwn(open));
    repaired(which);
    return true;
  };

  const previous = await credentials.previous();
  if (previous !== undefined && (await own(previous, 'the previous one'))) return;

  let adminFault: RekeyError | undefined;
  const admin = await credentials.admin().catch((error: unknown) => {
    // What passes is waited for: older versions that are tried meanwhile are logins that may be refused, and are counted.
    if (!(error instanceof RekeyError) || error.retryable) throw error;
    adminFault = error;
    return undefined;
  });
  const byAdmin = async (): Promise<boolean> => {
    if (admin === undefined || !(await change.changeByAdmin(admin, proven))) return false;
    repaired('the admin secret');
    return true;
  };
  const tied = proven || (await credentials.isAssigned(next));
  const askedWith = proven;
  if (tied && (await byAdmin())) return;
  for await (const other of credentials.others()) {
    if (await own(other, 'an older version')) return;
  }
  if (adminFault !== undefined) throw adminFault;
  // Asked already with what was known then; a password that turned out right since is more.
  if (admin !== undefined && (!tied || proven !== askedWith)) {
    if (!proven) await requireAssigned(next, credentials);
    if (await byAdmin()) return;
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

/** Notes that the current version did not log in, and what was done about it. */
const noteRefused = <S extends { username: string }>(
  context: ApplyContext<S>,
  denied: LoginDenied | undefined,
  repairedWith: string,
): void =>
  context.finding({
    code: 'CurrentCredentialRefused',
    message: `${
      denied instanceof LoginHindered
        ? `the current password did not log in: ${denied.message}`
        : `the server refused the current password of "${context.credentials.current.username}"`
    }; repaired with ${repairedWith}`,
  });
