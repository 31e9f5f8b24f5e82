import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { standingOf, untouched } from '../families/assigned.ts';
import { containAtReplica } from '../families/replica.ts';
import { endSessions as endInRounds } from '../families/sessions.ts';
import { LoginDenied, LoginHindered, LoginRefused, unlessBusy, using } from '../transport/login.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { missingToAlter, readRoles } from './role.ts';
import { databaseOf, type PostgresSecret, portOf } from './schema.ts';
import { quote, takeLogin, terminateSessions } from './sql.ts';

type Context = ContainContext<PostgresSecret>;

/**
 * Makes the server refuse a leaked password and ends sessions; see {@link Rotator.contain}. Four cases:
 *
 * - The leaked credential is an older password of the user whose current password works: logins with it are refused
 *   already, so only the sessions that began before the rotation are ended, by the user itself.
 * - The leaked user is another than the current one, or its password is the current one: the admin takes its LOGIN
 *   away and ends all its sessions.
 * - The same, but the user has another password by now: another rotation is under way, and its login will be the
 *   current one in a moment. The admin ends all sessions; without LOGIN the rotation would end in a lockout.
 * - No admin, or one that is the leaked user itself: the user's other sessions are ended, and only a rotation can refuse
 *   new logins.
 *
 * Where the admin is of another server than the secret, of its primary, the sessions at both are ended. The admin touches
 * nobody whom nothing ties to the secret; see {@link standingOf}.
 */
export async function contain(leaked: PostgresSecret, context: Context): Promise<ContainResult> {
  const { current } = context.credentials;
  if (leaked.username === current.username && leaked.password !== current.password) {
    // Whoever holds the leaked password may hold all connections of the user as well; the admin ends them.
    const session = await unlessBusy(tryOpen(current, context));
    if (session !== undefined && !(session instanceof LoginDenied)) {
      return await using(session, () => endOldSessions(session, leaked.username, context.rotatedAt));
    }
  }
  const admin = await context.credentials.admin();
  if (admin !== undefined) {
    const standing = await standingOf(leaked, context, (secret) => tryOpen(secret, context));
    if (standing !== 'proven') return untouched(leaked, standing);
    const session = await open(admin, context, databaseOf(current)).catch((error: unknown) => {
      // Roles belong to the whole server: a database that is gone must not hold up an emergency.
      if (error instanceof TargetError && error.code === 'DatabaseMissing') {
        return open(admin, context, 'postgres');
      }
      throw error;
    });
    const done = await using(session, async () =>
      disable(session, leaked.username, await isReplaced(leaked, context)),
    );
    const isApart = admin.host !== current.host || portOf(admin) !== portOf(current);
    return isApart ? await atReplica(done, leaked, admin, context) : done;
  }
  const session = await tryOpen(leaked, context);
  if (session instanceof LoginRefused) {
    return {
      loginsRefused: true,
      sessionsEnded: 0,
      note: `the server refuses "${leaked.username}" already; sessions that are open cannot be ended without an admin secret`,
    };
  }
  if (session instanceof LoginHindered) throw session;
  const sessionsEnded = await using(session, () => endSessions(session, leaked.username));
  return {
    loginsRefused: false,
    sessionsEnded,
    note: `"${leaked.username}" cannot take its own LOGIN away and there is no admin secret; only a rotation ends new logins`,
  };
}

/** Ends the sessions at the replica, too. The admin logs in there with what it logs in with at the primary. */
async function atReplica(
  done: ContainResult,
  leaked: PostgresSecret,
  admin: PostgresSecret,
  context: Context,
): Promise<ContainResult> {
  const { current } = context.credentials;
  const { username, password } = leaked;
  const there = { host: current.host, port: portOf(current) };
  const replica = {
    username,
    source: admin.host,
    where: `${there.host}:${there.port}`,
    tryLeaked: () => tryOpen({ ...current, username, password }, context),
  };
  return await using(await open({ ...admin, ...there }, context, databaseOf(current)), (session) =>
    containAtReplica(done, { ...replica, endSessions: () => endSessions(session, username) }, context),
  );
}

/**
 * Tells whether the server refuses the leaked password for what it is. The current credential is cut off without that question.
 * Without an answer it is false, since an emergency does not wait for one.
 */
async function isReplaced({ username, password }: PostgresSecret, context: Context): Promise<boolean> {
  const { current } = context.credentials;
  if (password === current.password) return false;
  const answer = await tryOpen({ ...current, username, password }, context).catch(() => undefined);
  if (answer === undefined) return false;
  if (answer instanceof LoginRefused) return !answer.passwordAccepted;
  if (!(answer instanceof LoginDenied)) await answer.end();
  return false;
}

async function endOldSessions(
  session: Session,
  username: string,
  rotatedAt: Date | undefined,
): Promise<ContainResult> {
  if (rotatedAt === undefined) {
    return {
      loginsRefused: true,
      sessionsEnded: await endSessions(session, username),
      note: `it is not known since when "${username}" has its current password, so all its sessions were ended`,
    };
  }
  const before = await serverTime(session, rotatedAt);
  return { loginsRefused: true, sessionsEnded: await endSessions(session, username, before) };
}

/**
 * Turns a time of this function's clock into the server's, in seconds since 1970. The time that the question takes makes it
 * earlier rather than later. That does no harm: whoever used the leaked password did so before the server learned the new one,
 * well before the new version became current.
 */
async function serverTime(session: Session, time: Date): Promise<number> {
  const [row] = await session.run<{ now: number }>(
    "SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::pg_catalog.float8 AS now",
    { doing: 'read the clock' },
  );
  return (row?.now ?? 0) - (Date.now() - time.getTime()) / 1000;
}

/**
 * Takes the LOGIN of a user away and ends its sessions.
 * @param replaced - the user has another password than the leaked one, so that only its sessions are to be ended
 */
async function disable(session: Session, username: string, replaced: boolean): Promise<ContainResult> {
  const found = await session.transaction(async (version) => {
    const role = (await readRoles(session, [username])).get(username);
    // A server refuses the password of an expired role whether it is the right one or not.
    const spared = role?.self === true || (replaced && role?.expired === false);
    if (role?.login && !spared) {
      const missing = missingToAlter(session.place.username, role, version);
      if (missing !== undefined) {
        throw new TargetError(
          'PermissionMissing',
          `${session.place.where}: may not take the LOGIN of role "${username}" away; ${missing}`,
        );
      }
      await session.run(takeLogin(quote(username)), {
        doing: `take the LOGIN of role "${username}" away`,
      });
    }
    return role;
  });
  if (found === undefined) {
    return { loginsRefused: true, sessionsEnded: 0, note: `there is no role "${username}"` };
  }
  const sessionsEnded = await endSessions(session, username);
  if (found.self && !replaced) {
    // Nobody would be left who could give the LOGIN back.
    return {
      loginsRefused: false,
      sessionsEnded,
      note: `the admin secret logs in as "${username}" itself, which cannot take its own LOGIN away; only a rotation ends new logins`,
    };
  }
  const prepared = await session.run<{ count: number }>(
    'SELECT pg_catalog.count(*)::pg_catalog.int4 AS count FROM pg_catalog.pg_prepared_xacts WHERE owner OPERATOR(pg_catalog.=) $1::pg_catalog.name',
    { doing: 'count prepared transactions' },
    [username],
  );
  const count = prepared[0]?.count ?? 0;
  return count === 0
    ? { loginsRefused: true, sessionsEnded }
    : {
        loginsRefused: true,
        sessionsEnded,
        note: `${count} prepared transactions of "${username}" remain and hold their locks; ROLLBACK PREPARED ends them`,
      };
}

/**
 * Ends the sessions that logged in as `username` and began before that time of the server, except this very one. The role that
 * they act as now does not matter.
 * @returns how many were ended
 */
async function endSessions(session: Session, username: string, before?: number): Promise<number> {
  return await endInRounds(session.place.where, username, async () => {
    const found = await session.transaction(() => terminate(session, username, before), 'READ ONLY');
    return found.map(({ pid, start }) => `${pid} ${start}`);
  });
}

async function terminate(
  session: Session,
  username: string,
  before: number | undefined,
): Promise<{ pid: number; start: string }[]> {
  return await session.run<{ pid: number; start: string }>(
    terminateSessions(
      '$1::name',
      '\n       AND ($2::float8 IS NULL OR backend_start < to_timestamp($2::float8))',
    ),
    {
      doing: `end the sessions of "${username}"; new logins are refused already`,
      missing: `GRANT pg_signal_backend TO ${quote(session.place.username)}`,
    },
    [username, before ?? null],
  );
}
