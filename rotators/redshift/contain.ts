import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { standingOf, toAssign, untouched } from '../families/assigned.ts';
import { endSessions as endInRounds } from '../families/sessions.ts';
import { LoginDenied, LoginHindered, LoginRefused, unlessBusy, using } from '../transport/login.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { databaseOf, type RedshiftSecret } from './schema.ts';
import { areAlike, isShownAs } from './session-names.ts';
import { quote } from './sql.ts';
import { readUsers, requireSuperuser, type User } from './user.ts';

type Context = ContainContext<RedshiftSecret>;

/**
 * Makes the cluster refuse a leaked password and ends sessions; see {@link Rotator.contain}. Four cases:
 *
 * - The leaked credential is an older password of the user whose current password works: logins with it are refused
 *   already, so only the sessions that began before the rotation are ended, by the user itself.
 * - The leaked user is another than the current one, or its password is the current one: the admin takes the password
 *   away and ends all sessions. Redshift does not do that to superusers: of those the sessions end, as of the current user
 *   that the deployment does not name.
 * - The same, but the user has another password by now: another rotation is under way, and its login will be the
 *   current one in a moment. The admin ends all sessions; without the password the rotation would end in a lockout.
 * - No admin, or one that is the leaked user itself: the user's other sessions are ended, and only a rotation can refuse
 *   new logins.
 */
export async function contain(leaked: RedshiftSecret, context: Context): Promise<ContainResult> {
  const { current } = context.credentials;
  const { username } = leaked;
  if (username === current.username && leaked.password !== current.password) {
    // Whoever holds the leaked password may hold all connections of the user as well; the admin ends them.
    const session = await unlessBusy(tryOpen(current, context));
    if (session !== undefined && !(session instanceof LoginDenied)) {
      return await using(session, () => endOldSessions(session, username, context.rotatedAt));
    }
  }
  const admin = await context.credentials.admin();
  if (admin !== undefined) {
    const standing = await standingOf(leaked, context, (secret) => tryOpen(secret, context));
    if (standing !== 'proven') return untouched(leaked, standing);
    const session = await open(admin, context, {}, databaseOf(current)).catch((error: unknown) => {
      // Users belong to the whole cluster: a database that is gone must not hold up an emergency.
      if (error instanceof TargetError && error.code === 'DatabaseMissing') return open(admin, context);
      throw error;
    });
    return await using(session, () => disable(session, leaked, context));
  }
  const session = await tryOpen(leaked, context);
  if (session instanceof LoginRefused) {
    return {
      loginsRefused: true,
      sessionsEnded: 0,
      note: `the cluster refuses "${username}" already; sessions that are open cannot be ended without an admin secret`,
    };
  }
  if (session instanceof LoginHindered) throw session;
  const sessionsEnded = await using(session, () => endSessions(session, username));
  return {
    loginsRefused: false,
    sessionsEnded,
    note: `"${username}" cannot take its own password away and there is no admin secret; only a rotation ends new logins`,
  };
}

/**
 * Tells whether the cluster refuses the leaked password for what it is. The current credential is cut off without that question.
 * Without an answer it is false, since an emergency does not wait for one.
 */
async function isReplaced(leaked: RedshiftSecret, user: User, context: Context): Promise<boolean> {
  const { current } = context.credentials;
  const { username, password } = leaked;
  // The password of an expired user is refused whether it is the right one or not.
  if (user.expired || (username === current.username && password === current.password)) return false;
  const answer = await tryOpen({ ...current, username, password }, context).catch(() => undefined);
  if (answer === undefined || answer instanceof LoginRefused) return answer !== undefined;
  if (!(answer instanceof LoginDenied)) await answer.end();
  return false;
}

async function disable(session: Session, leaked: RedshiftSecret, context: Context): Promise<ContainResult> {
  const { username } = leaked;
  await requireSuperuser(session);
  const user = (await readUsers(session, [username])).get(username);
  if (user === undefined) {
    return { loginsRefused: true, sessionsEnded: 0, note: `there is no user "${username}"` };
  }
  const isAdmin = session.place.username === username;
  const replaced = await isReplaced(leaked, user, context);
  // A user without a password shows no later step whose secret it is, so the rotation could not give it another one.
  const { credentials } = context;
  const unsure = username === credentials.current.username && !(await credentials.isAssigned(leaked));
  const spared = replaced || isAdmin || user.superuser || unsure;
  if (!spared) {
    await session.transaction(() =>
      session.run(`ALTER USER ${quote(username)} PASSWORD DISABLE`, {
        doing: `take the password of "${username}" away`,
        missing: `ALTER USER ${quote(session.place.username)} CREATEUSER`,
      }),
    );
  }
  const sessionsEnded = await endSessions(session, username);
  if (replaced) return { loginsRefused: true, sessionsEnded };
  if (!spared) {
    return {
      loginsRefused: true,
      sessionsEnded,
      note: `"${username}" can still log in with IAM credentials, where it may get any (redshift:GetClusterCredentials)`,
    };
  }
  return {
    loginsRefused: false,
    sessionsEnded,
    note: isAdmin
      ? `the admin secret logs in as "${username}" itself, which cannot take its own password away; only a rotation ends new logins`
      : user.superuser
        ? `"${username}" is a superuser, whose password Redshift does not take away; only a rotation ends new logins`
        : `"${username}" keeps its password until the rotation sets another: without one nothing would show that the secret is of that user. To have it taken away at once: ${toAssign(leaked)}`,
  };
}

async function endOldSessions(
  session: Session,
  username: string,
  rotatedAt: Date | undefined,
): Promise<ContainResult> {
  if (rotatedAt !== undefined) {
    return { loginsRefused: true, sessionsEnded: await endSessions(session, username, rotatedAt) };
  }
  return {
    loginsRefused: true,
    sessionsEnded: await endSessions(session, username),
    note: `it is not known since when "${username}" has its current password, so all its sessions were ended`,
  };
}

/** Reads the cluster's clock in UTC, a text such as `2026-01-31 12:00:00.123456`. */
const parseTime = (text: unknown): number => Date.parse(`${String(text).trim().replace(' ', 'T')}Z`);

/**
 * Ends the sessions of a user but this one; with `rotatedAt` only those that began before that time. `rotatedAt` is of this
 * function's clock. This session itself, whose beginning is known by both clocks, tells how they differ. It began a little before
 * its login was done, which makes the limit earlier rather than later. That does no harm: whoever used the leaked password did so
 * before the cluster learned the new one, well before the new version became current.
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_STV_SESSIONS.html
 * @returns how many were ended
 */
async function endSessions(session: Session, username: string, rotatedAt?: Date): Promise<number> {
  const purpose = { doing: `end the sessions of "${username}"; new logins are refused already` };
  const [me] = await session.run<{ pid: number }>('SELECT pg_backend_pid() AS pid', purpose);
  await requireDistinct(session, username);
  return await endInRounds(session.place.where, username, async () => {
    const rows = await session.run<{ pid: number; username: string; began: string }>(
      'SELECT process AS pid, user_name AS username, CAST(starttime AS varchar) AS began FROM pg_catalog.stv_sessions',
      purpose,
    );
    const own = parseTime(rows.find(({ pid }) => pid === me?.pid)?.began);
    const limit =
      rotatedAt === undefined ? Number.POSITIVE_INFINITY : own - (session.openedAt - rotatedAt.getTime());
    if (Number.isNaN(limit)) {
      throw new TargetError(
        'TargetRefused',
        `${session.place.where}: STV_SESSIONS does not show this session, so the age of others cannot be told`,
      );
    }
    const found = rows.filter(
      (row) =>
        row.pid !== me?.pid &&
        isShownAs(row.username, username) &&
        (rotatedAt === undefined || parseTime(row.began) < limit),
    );
    for (const { pid } of found) {
      await session.run(`SELECT pg_terminate_backend(${Math.trunc(pid)})`, {
        ...purpose,
        missing: `ALTER USER ${quote(session.place.username)} CREATEUSER`,
      });
    }
    return found.map(({ pid, began }) => `${pid} ${began}`);
  });
}

/**
 * Refuses a user whose sessions look like another's. Two users whose names are cut off to the same text cannot be told apart by
 * their sessions.
 */
async function requireDistinct(session: Session, username: string): Promise<void> {
  // Who is no superuser sees no sessions but its own.
  if (session.place.username === username) return;
  const rows = await session.run<{ name: string }>('SELECT usename AS name FROM pg_catalog.pg_user', {
    doing: 'look up users',
  });
  const other = rows.find(({ name }) => areAlike(name, username));
  if (other === undefined) return;
  throw new TargetError(
    'TargetRefused',
    `${session.place.where}: new logins of "${username}" are refused, but its sessions cannot be told from those of ` +
      `"${other.name}": STV_SESSIONS shows 50 bytes of a name, without spaces at its end; end them by hand with ` +
      'pg_terminate_backend',
  );
}
