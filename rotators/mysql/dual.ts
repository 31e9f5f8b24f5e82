import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, RetireContext, RetireResult } from '../../core/rotator.ts';
import { using } from '../transport/login.ts';
import {
  type Account,
  allHavePassword,
  anyHasPassword,
  changePermission,
  identified,
  readAccounts,
  requireWayIn,
  setPassword,
  settableOf,
} from './account.ts';
import { keepsTwoPasswords, openServer, type Server, type Session } from './connection.ts';
import type { MysqlSecret } from './schema.ts';
import { noteOpened, noteReplicas, ownAmong, proofIn, requireHarmless } from './single.ts';
import { accountName } from './sql.ts';
import { inTurn } from './turn.ts';

type Context = ApplyContext<MysqlSecret>;

/**
 * Gives the user a second password beside the current one, as the admin. At each of its hosts the next is the primary and the
 * current one the retained, and no other logs in.
 * @see https://dev.mysql.com/doc/refman/8.4/en/password-management.html#dual-passwords
 */
export async function applyDual(next: MysqlSecret, context: Context): Promise<void> {
  const admin = await adminOf(next, context);
  await using(await openServer(admin, context), async (session) => {
    const server = await session.prepare();
    requireDual(session, server);
    await inTurn(session, next.username, context, async () => {
      const accounts = await accountsOf(session, server, next, context);
      requireWayIn(session, accounts, next);
      const isLocked = accounts.some(({ locked }) => locked);
      // An earlier run was done; what follows would take the next password away for a moment.
      if (!isLocked && allHavePassword(accounts, next.password)) return;
      const own = ({ username }: MysqlSecret) => username === next.username;
      const proof = await proofIn(accounts, next, context, own);
      if (!proof.proven) await requireHarmless(session, accounts, next, context);
      const { current } = context.credentials;
      await noteReplicas(session, next.username, context);
      // A locked user was contained: none of its passwords comes back.
      if (isLocked || !allHavePassword(accounts, current.password)) {
        await setPassword(session, server, accounts, next.password);
        await discard(session, accounts);
        noteOpened(accounts, context);
      } else {
        await bePrimary(session, server, accounts, current.password);
        await setPassword(session, server, accounts, next.password, ' RETAIN CURRENT PASSWORD');
      }
      if (!proof.currentAccepted) {
        context.finding({
          code: 'CurrentCredentialRefused',
          message: `the server refused the current password of "${next.username}"; repaired by the admin`,
        });
      }
    });
  });
}

/**
 * Takes the old password away while the user has the current one as well; see {@link OverlappingRotator.retire}. A user that a containment
 * has left with one password keeps that as the proof of whose secret it is.
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
      const accounts = await accountsOf(session, server, old, context);
      const [hasOld, hasCurrent] = [old, current].map(({ password }) => anyHasPassword(accounts, password));
      if (!hasOld || !hasCurrent || accounts.some(({ locked }) => locked)) return { done: 'nothing' };
      await context.announce();
      await bePrimary(session, server, accounts, current.password);
      await discard(session, accounts);
      return { done: 'removed' };
    });
  });
}

/**
 * Takes one password away from a user that may have two. It keeps the other where it is known or can be told.
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
  if (anyHasPassword(accounts, leaked.password) === false) return true;
  const { current, previous } = context.credentials;
  for (const kept of [current, await previous()]) {
    if (kept === undefined || kept.username !== leaked.username || kept.password === leaked.password)
      continue;
    if (anyHasPassword(accounts, kept.password) !== true) continue;
    await bePrimary(session, server, accounts, kept.password);
    await discard(session, accounts);
    return true;
  }
  // The other one is of a rotation under way, and the leaked one the retained, if anything of Rekey's is there.
  await discard(session, accounts);
  return anyHasPassword(await readAccounts(session, server, leaked.username), leaked.password) === false;
}

async function adminOf(secret: MysqlSecret, context: Context): Promise<MysqlSecret> {
  const admin = await context.credentials.admin();
  if (admin !== undefined) return admin;
  throw new SecretError(
    'AdminSecretMissing',
    `dual-credential needs an admin that may change "${secret.username}"; name its secret in "masterarn"`,
  );
}

/** Refuses servers that keep only one password. @throws SecretError `StrategyUnsupported` */
function requireDual(session: Session, server: Server): void {
  if (keepsTwoPasswords(server)) return;
  const { mariadb, major, minor, patch } = server;
  throw new SecretError(
    'StrategyUnsupported',
    `${session.place.where}: dual-credential needs MySQL 8.0.14 or later, this is ${mariadb ? 'MariaDB' : 'MySQL'} ` +
      `${major}.${minor}.${patch}; use alternating-users`,
  );
}

async function accountsOf(
  session: Session,
  server: Server,
  secret: MysqlSecret,
  context: Context,
): Promise<Account[]> {
  const { username } = secret;
  const accounts = await readAccounts(session, server, username);
  if (accounts.length === 0) {
    throw new TargetError('TargetRefused', `${session.place.where}: there is no user "${username}"`);
  }
  const own = (kept: MysqlSecret) => kept.username === username;
  const settable = settableOf(session, server, accounts, context);
  return await ownAmong(session, settable, secret, context, own);
}

/**
 * Makes a password that logs in the primary one. No server tells which of two it is; where there is only one, it is. The retained
 * one, if there is any, stays.
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
