import { SecretError, TargetError } from '../../core/errors.ts';
import { LoginDenied, using } from '../login.ts';
import type { ApplyContext, RetireContext, RetireResult } from '../rotator.ts';
import {
  type Account,
  changePermission,
  identified,
  readAccounts,
  requireSettable,
  setPassword,
} from './account.ts';
import { keepsTwoPasswords, openServer, type Server, type Session, tryOpen } from './connection.ts';
import type { MysqlSecret } from './schema.ts';
import { firstLogin, noteUnlocked, requireHarmless } from './single.ts';
import { accountName } from './sql.ts';
import { inTurn } from './turn.ts';

type Context = ApplyContext<MysqlSecret>;

/**
 * Gives the user a second password beside the current one, as the admin: at each of its hosts the next is the primary and
 * the current one the retained, and no other logs in.
 * @see https://dev.mysql.com/doc/refman/8.4/en/password-management.html#dual-passwords
 */
export async function applyDual(next: MysqlSecret, context: Context): Promise<void> {
  const admin = await adminOf(next, context);
  await using(await openServer(admin, context), async (session) => {
    const server = await session.prepare();
    requireDual(session, server);
    await inTurn(session, next.username, context, async () => {
      // An earlier run was done; what follows would take the next password away for a moment.
      if (await logsIn(next, next, context)) return;
      const login = await firstLogin(next, context, ({ username }) => username === next.username);
      await login.session?.end();
      const accounts = await accountsOf(session, server, next.username);
      if (!login.proven) await requireHarmless(session, accounts);
      const { current } = context.credentials;
      // A locked user was contained: none of its passwords comes back.
      if (accounts.some(({ locked }) => locked) || !(await logsIn(current, next, context))) {
        await setPassword(session, server, accounts, next.password);
        await discard(session, accounts);
        noteUnlocked(accounts, context);
      } else {
        await bePrimary(session, server, accounts, current.password);
        await setPassword(session, server, accounts, next.password, ' RETAIN CURRENT PASSWORD');
      }
      if (!login.currentAccepted) {
        context.finding({
          code: 'CurrentCredentialRefused',
          message: `the server refused the current password of "${next.username}"; repaired by the admin`,
        });
      }
    });
  });
}

/**
 * See {@link Rotator.retire}. Takes the old password away while the user has the current one as well: a user that a
 * containment has left with one password keeps that as the proof of whose secret it is.
 */
export async function retire(old: MysqlSecret, context: RetireContext<MysqlSecret>): Promise<RetireResult> {
  const { current } = context.credentials;
  const { username } = current;
  if (old.username !== username || old.password === current.password) return { done: 'nothing' };
  const admin = await adminOf(current, context);
  return await using(await openServer(admin, context), async (session) => {
    const server = await session.prepare();
    requireDual(session, server);
    return await inTurn(session, username, context, async () => {
      const both = (await logsIn(old, current, context)) && (await logsIn(current, current, context));
      if (!both) return { done: 'nothing' };
      const accounts = await accountsOf(session, server, username);
      await bePrimary(session, server, accounts, current.password);
      await discard(session, accounts);
      return { done: 'removed' };
    });
  });
}

/**
 * Takes one password of a user away that may have two, and keeps the other where it is known or can be told.
 * @returns whether the leaked password logs in no more; if not, it is the only one, or the one that cannot go alone
 */
export async function takeAway(
  session: Session,
  leaked: MysqlSecret,
  accounts: readonly Account[],
  server: Server,
  context: Context,
): Promise<boolean> {
  if (accounts.some(({ locked, second }) => locked || !second)) return false;
  if (!(await logsIn(leaked, leaked, context))) return true;
  const { current, previous } = context.credentials;
  for (const kept of [current, await previous()]) {
    if (kept === undefined || kept.username !== leaked.username || kept.password === leaked.password)
      continue;
    if (!(await logsIn(kept, leaked, context))) continue;
    await bePrimary(session, server, accounts, kept.password);
    await discard(session, accounts);
    return true;
  }
  // The other one is of a rotation under way, and the leaked one the retained, if anything of Rekey's is there.
  await discard(session, accounts);
  return !(await logsIn(leaked, leaked, context));
}

async function adminOf(secret: MysqlSecret, context: Context): Promise<MysqlSecret> {
  const admin = await context.credentials.admin();
  if (admin !== undefined) return admin;
  throw new SecretError(
    'AdminSecretMissing',
    `dual-credential needs an admin that may change "${secret.username}"; name its secret in "masterarn"`,
  );
}

/** @throws SecretError `StrategyUnsupported` for servers without a second password */
function requireDual(session: Session, server: Server): void {
  if (keepsTwoPasswords(server)) return;
  const { mariadb, major, minor, patch } = server;
  throw new SecretError(
    'StrategyUnsupported',
    `${session.place.where}: dual-credential needs MySQL 8.0.14 or later, this is ${mariadb ? 'MariaDB' : 'MySQL'} ` +
      `${major}.${minor}.${patch}; use alternating-users`,
  );
}

/** Whether the server takes the password of `kept` at the place of `at`; a locked user takes none. */
async function logsIn(kept: MysqlSecret, at: MysqlSecret, context: Context): Promise<boolean> {
  const session = await tryOpen(
    { ...at, dbname: null, username: kept.username, password: kept.password },
    context,
  );
  if (session instanceof LoginDenied) return false;
  await session.end();
  return true;
}

async function accountsOf(session: Session, server: Server, username: string): Promise<Account[]> {
  const accounts = await readAccounts(session, server, username);
  if (accounts.length === 0) {
    throw new TargetError('TargetRefused', `${session.place.where}: there is no user "${username}"`);
  }
  for (const account of accounts) requireSettable(session, server, account);
  return accounts;
}

/**
 * Makes a password that logs in the primary one. Which of two it is no server tells; where there is only one, it is. The
 * retained one, if there is any, stays.
 */
async function bePrimary(
  session: Session,
  server: Server,
  accounts: readonly Account[],
  password: string,
): Promise<void> {
  const unsure = accounts.filter(({ second }) => second);
  if (unsure.length === 0) return;
  const parts = unsure.map(
    (account) => `${accountName(account)} ${identified(server, account.plugin, password)}`,
  );
  await session.run(`ALTER USER ${parts.join(', ')}`, {
    doing: `make a password of "${accounts[0]?.user}" that it has its primary one (where the account forbids to use one again: ALTER USER … PASSWORD HISTORY 0 PASSWORD REUSE INTERVAL 0 DAY)`,
    missing: changePermission(session),
  });
}

async function discard(session: Session, accounts: readonly Account[]): Promise<void> {
  for (const account of accounts) {
    await session.run(`ALTER USER ${accountName(account)} DISCARD OLD PASSWORD`, {
      doing: `take the retained password of "${account.user}" away`,
      missing: changePermission(session),
    });
  }
}
