import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import type { Session } from './connection.ts';
import { ConcurrentChange, commandError } from './errors.ts';

/** An ACL user as the server has it. */
export interface AclUser {
  readonly on: boolean;
  /** True if any password logs in. */
  readonly nopass: boolean;
  /** SHA-256 of each password, hexadecimal. */
  readonly passwords: readonly string[];
  /** True if it may change users or the server's configuration; see {@link isPrivileged}. */
  readonly privileged: boolean;
}

/**
 * Reads the reply of ACL GETUSER, which is a list of names and values in turns.
 * @see https://redis.io/docs/latest/commands/acl-getuser/
 */
export function parseUser(reply: unknown): AclUser | undefined {
  if (!Array.isArray(reply)) return undefined;
  const fields = new Map<unknown, unknown>();
  for (let index = 0; index + 1 < reply.length; index += 2) fields.set(reply[index], reply[index + 1]);
  const texts = (name: string): string[] => {
    const value = fields.get(name);
    return Array.isArray(value) ? value.flat().filter((item) => typeof item === 'string') : [];
  };
  const commands = fields.get('commands');
  return {
    on: texts('flags').includes('on'),
    nopass: texts('flags').includes('nopass'),
    passwords: texts('passwords'),
    privileged: [typeof commands === 'string' ? commands : '+@all', ...texts('selectors')].some(isPrivileged),
  };
}

const grants = /^(?:allcommands|\+@(?:all|admin|dangerous)|\+(?:acl|config|module|debug)(?:\|.*)?)$/;
const revokes = /^(?:nocommands|-@(?:all|admin|dangerous))$/;

/**
 * Tells whether command rules, as ACL GETUSER gives them, permit changing users or the configuration. In doubt they do: a rule
 * that takes single commands away again is not followed.
 */
export function isPrivileged(commands: string): boolean {
  let privileged = false;
  for (const rule of commands.split(' ')) {
    if (grants.test(rule)) privileged = true;
    else if (revokes.test(rule)) privileged = false;
  }
  return privileged;
}

/** Number of times that a change is tried, each after a fresh read, when somebody else was faster. */
const attempts = 5;

/**
 * Changes a user by rules that follow from how it is now. The server applies the rules of one command all at once or not at all.
 * A rule that takes a password away fails when it is gone already; then the user is read anew.
 *
 * @param decide - the rules; none when the user is as it should be
 * @returns the user as it was before, or undefined when there is no such user
 */
export async function changeUser(
  session: Session,
  username: string,
  decide: (user: AclUser) => readonly string[] | Promise<readonly string[]>,
): Promise<{ before: AclUser; rules: readonly string[] } | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const before = parseUser(
      await session.run(['ACL', 'GETUSER', username], {
        doing: `read the user "${username}"`,
        missing: '+acl|getuser',
      }),
    );
    if (before === undefined) return undefined;
    const rules = await decide(before);
    if (rules.length === 0) return { before, rules };
    try {
      await setUser(session, username, rules);
      return { before, rules };
    } catch (error) {
      if (!(error instanceof ConcurrentChange) || attempt === attempts) throw error;
    }
  }
}

async function setUser(session: Session, username: string, rules: readonly string[]): Promise<void> {
  const purpose = { doing: `change the passwords of "${username}"`, missing: '+acl|setuser' };
  const reply = await session.attempt(['ACL', 'SETUSER', username, ...rules], purpose);
  if (reply.outcome === 'done') return;
  const { word } = reply.error;
  if (word === 'ERR') {
    throw new ConcurrentChange(`${session.where}: could not ${purpose.doing}; its rules were refused (ERR)`);
  }
  throw new TargetError(
    word === 'NOPERM' ? 'PermissionMissing' : 'TargetRefused',
    `${session.where}: may not ${purpose.doing} (${word}); it needs ${purpose.missing}`,
  );
}

/**
 * Makes a change of users outlive a restart: ACL SAVE where the server has an ACL file, else CONFIG REWRITE. A change that cannot
 * be kept is a finding, since the change itself is in force. Replicas are a finding, too, since they do not get it.
 */
export async function keep(session: Session, username: string, context: TargetContext): Promise<void> {
  const problem = await save(session, username);
  if (problem !== undefined) {
    context.finding({
      code: 'ChangeNotPersisted',
      message: `${session.where}: a restart of the server forgets this change of "${username}": ${problem}`,
    });
  }
  const role = await session.attempt(['ROLE'], { doing: 'ask for replicas', missing: '+role' });
  const replicas = role.outcome === 'done' && Array.isArray(role.value) ? role.value[2] : undefined;
  if (Array.isArray(replicas) && replicas.length > 0) {
    context.finding({
      code: 'ReplicasUnchanged',
      message: `${session.where}: ACL users are not replicated, so ${replicas.length} replicas still have the old passwords of "${username}"; load the same ACL file there. If they log in to this server as "${username}" (masteruser, masterauth), set the new password there, or replication ends with their next connection`,
    });
  }
}

/**
 * Refuses a server that is one of several which take logins. Each has users of its own, and Rekey changes one. HELLO tells the
 * mode. From 6.2 on every login may send it; Redis 6.0 asks for a permission, and for the number.
 *
 * @see https://redis.io/docs/latest/commands/hello/
 * @throws TargetError `TargetRefused`, or `PermissionMissing` where the mode is not told, before anything is changed
 */
export async function requireAlone(session: Session): Promise<void> {
  const purpose = { doing: 'ask for its mode', missing: '+hello' };
  const hello = await session.attempt(['HELLO', '2'], purpose);
  if (hello.outcome === 'refused' && hello.error.word === 'NOPERM') {
    throw commandError(hello.error, session.where, purpose.doing, purpose.missing);
  }
  const facts = hello.outcome === 'done' && Array.isArray(hello.value) ? hello.value.map(String) : [];
  const mode = facts[facts.indexOf('mode') + 1];
  if (mode !== 'cluster' && mode !== 'sentinel') return;
  if (mode === 'cluster') {
    const info = await session.attempt(['CLUSTER', 'INFO'], {
      doing: 'count the nodes of its cluster',
      missing: '+cluster|info',
    });
    if (info.outcome === 'done' && /^cluster_known_nodes:1\r?$/m.test(String(info.value))) return;
  }
  throw new TargetError(
    'TargetRefused',
    mode === 'sentinel'
      ? `${session.where}: is a Sentinel, which holds no users of the servers that it watches; name the primary as host`
      : `${session.where}: is a node of a Redis Cluster. Each node has ACL users of its own, and with the password of one ` +
          'changed the others would refuse it. Nothing was changed. Where the cluster is one of ElastiCache, use the type elasticache',
  );
}

async function save(session: Session, username: string): Promise<string | undefined> {
  const saved = await session.attempt(['ACL', 'SAVE'], { doing: 'save the ACL file', missing: '+acl|save' });
  if (saved.outcome === 'done') return undefined;
  if (saved.error.word === 'NOPERM') return 'the login may not save it; it needs +acl|save';
  if (!saved.error.text.includes('not configured to use an ACL file')) {
    return `the server could not write its ACL file (${saved.error.word})`;
  }
  if (/["'\\]/.test(username)) {
    return 'the server has no ACL file, and its configuration file cannot hold this user name';
  }
  const rewritten = await session.attempt(['CONFIG', 'REWRITE'], {
    doing: 'rewrite the configuration file',
    missing: '+config|rewrite',
  });
  if (rewritten.outcome === 'done') return undefined;
  return rewritten.error.word === 'NOPERM'
    ? 'the server has no ACL file, and the login may not rewrite the configuration file; configure "aclfile", or permit +config|rewrite'
    : `the server has no ACL file and could not rewrite its configuration file (${rewritten.error.word}); configure "aclfile"`;
}
