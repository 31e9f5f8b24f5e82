import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { requireAssigned } from '../families/assigned.ts';
import { LoginRefused, using } from '../transport/login.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { hashOf, type RedisSecret } from './schema.ts';
import { type AclUser, changeUser, keep, requireAlone } from './user.ts';

type Context = ApplyContext<RedisSecret>;

/**
 * Makes the user's passwords what the strategy wants. With `single-user` that is the next one alone, with `dual-credential` the
 * next and the current one. The admin does it. With `single-user`, where there is none, the user itself does.
 */
export async function apply(next: RedisSecret, context: Context): Promise<void> {
  const { credentials, strategy } = context;
  const admin = await credentials.admin();
  if (admin !== undefined) {
    await using(await open(admin, context), (session) =>
      setPasswords(session, next, context, () => requireProof(session, next, context)),
    );
    return;
  }
  if (strategy !== 'single-user') {
    throw new SecretError(
      'AdminSecretMissing',
      `${strategy} needs an admin that may change "${next.username}"; name its secret in "masterarn"`,
    );
  }
  const session = await openOwn(next, context);
  await using(session, () => setPasswords(session, next, context, () => async () => {}));
}

/** Lists the rules that bring a user to the wanted passwords. None when it has them. */
export function passwordRules(
  user: AclUser,
  next: RedisSecret,
  current: RedisSecret,
  strategy: Context['strategy'],
): readonly string[] {
  const hash = hashOf(next);
  const older = hashOf(current);
  // A user that is off was contained: none of its passwords comes back. One that was taken away does not, either.
  const keepsOlder =
    strategy === 'dual-credential' && user.on && (user.nopass || user.passwords.includes(older));
  const wanted = keepsOlder ? [hash, older] : [hash];
  const added = wanted.filter((one) => !user.passwords.includes(one));
  const removed = user.passwords.filter((one) => !wanted.includes(one));
  return [...(user.on ? [] : ['on']), ...added.map((one) => `#${one}`), ...removed.map((one) => `!${one}`)];
}

async function setPasswords(
  session: Session,
  next: RedisSecret,
  context: Context,
  proof: () => (user: AclUser) => Promise<void>,
): Promise<void> {
  const { username } = next;
  const prove = proof();
  await requireAlone(session);
  const changed = await changeUser(session, username, async (user) => {
    await prove(user);
    return passwordRules(user, next, context.credentials.current, context.strategy);
  });
  if (changed === undefined) {
    throw new TargetError('TargetRefused', `${session.where}: there is no user "${username}"`);
  }
  if (!changed.before.on) {
    context.finding({
      code: 'LoginRestored',
      message: `user "${username}" was off, as after a containment; the rotation turned it on`,
    });
  }
  if (changed.before.nopass && changed.rules.length > 0) {
    context.finding({
      code: 'PasswordlessLogin',
      message: `${session.where}: user "${username}" let everybody in without a password (nopass); the rotation gave it one`,
    });
  }
  await keep(session, username, context);
  await noteSentinels(session, username, context);
}

/**
 * Says that Sentinels log in as the user. They have the password from files of their own, and are refused when they connect anew. It is
 * the last thing that the session does, since a list of very many sessions ends it.
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#redis-access-control-list-authentication
 */
async function noteSentinels(session: Session, username: string, context: Context): Promise<void> {
  const purpose = { doing: 'look for Sentinels', missing: '+client|list' };
  const listed = await session.attempt(['CLIENT', 'LIST'], purpose).catch(() => undefined);
  if (listed?.outcome !== 'done') return;
  const theirs = String(listed.value)
    .split('\n')
    .filter((line) => line.includes(` user=${username} `) && / name=sentinel-[0-9a-f]+-cmd /.test(line));
  if (theirs.length === 0) return;
  context.finding({
    code: 'ReplicationLoginChanged',
    message: `${session.where}: ${theirs.length} Sentinels log in as "${username}" and have its password from their own configuration; SENTINEL SET <master> auth-pass there, or they see the server as down with their next connection`,
  });
}

/**
 * Makes a check that some version of the secret is a password of the user, before the admin touches it. Otherwise whoever may
 * write the secret could name any user in it and have it handed over. The server's own hashes prove it without a login.
 */
function requireProof(session: Session, next: RedisSecret, context: Context) {
  let proven = false;
  return async (user: AclUser): Promise<void> => {
    if (proven) return;
    const { credentials } = context;
    const has = (kept: RedisSecret | undefined) =>
      kept?.username === next.username && user.passwords.includes(hashOf(kept));
    proven = true;
    if (has(credentials.current) || has(next)) return;
    // Any password logs in as a user with nopass, so none says whose that is.
    if (user.nopass) {
      await requireAssigned(next, credentials);
      return;
    }
    const repairedWith = await olderProof(credentials, has);
    if (repairedWith === undefined) await requireAssigned(next, credentials);
    if (repairedWith === undefined && user.privileged) {
      throw new SecretError(
        'CredentialUnusable',
        `${session.where}: no version of the secret holds a password of "${next.username}", which is too privileged a user ` +
          'to be reset without any proof that the secret belongs to it; set its password by hand to that of one version',
      );
    }
    context.finding({
      code: 'CurrentCredentialRefused',
      message: `the current password of "${next.username}" is none that the server has; repaired by the admin, ${repairedWith ?? 'without proof from any version'}`,
    });
  };
}

/** Says in words which of the older versions is of the user; undefined when none is. */
export async function olderProof(
  credentials: Context['credentials'],
  has: (kept: RedisSecret | undefined) => boolean,
): Promise<string | undefined> {
  if (has(await credentials.previous())) return 'since it has the previous one';
  for await (const other of credentials.others()) {
    if (has(other)) return 'since it has an older one';
  }
  return undefined;
}

/** Logs in as the user itself, with any of its passwords that works. */
async function openOwn(next: RedisSecret, context: Context): Promise<Session> {
  const { credentials } = context;
  const { username } = next;
  const current = await tryOpen(credentials.current, context);
  if (!(current instanceof LoginRefused)) return current;
  // An earlier run may have got as far as the server.
  const pending = await tryOpen(next, context);
  if (!(pending instanceof LoginRefused)) return pending;
  const own = async (kept: RedisSecret, which: string): Promise<Session | undefined> => {
    if (kept.username !== username) return undefined;
    const session = await tryOpen({ ...next, password: kept.password }, context);
    if (session instanceof LoginRefused) return undefined;
    context.finding({
      code: 'CurrentCredentialRefused',
      message: `the server refused the current password of "${username}"; repaired with ${which}`,
    });
    return session;
  };
  const previous = await credentials.previous();
  const repaired = previous && (await own(previous, 'the previous one'));
  if (repaired !== undefined) return repaired;
  for await (const other of credentials.others()) {
    const session = await own(other, 'an older version');
    if (session !== undefined) return session;
  }
  throw new SecretError(
    'CredentialUnusable',
    `${current.message}; neither do the pending, the previous and the other kept versions log in; name an admin secret ` +
      'in "masterarn", or set the password by hand to that of one version',
  );
}
