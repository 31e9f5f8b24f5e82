import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import { isOfUser, untouched } from '../families/assigned.ts';
import { containAtReplica } from '../families/replica.ts';
import { endSessions as endInRounds } from '../families/sessions.ts';
import { LoginDenied, LoginHindered, LoginRefused, unlessBusy, using } from '../transport/login.ts';
import { type Account, anyHasPassword, changePermission, readAccounts } from './account.ts';
import { openServer, type Server, type Session, tryOpen } from './connection.ts';
import { takeAway } from './dual.ts';
import { type MysqlSecret, portOf } from './schema.ts';
import { proofIn } from './single.ts';
import { accountName, quote } from './sql.ts';

type Context = ContainContext<MysqlSecret>;

/**
 * Makes the server refuse a leaked password and ends sessions; see {@link Rotator.contain}. Four cases:
 *
 * - The leaked credential is an older password of the user whose current password works: logins with it are refused
 *   already. The servers do not know when a session began, so all sessions of the user are ended, by the user itself.
 * - The leaked user is another than the current one, or its password is the current one: the admin locks the user's
 *   accounts at every host and ends all sessions.
 * - The same, but the user has another password by now: another rotation is under way, and its login will be the
 *   current one in a moment. The admin ends all sessions; locked, the rotation would end in a lockout.
 * - No admin, or one that is the leaked user itself: the user's other sessions are ended, and only a rotation can refuse
 *   new logins.
 *
 * Where the admin is of another server than the secret, of its source, the sessions at both are ended.
 *
 * The admin touches nobody whom nothing ties to the secret: no version of it, and no word of the deployment.
 */
export async function contain(leaked: MysqlSecret, context: Context): Promise<ContainResult> {
  const { current } = context.credentials;
  const { username } = leaked;
  const admin = await context.credentials.admin();
  // A user with two passwords may have both of them still.
  const older = username === current.username && leaked.password !== current.password;
  if (older && context.strategy !== 'dual-credential') {
    // Whoever holds the leaked password may hold all connections of the user as well; the admin ends them.
    const session = await unlessBusy(tryOpen({ ...current, dbname: null }, context));
    if (session !== undefined && !(session instanceof LoginDenied)) {
      return await using(session, () => endOldSessions(session, leaked));
    }
  }
  if (admin !== undefined) {
    const { done, isUntouched } = await using(await openServer(admin, context), (session) =>
      disable(session, leaked, context),
    );
    const isApart = admin.host !== current.host || portOf(admin) !== portOf(current);
    return isApart && !isUntouched ? await atReplica(done, leaked, admin, context) : done;
  }
  const session = await tryOpen({ ...leaked, dbname: null }, context);
  if (session instanceof LoginRefused) {
    return {
      loginsRefused: true,
      sessionsEnded: 0,
      note: `the server refuses "${username}" already; sessions that are open cannot be ended without an admin secret`,
    };
  }
  if (session instanceof LoginHindered) throw session;
  const sessionsEnded = await using(session, () => endSessions(session, username));
  return {
    loginsRefused: false,
    sessionsEnded,
    note: `"${username}" cannot lock itself and there is no admin secret; only a rotation ends new logins`,
  };
}

async function endOldSessions(session: Session, { username }: MysqlSecret): Promise<ContainResult> {
  return {
    loginsRefused: true,
    sessionsEnded: await endSessions(session, username),
    note: `the server does not know when a session began, so all sessions of "${username}" were ended; logins with the current password work`,
  };
}

/**
 * Tells whether the server has another password for the user than the leaked one. Where that cannot be seen it is tried, but an
 * answer counts only if it must be about the password. Without an answer it is false, since an emergency does not wait for one.
 */
async function isReplaced(
  leaked: MysqlSecret,
  accounts: readonly Account[],
  context: Context,
): Promise<boolean> {
  const { current } = context.credentials;
  const { username, password } = leaked;
  if (username === current.username && password === current.password) return false;
  if (accounts.some(({ severalPlugins }) => severalPlugins)) return false;
  const has = anyHasPassword(accounts, password);
  if (has !== undefined) return !has;
  if (accounts.length !== 1 || accounts[0]?.needsClientCertificate) return false;
  const answer = await tryOpen({ ...current, dbname: null, username, password }, context).catch(
    () => undefined,
  );
  if (answer instanceof LoginRefused) return !answer.passwordAccepted;
  if (!(answer instanceof LoginDenied)) await answer?.end();
  return false;
}

/**
 * Tells whether the leaked password is gone, after it was taken away alone where that can be done. The other one of two stays.
 * The last one that a user has cannot be taken away alone; that user is locked.
 */
async function isGone(
  session: Session,
  leaked: MysqlSecret,
  accounts: readonly Account[],
  server: Server,
  context: Context,
): Promise<boolean> {
  if (await takeAway(session, leaked, accounts, server, context)) return true;
  return anyHasPassword(accounts, leaked.password) === false && accounts.every(({ locked }) => !locked);
}

/**
 * Tells whether the leaked credential or another version is of the user, or of the other user of its pair. It looks at what the
 * server keeps. Where that does not show it, the leaked one logs in.
 */
async function isTied(
  session: Session,
  leaked: MysqlSecret,
  accounts: readonly Account[],
  server: Server,
  context: Context,
): Promise<boolean> {
  const { credentials, strategy } = context;
  if (await credentials.isAssigned(leaked)) return true;
  const has = anyHasPassword(accounts, leaked.password);
  if (has === true) return true;
  const { base, clone } = pairOf(leaked.username);
  const others =
    strategy === 'alternating-users'
      ? await readAccounts(session, server, leaked.username === base ? clone : base)
      : [];
  const own = (kept: MysqlSecret) => isOfUser(kept, leaked, strategy);
  if ((await proofIn([...accounts, ...others], leaked, context, own)).proven) return true;
  if (has === false) return false;
  const answer = await tryOpen({ ...leaked, dbname: null }, context);
  if (answer instanceof LoginDenied) return answer.passwordAccepted;
  await answer.end();
  return true;
}

/** Ends the sessions at the replica, too. The admin logs in there with what it logs in with at the source. */
async function atReplica(
  done: ContainResult,
  leaked: MysqlSecret,
  admin: MysqlSecret,
  context: Context,
): Promise<ContainResult> {
  const { current } = context.credentials;
  const { username, password } = leaked;
  const there = { host: current.host, port: portOf(current) };
  const replica = {
    username,
    source: admin.host,
    where: `${there.host}:${there.port}`,
    tryLeaked: () => tryOpen({ ...current, dbname: null, username, password }, context),
  };
  return await using(await openServer({ ...admin, ...there }, context), (session) =>
    containAtReplica(done, { ...replica, endSessions: () => endSessions(session, username) }, context),
  );
}

async function disable(
  session: Session,
  leaked: MysqlSecret,
  context: Context,
): Promise<{ done: ContainResult; isUntouched?: true }> {
  const { username } = leaked;
  const server = await session.prepare();
  const accounts = await readAccounts(session, server, username);
  const isAdmin = session.place.username === username;
  if (accounts.length > 0 && !(await isTied(session, leaked, accounts, server, context)))
    return { done: untouched(leaked, 'refused'), isUntouched: true };
  const replaced =
    accounts.length > 0 &&
    (context.strategy === 'dual-credential'
      ? await isGone(session, leaked, accounts, server, context)
      : await isReplaced(leaked, accounts, context));
  if (!isAdmin && !replaced && accounts.some(({ locked }) => !locked)) {
    await session.run(`ALTER USER ${accounts.map(accountName).join(', ')} ACCOUNT LOCK`, {
      doing: `lock "${username}"`,
      missing: changePermission(session),
    });
  }
  // Without PROCESS the server would show the admin's own sessions only, and say nothing of the others.
  await session.run('SELECT 1 FROM information_schema.INNODB_TRX LIMIT 1', {
    doing: `see the sessions of "${username}"; new logins are refused already`,
    missing: `GRANT PROCESS ON *.* TO ${quote(session.place.username)}`,
  });
  const sessionsEnded = await endSessions(session, username);
  if (accounts.length === 0) {
    return { done: { loginsRefused: true, sessionsEnded, note: `there is no user "${username}"` } };
  }
  if (!isAdmin || replaced) return { done: { loginsRefused: true, sessionsEnded } };
  // Nobody would be left who could unlock it.
  const note = `the admin secret logs in as "${username}" itself, which cannot lock itself; only a rotation ends new logins`;
  return { done: { loginsRefused: false, sessionsEnded, note } };
}

/**
 * Ends all sessions of a user but this one.
 * @returns how many were ended
 */
async function endSessions(session: Session, username: string): Promise<number> {
  return await endInRounds(session.place.where, username, async () => {
    const listed = await session.run<{ id: number | string; user: string }>(
      'SELECT ID AS id, USER AS user FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()',
      { doing: `look up the sessions of "${username}"` },
    );
    // Compared here, since the server's comparison of this column takes upper and lower case for the same.
    const found = listed.filter(({ user }) => user === username).map(({ id }) => Number(id));
    for (const id of found) await kill(session, id, username);
    return found;
  });
}

const noSuchThread = 1094;
const denied = [1044, 1095, 1227, 1370];
const noSuchProcedure = 1305;

/**
 * Ends one session. On RDS, whose admins may not do so themselves, it does so through its procedure.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-stored-proc-ending.html
 */
async function kill(session: Session, id: number, username: string): Promise<void> {
  const admin = quote(session.place.username);
  const purpose = {
    doing: `end the sessions of "${username}"; new logins are refused already`,
    missing:
      `GRANT CONNECTION ADMIN ON *.* TO ${admin} (CONNECTION_ADMIN on MySQL 8, ` +
      `SUPER on MySQL 5.7 and MariaDB 10.4); on RDS, whose users cannot have it: GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO ${admin}`,
  };
  const answer = await session.attempt(`KILL CONNECTION ${id}`, purpose, [noSuchThread, ...denied]);
  if (answer === undefined || answer === noSuchThread) return;
  const onRds = await session.attempt(`CALL mysql.rds_kill(${id})`, purpose, [
    noSuchThread,
    noSuchProcedure,
    ...denied,
  ]);
  if (onRds === undefined || onRds === noSuchThread) return;
  throw new TargetError(
    'PermissionMissing',
    `${session.place.where}: may not ${purpose.doing} (${answer}); ${purpose.missing}`,
  );
}
