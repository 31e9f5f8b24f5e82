import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { untouched } from '../families/assigned.ts';
import { LoginRefused, using } from '../transport/login.ts';
import { olderProof } from './apply.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { hashOf, type RedisSecret } from './schema.ts';
import { type AclUser, changeUser, keep } from './user.ts';

type Context = ContainContext<RedisSecret>;

/**
 * Takes away exactly the password that leaked, by the admin; see {@link Rotator.contain}. Where that is the last one of the user,
 * the user is turned off instead and keeps it, as the proof for the next rotation of whose secret it is.
 *
 * The server does not know which password a session began with. So all sessions of the user end, except where the user has had
 * one password only and it is known since when. The admin touches only a user whom something ties to the secret: a password of
 * some version, or the word of the deployment.
 */
export async function contain(leaked: RedisSecret, context: Context): Promise<ContainResult> {
  const admin = await context.credentials.admin();
  return admin === undefined
    ? await containAsUser(leaked, context)
    : await using(await open(admin, context), (session) => cutOff(session, leaked, admin, context));
}

/** Lists the rules that make the server refuse the leaked password. None when it does already. */
export function containmentRules(
  user: AclUser,
  leaked: RedisSecret,
  current: RedisSecret,
): readonly string[] {
  if (!user.on) return [];
  if (user.nopass) {
    // Any password logs in; only a password of its own can tell the leaked one from the current one.
    return isCurrent(leaked, current) || leaked.username !== current.username
      ? // Off, it keeps the one that leaked: the proof for the next rotation.
        ['off', 'resetpass', `#${hashOf(leaked)}`]
      : ['resetpass', `#${hashOf(current)}`];
  }
  const hash = hashOf(leaked);
  if (!user.passwords.includes(hash)) return [];
  return user.passwords.length === 1 ? ['off'] : [`!${hash}`];
}

const isCurrent = (leaked: RedisSecret, current: RedisSecret): boolean =>
  leaked.username === current.username && leaked.password === current.password;

async function cutOff(
  session: Session,
  leaked: RedisSecret,
  admin: RedisSecret,
  context: Context,
): Promise<ContainResult> {
  const { username } = leaked;
  const { current } = context.credentials;
  // Nobody would be left who could bring the admin's own login back.
  let spared = false;
  let tied = true;
  const changed = await changeUser(session, username, async (user) => {
    tied = await isTied(user, leaked, context);
    if (!tied) return [];
    const rules = containmentRules(user, leaked, current);
    const own = admin.username === username && (admin.password === leaked.password || user.nopass);
    spared = own && rules.length > 0;
    return spared ? [] : rules;
  });
  if (changed === undefined) {
    return { loginsRefused: true, sessionsEnded: 0, note: `there is no user "${username}"` };
  }
  if (!tied) return untouched(leaked, 'refused');
  if (spared) {
    return {
      loginsRefused: false,
      sessionsEnded: await endSessions(session, username),
      note: `the admin secret logs in as "${username}" itself, whose login nobody else could bring back; only a rotation ends new logins`,
    };
  }
  if (changed.rules.length > 0) await keep(session, username, context);
  const toldApart =
    context.strategy === 'single-user' &&
    changed.rules.length === 0 &&
    changed.before.on &&
    username === current.username &&
    !isCurrent(leaked, current);
  if (toldApart && context.rotatedAt !== undefined) {
    return {
      loginsRefused: true,
      sessionsEnded: await endOlderSessions(session, username, context.rotatedAt),
    };
  }
  const sessionsEnded = await endSessions(session, username);
  return {
    loginsRefused: true,
    sessionsEnded,
    ...(username === current.username &&
      !isCurrent(leaked, current) && {
        note: `the server does not tell which password a session began with, so all sessions of "${username}" were ended`,
      }),
  };
}

/** Tells whether the user has the password of some version of the secret, or the deployment names it. */
async function isTied(user: AclUser, leaked: RedisSecret, { credentials }: Context): Promise<boolean> {
  const has = (kept: RedisSecret | undefined) =>
    kept?.username === leaked.username && user.passwords.includes(hashOf(kept));
  if (user.nopass || has(leaked) || has(credentials.current)) return true;
  if (await credentials.isAssigned(leaked)) return true;
  return (await olderProof(credentials, has)) !== undefined;
}

/** Ends the user's own other sessions without an admin, where it is permitted to. The user can do no more. */
async function containAsUser(leaked: RedisSecret, context: Context): Promise<ContainResult> {
  const { username } = leaked;
  const { current } = context.credentials;
  const session = await tryOpen(leaked, context);
  if (!(session instanceof LoginRefused)) {
    const sessionsEnded = await using(session, () => endSessions(session, username));
    return {
      loginsRefused: false,
      sessionsEnded,
      note: `there is no admin secret to take the password of "${username}" away; only a rotation ends new logins`,
    };
  }
  const own =
    username === current.username && !isCurrent(leaked, current) ? await tryOpen(current, context) : session;
  if (own instanceof LoginRefused) {
    return {
      loginsRefused: true,
      sessionsEnded: 0,
      note: `the server refuses "${username}" already; sessions that are open cannot be ended without an admin secret`,
    };
  }
  const { rotatedAt } = context;
  const sessionsEnded = await using(own, () =>
    rotatedAt === undefined ? endSessions(own, username) : endOlderSessions(own, username, rotatedAt),
  );
  return { loginsRefused: true, sessionsEnded };
}

/** Ends all sessions of a user but this one. A login is one step of the server, so none can be half under way. */
export async function endSessions(session: Session, username: string): Promise<number> {
  const ended = await session.run(['CLIENT', 'KILL', 'USER', username, 'SKIPME', 'yes'], killing(username));
  return Number(ended);
}

const killing = (username: string) => ({
  doing: `end the sessions of "${username}"`,
  missing: '+client|kill',
});

/**
 * Seconds by which the age of a session may be wrong. The server counts it in whole seconds, by a clock that it reads ten times a
 * second.
 */
const ageToleranceSeconds = 1.5;

/** Ends the sessions of a user that may have begun before `rotatedAt`. */
export async function endOlderSessions(session: Session, username: string, rotatedAt: Date): Promise<number> {
  const list = await session.run(['CLIENT', 'LIST'], {
    doing: `find the sessions of "${username}"`,
    missing: '+client|list',
  });
  const sinceSeconds = (Date.now() - rotatedAt.getTime()) / 1000;
  let ended = 0;
  for (const { id, age } of sessionsOf(String(list), username)) {
    if (age + ageToleranceSeconds < sinceSeconds) continue;
    ended += Number(await session.run(['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'yes'], killing(username)));
  }
  return ended;
}

/**
 * Reads the reply of CLIENT LIST: a line per session, of fields `name=value` without spaces.
 * @see https://redis.io/docs/latest/commands/client-list/
 */
export function sessionsOf(list: string, username: string): { id: string; age: number }[] {
  return list.split('\n').flatMap((line) => {
    const fields = new Map(
      line.split(' ').map((field): [string, string] => {
        const [name = '', ...value] = field.split('=');
        return [name, value.join('=')];
      }),
    );
    const id = fields.get('id');
    return id === undefined || fields.get('user') !== username
      ? []
      : [{ id, age: Number(fields.get('age')) }];
  });
}
