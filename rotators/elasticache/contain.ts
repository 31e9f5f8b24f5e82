import { RekeyError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { generatePassword, passwordPolicy } from '../../core/secret/password.ts';
import { toAssign } from '../families/assigned.ts';
import { narrow } from '../families/aws-api/passwords.ts';
import type { RedisSecret } from '../redis/schema.ts';
import { locate, setPasswords, type Tools } from './change.ts';
import { rules } from './limits.ts';
import { endSessions, tryLogin } from './login.ts';
import { isVouchedFor } from './place.ts';
import { asLogin, type CacheUserSecret } from './schema.ts';

type Context = ContainContext<CacheUserSecret>;

/**
 * Takes the leaked password from the user and ends the sessions; see {@link Rotator.contain}. The API takes a whole list of
 * passwords, so the user keeps the one of its passwords that is known, works and did not leak. Where there is none, it gets a
 * random one that nobody keeps, and the next rotation needs no login.
 *
 * Neither the API nor the cache ends a session because a password went. The admin does, or the user itself with the password that
 * it has then.
 */
export async function contain(
  leaked: CacheUserSecret,
  context: Context,
  tools: Tools,
): Promise<ContainResult> {
  const deadline = Date.now() + tools.pace.budgetMs;
  const { username } = leaked;
  if (leaked.host && !(await isVouchedFor(leaked, context))) {
    const note = `whether ${leaked.host} is the cache of "${username}" nobody knows but the secret, so nothing was changed; ${toAssign({ ...leaked, host: leaked.host })}`;
    return { loginsRefused: false, sessionsEnded: 0, note };
  }
  const kept = await otherPassword(leaked, context);
  const login = await tryLogin(leaked, context);
  const removes = login !== 'refused' && !(login === 'unknown' && isReplaced(leaked, context));
  let working = kept;
  if (removes) {
    const user = await locate(leaked, tools.api, context);
    const password = generatePassword(narrow(passwordPolicy({}), rules), context.random);
    working ??= { ...leaked, password };
    await setPasswords(
      user,
      [working],
      { deadline, blind: true, sign: { kind: 'gone', password: leaked } },
      tools,
      context,
    );
  }
  const admin = await adminOf(context);
  // What the API has changed is the secret's own; of any other user nothing but the secret says so.
  const stranger = admin === undefined || removes ? undefined : await strangerIn(leaked, tools, context);
  if (stranger !== undefined) {
    const note = `sessions of "${username}" were not touched, since nothing but the secret says that it is of that user: ${stranger}`;
    return { loginsRefused: true, sessionsEnded: 0, note };
  }
  const by = asLogin(admin ?? working ?? leaked);
  if (by === undefined || (by.username === username && working === undefined)) {
    const why =
      by === undefined
        ? 'the secret names no host to log in to'
        : 'no password of it is known to work, and there is no admin secret';
    const note = `sessions of "${username}" that are open go on: ${why}; they can be ended when a rotation has set a password`;
    return { loginsRefused: true, sessionsEnded: 0, note };
  }
  return await end(leaked, by, removes, context);
}

/** Finds a password of the same user that did not leak and works. */
async function otherPassword(
  leaked: CacheUserSecret,
  context: Context,
): Promise<CacheUserSecret | undefined> {
  const { credentials } = context;
  const { current } = credentials;
  const differs = ({ username, password }: CacheUserSecret) =>
    username === leaked.username && password !== leaked.password;
  if (differs(current)) {
    const login = await tryLogin(current, context);
    if (login === 'accepted' && (await isVouchedFor(current, context))) return current;
    // What cannot be tried is taken for the user's where the revocation's own rotation has just made it, and by nobody else.
    if (login === 'unknown' && context.rotatedAt !== undefined) return current;
  }
  if (context.strategy !== 'dual-credential') return undefined;
  const previous = await credentials.previous();
  return previous !== undefined && differs(previous) && (await tryLogin(previous, context)) === 'accepted'
    ? previous
    : undefined;
}

/** Tells whether a password was replaced, even if no login can show it. With one password, any other than the current one was. */
const isReplaced = ({ username, password }: CacheUserSecret, { strategy, credentials }: Context): boolean =>
  strategy === 'single-user' &&
  username === credentials.current.username &&
  password !== credentials.current.password;

/**
 * Gives the admin, if any. An emergency does not wait for an admin secret that is missing or wrong: the user can end its own
 * sessions.
 */
const adminOf = async ({ credentials }: Context): Promise<CacheUserSecret | undefined> =>
  await credentials.admin().catch(() => undefined);

/**
 * Says why the user that a version names is not the secret's, and gives undefined where it is. The deployment names that user, or
 * the API shows it to the function by the version's id and name. The admin could end anybody's sessions.
 * @throws TargetError that may pass
 */
async function strangerIn(
  leaked: CacheUserSecret,
  { api }: Tools,
  context: Context,
): Promise<string | undefined> {
  if (await context.credentials.isAssigned(leaked)) return undefined;
  try {
    await locate(leaked, api, context);
    return undefined;
  } catch (error) {
    if (!(error instanceof RekeyError) || error.retryable) throw error;
    return error.message;
  }
}

async function end(
  leaked: CacheUserSecret,
  by: RedisSecret,
  removed: boolean,
  context: Context,
): Promise<ContainResult> {
  const { username } = leaked;
  const { strategy, credentials, rotatedAt } = context;
  const older = username === credentials.current.username && leaked.password !== credentials.current.password;
  const toldApart = strategy === 'single-user' && older && !removed;
  try {
    const before = toldApart ? rotatedAt : undefined;
    const sessionsEnded = await endSessions(username, by, context, before);
    const note = `the cache does not tell which password a session began with, so all sessions of "${username}" were ended`;
    return { loginsRefused: true, sessionsEnded, ...(older && before === undefined && { note }) };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    // Trying again would find the password gone, or the user without that permission still.
    const stays = removed || (by.username === username && error.code === 'PermissionMissing');
    if (!stays) throw error;
    const note = `logins are refused, but sessions of "${username}" that are open go on: ${error.message}`;
    return { loginsRefused: true, sessionsEnded: 0, note };
  }
}
