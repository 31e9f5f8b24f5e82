import { SecretError, TargetError } from '../../core/errors.ts';
import { LoginDenied, using } from '../login.ts';
import type { ApplyContext } from '../rotator.ts';
import {
  type Account,
  readAccounts,
  readGrants,
  requireSettable,
  setOwnPassword,
  setPassword,
} from './account.ts';
import { openServer, type Session, tryOpen } from './connection.ts';
import { isPrivileged } from './grants.ts';
import type { MysqlSecret } from './schema.ts';

type Context = ApplyContext<MysqlSecret>;

/**
 * Gives the user of `next` its new password. With an admin that sets it for every host of the user, otherwise the user
 * sets it by itself, with whichever of its passwords works, for the host that it logs in from.
 */
export async function applySingle(next: MysqlSecret, context: Context): Promise<void> {
  const { credentials } = context;
  const admin = await credentials.admin();
  const own = (kept: MysqlSecret) => kept.username === next.username;
  const login = await firstLogin(next, context, own);
  if (admin !== undefined) {
    if (login.session !== undefined) await login.session.end();
    await using(await openServer(admin, context), (session) =>
      changeByAdmin(session, next, login.proven, context),
    );
  } else if (login.session !== undefined) {
    await using(login.session, async (session) =>
      setOwnPassword(session, await session.prepare(), next.password),
    );
  } else {
    throw new SecretError(
      'CredentialUnusable',
      `${login.refusal}; neither do the previous and the other kept versions log in; name an admin secret in ` +
        '"masterarn", or set the password by hand to that of one version',
    );
  }
  if (!login.currentAccepted) {
    context.finding({
      code: 'CurrentCredentialRefused',
      message:
        `the server refused the current password of "${credentials.current.username}"; repaired with ` +
        (admin === undefined ? 'an older version' : 'the admin secret'),
    });
  }
}

interface FirstLogin {
  /** The first that logged in; for the caller to close. */
  readonly session?: Session;
  /** Whether a version of the secret is known to be of the user. */
  readonly proven: boolean;
  /** It was the current version, or the pending one that an earlier run has set already. */
  readonly currentAccepted: boolean;
  readonly refusal: string;
}

/**
 * Tries the current, the pending, the previous and the other kept versions until one logs in as a user that `concerns`
 * says is meant. A login that fails only because containment locked the account proves as much.
 */
export async function firstLogin(
  next: MysqlSecret,
  context: Context,
  concerns: (kept: MysqlSecret) => boolean,
): Promise<FirstLogin> {
  const { current, previous, others } = context.credentials;
  let refusal = '';
  const attempt = async (kept: MysqlSecret | undefined): Promise<FirstLogin | undefined> => {
    if (kept === undefined || !concerns(kept)) return undefined;
    const session = await tryOpen({ ...next, username: kept.username, password: kept.password }, context);
    const currentAccepted = kept === current || kept === next;
    if (!(session instanceof LoginDenied)) return { session, proven: true, currentAccepted, refusal };
    refusal ||= session.message;
    return session.passwordAccepted ? { proven: true, currentAccepted, refusal } : undefined;
  };
  const first = (await attempt(current)) ?? (await attempt(next)) ?? (await attempt(await previous()));
  if (first !== undefined) return first;
  for await (const other of others()) {
    const found = await attempt(other);
    if (found !== undefined) return found;
  }
  return { proven: false, currentAccepted: false, refusal };
}

async function changeByAdmin(
  session: Session,
  next: MysqlSecret,
  proven: boolean,
  context: Context,
): Promise<void> {
  const server = await session.prepare();
  const accounts = await readAccounts(session, server, next.username);
  if (accounts.length === 0) {
    throw new TargetError('TargetRefused', `${session.place.where}: there is no user "${next.username}"`);
  }
  for (const account of accounts) requireSettable(session, server, account);
  if (!proven) await requireHarmless(session, accounts);
  await setPassword(session, server, accounts, next.password);
  noteUnlocked(accounts, context);
}

/**
 * Nothing proves that the secret belongs to the user: whoever may write the secret could name any user in it and have
 * it handed over by the admin. So that is not done for users who may do more than read and write data.
 * @throws SecretError `CredentialUnusable`
 */
export async function requireHarmless(session: Session, accounts: readonly Account[]): Promise<void> {
  for (const account of accounts) {
    if (account.user === session.place.username || isPrivileged(await readGrants(session, account))) {
      throw new SecretError(
        'CredentialUnusable',
        `no version of the secret logs in, and "${account.user}" is too privileged a user to be reset by the admin ` +
          'without any proof that the secret belongs to it; set its password by hand to that of one version',
      );
    }
  }
}

/** A locked account was contained, or locked by somebody on purpose; only a person can tell which. */
export function noteUnlocked(accounts: readonly Account[], context: Context): void {
  const locked = accounts.filter((account) => account.locked);
  if (locked.length === 0) return;
  context.finding({
    code: 'LoginRestored',
    message: `user "${locked[0]?.user}" was locked, as after a containment; the rotation unlocked it`,
  });
}
