import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { requireAssigned } from '../families/assigned.ts';
import { LoginDenied, using } from '../transport/login.ts';
import {
  type Account,
  anyHasPassword,
  hasPassword,
  readAccounts,
  readGrants,
  requireWayIn,
  setOwnPassword,
  setPassword,
  settableOf,
} from './account.ts';
import { openServer, type Session, tryOpen } from './connection.ts';
import { isPrivileged } from './grants.ts';
import type { MysqlSecret } from './schema.ts';
import { accountName } from './sql.ts';

type Context = ApplyContext<MysqlSecret>;

/**
 * Gives the user of `next` its new password. An admin sets it for every host of the user. Without one the user sets it by itself,
 * with any of its passwords that works, for the host that it logs in from.
 */
export async function applySingle(next: MysqlSecret, context: Context): Promise<void> {
  const own = (kept: MysqlSecret) => kept.username === next.username;
  const admin = await context.credentials.admin().catch((error: unknown) => {
    if (!(error instanceof SecretError)) throw error;
    return error;
  });
  if (admin instanceof SecretError || admin === undefined) {
    await changeOwn(next, own, context, admin);
    return;
  }
  const currentAccepted = await using(await openServer(admin, context), (session) =>
    changeByAdmin(session, next, own, context),
  );
  if (!currentAccepted) noteRepaired(context, 'the admin secret');
}

/**
 * Changes the user's password as that user, with any of its passwords that works. AWS's function for one user never looks at
 * `masterarn`. So a rotation that can do without the admin secret goes on when that cannot be read.
 */
async function changeOwn(
  next: MysqlSecret,
  own: (kept: MysqlSecret) => boolean,
  context: Context,
  unread: SecretError | undefined,
): Promise<void> {
  const login = await firstLogin(next, context, own);
  if (login.session === undefined) {
    if (unread !== undefined) throw unread;
    throw new SecretError(
      'CredentialUnusable',
      `${login.refusal}; neither do the passwords that a rotation may have set, and of those that were replaced before no more are tried, ` +
        'since servers block accounts after some refused logins; name an admin secret in "masterarn", or set the password by ' +
        'hand to that of one version',
    );
  }
  await using(login.session, async (session) => {
    const server = await session.prepare();
    await noteReplicas(session, next.username, context);
    await setOwnPassword(session, server, next.password, login.password ?? '');
  });
  if (!login.currentAccepted) noteRepaired(context, 'an older version');
  if (unread !== undefined) {
    context.finding({
      code: 'AdminSecretUnread',
      message: `"${next.username}" set its own password, at the host alone that it logs in from, since the admin secret was of no use: ${unread.message}`,
    });
  }
}

const noteRepaired = ({ credentials, finding }: Context, repairedWith: string): void =>
  finding({
    code: 'CurrentCredentialRefused',
    message: `the server refused the current password of "${credentials.current.username}"; repaired with ${repairedWith}`,
  });

/**
 * Number of refused logins that one step risks for passwords that were replaced. Without an admin, the server cannot be asked how
 * many it takes.
 */
const mostRefused = 3;

/**
 * Yields versions of the secret, in the order in which they are likely to be right, each password once. First come those that a
 * rotation may have set. The later ones were replaced once, and are right only where somebody brought them back.
 */
async function* candidates(
  next: MysqlSecret,
  { credentials }: Pick<Context, 'credentials'>,
  concerns: (kept: MysqlSecret) => boolean,
): AsyncGenerator<{ readonly kept: MysqlSecret; readonly replaced: boolean }> {
  const seen = new Set<string>();
  const isNew = (kept: MysqlSecret | undefined): kept is MysqlSecret => {
    if (kept === undefined || !concerns(kept)) return false;
    const login = JSON.stringify([kept.username, kept.password]);
    return !seen.has(login) && Boolean(seen.add(login));
  };
  for (const kept of [credentials.current, next]) if (isNew(kept)) yield { kept, replaced: false };
  for await (const kept of credentials.others('newer')) if (isNew(kept)) yield { kept, replaced: false };
  const previous = await credentials.previous();
  if (isNew(previous)) yield { kept: previous, replaced: true };
  for await (const kept of credentials.others()) if (isNew(kept)) yield { kept, replaced: true };
}

/** The facts that are known of the credentials of a secret. */
export interface Proof {
  /** True if a version of the secret is known to be of the user. */
  readonly proven: boolean;
  /** True if it was the current version, or the pending one that an earlier run has set already. */
  readonly currentAccepted: boolean;
}

interface FirstLogin extends Proof {
  /** Session of the first that logged in; for the caller to close. */
  readonly session?: Session;
  /** Password that it has logged in with. */
  readonly password?: string;
  readonly refusal: string;
}

/**
 * Tries versions of the secret until one logs in as a user that `concerns` says is meant. They are the current, the pending, the
 * previous and the other kept ones. After {@link mostRefused} it tries none that was replaced.
 */
async function firstLogin(
  next: MysqlSecret,
  context: Context,
  concerns: (kept: MysqlSecret) => boolean,
): Promise<FirstLogin> {
  let refusal = '';
  let refused = 0;
  for await (const { kept, replaced } of candidates(next, context, concerns)) {
    if (replaced && refused >= mostRefused) break;
    // No second login over TLS: a server may block an account after some that it refuses.
    const session = await tryOpen(
      { ...next, username: kept.username, password: kept.password },
      context,
      'left',
    );
    const currentAccepted = kept === context.credentials.current || kept === next;
    if (!(session instanceof LoginDenied)) {
      const { password } = kept;
      return { session, password, proven: true, currentAccepted, refusal };
    }
    refusal ||= session.message;
    if (session.passwordAccepted) return { proven: true, currentAccepted, refusal };
    refused += 1;
  }
  return { proven: false, currentAccepted: false, refusal };
}

/**
 * Finds out which of the versions is of its user, by what the server keeps of passwords. A login is not risked. The server may
 * block an account after the first that it refuses, and with it the application that has the right password.
 * @param accounts - of all users that `concerns` says are meant
 */
export async function proofIn(
  accounts: readonly Account[],
  next: MysqlSecret,
  context: Context,
  concerns: (kept: MysqlSecret) => boolean,
): Promise<Proof> {
  for await (const { kept } of candidates(next, context, concerns)) {
    const ofUser = accounts.filter(({ user }) => user === kept.username);
    if (ofUser.length === 0 || anyHasPassword(ofUser, kept.password) !== true) continue;
    return { proven: true, currentAccepted: kept === context.credentials.current || kept === next };
  }
  return { proven: false, currentAccepted: false };
}

/**
 * Leaves out accounts that are somebody else's. They have the same name at another host, with a password that no version of the
 * secret holds. Where no account has one that a version holds, nothing tells them apart.
 * @param accounts - of users that `concerns` says are meant
 */
export async function ownAmong(
  session: Session,
  accounts: readonly Account[],
  next: MysqlSecret,
  context: Pick<Context, 'credentials' | 'finding'>,
  concerns: (kept: MysqlSecret) => boolean,
): Promise<Account[]> {
  if (accounts.length < 2) return [...accounts];
  const foreign = new Set(accounts.filter(({ isOpen }) => !isOpen));
  for await (const { kept } of candidates(next, context, concerns)) {
    for (const account of foreign) {
      if (account.user === kept.username && hasPassword(account, kept.password) !== false)
        foreign.delete(account);
    }
    if (foreign.size === 0) break;
  }
  if (foreign.size === 0 || foreign.size === accounts.length) return [...accounts];
  const named = [...foreign].map((account) => `${accountName(account)}${account.locked ? ' (locked)' : ''}`);
  context.finding({
    code: 'AccountNotRotated',
    message: `${session.place.where}: no version of the secret holds the password of ${named.join(', ')}, so somebody else logs in as that, and it stays as it is; if it is meant, set its password to that of the current version`,
  });
  return accounts.filter((account) => !foreign.has(account));
}

/** Changes the password as the admin. @returns whether the current version was accepted before */
async function changeByAdmin(
  session: Session,
  next: MysqlSecret,
  own: (kept: MysqlSecret) => boolean,
  context: Context,
): Promise<boolean> {
  const server = await session.prepare();
  const all = await readAccounts(session, server, next.username);
  if (all.length === 0) {
    throw new TargetError('TargetRefused', `${session.place.where}: there is no user "${next.username}"`);
  }
  const settable = settableOf(session, server, all, context);
  const accounts = await ownAmong(session, settable, next, context, own);
  requireWayIn(session, accounts, next);
  const { proven, currentAccepted } = await proofIn(accounts, next, context, own);
  if (!proven) await requireHarmless(session, accounts, next, context);
  await noteReplicas(session, next.username, context);
  await setPassword(session, server, accounts, next.password);
  noteOpened(accounts, context);
  return currentAccepted;
}

/**
 * Lets the admin act for an unproven user only if the deployment names it and it is harmless. Otherwise whoever may write the
 * secret could name any user in it and have it handed over by the admin. A harmless user may do no more than read and write data.
 * @throws SecretError `CredentialUnusable`
 */
export async function requireHarmless(
  session: Session,
  accounts: readonly Account[],
  next: MysqlSecret,
  { credentials }: Context,
): Promise<void> {
  await requireAssigned(next, credentials);
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

/** Notes what the new password ends besides the old one. The accounts are as they were before. */
export function noteOpened(accounts: readonly Account[], context: Context): void {
  noteUnlocked(accounts, context);
  const open = accounts.filter(({ isOpen, locked }) => isOpen && !locked);
  if (open.length === 0) return;
  context.finding({
    code: 'PasswordlessLogin',
    message: `${open.map(accountName).join(', ')} let everybody in without a password; the rotation gave it one`,
  });
}

/**
 * Says that replicas log in as the user. They have the password from a statement of their own, and are refused when they connect anew. An
 * admin without PROCESS sees its own sessions alone.
 * @see https://mariadb.com/kb/en/setting-up-replication/
 * @see https://dev.mysql.com/doc/refman/8.4/en/replication-howto-repuser.html
 */
export async function noteReplicas(
  session: Session,
  username: string,
  { finding }: Pick<Context, 'finding'>,
): Promise<void> {
  const rows = await session.run<{ user: string }>(
    "SELECT USER AS user FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
    { doing: 'look for replicas' },
  );
  const theirs = rows.filter(({ user }) => user === username).length;
  if (theirs === 0) return;
  finding({
    code: 'ReplicationLoginChanged',
    message: `${session.place.where}: ${theirs} replicas log in as "${username}" with the old password; set the new one there (CHANGE REPLICATION SOURCE TO, CHANGE MASTER TO), or replication ends with their next connection`,
  });
}

/**
 * Notes that locked accounts were unlocked. Such an account was contained, or locked by somebody on purpose; only a person can
 * tell which.
 */
function noteUnlocked(accounts: readonly Account[], context: Context): void {
  const locked = accounts.filter((account) => account.locked);
  if (locked.length === 0) return;
  context.finding({
    code: 'LoginRestored',
    message: `user "${locked[0]?.user}" was locked, as after a containment; the rotation unlocked it`,
  });
}
