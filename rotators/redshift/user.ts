import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { Session } from './connection.ts';
import { literal, quote } from './sql.ts';

/** A user as the cluster's catalogue has it. */
export interface User {
  readonly name: string;
  readonly id: number;
  readonly superuser: boolean;
  /** True if it may make itself or others a superuser, by a role. */
  readonly privileged: boolean;
  readonly createDatabases: boolean;
  /** Number of connections, or `UNLIMITED`. */
  readonly connectionLimit: string;
  /** End of the password; `infinity` when it has none. */
  readonly validUntil: string;
  readonly expired: boolean;
  /** Access to the system's log: `RESTRICTED` or `UNRESTRICTED`. */
  readonly syslogAccess: string;
  /** Timeout in seconds; 0 for that of the cluster. */
  readonly sessionTimeout: number;
  /** Defaults of settings, `name=value`. */
  readonly settings: readonly string[];
}

/**
 * Makes sure that the admin is a superuser. Only a superuser may take a password away, end the sessions of others and see what is
 * granted to whom.
 * @throws TargetError `PermissionMissing`
 */
export async function requireSuperuser(session: Session): Promise<void> {
  const { username, where } = session.place;
  const rows = await session.run<{ superuser: boolean }>(
    `SELECT usesuper AS superuser FROM pg_catalog.pg_user WHERE usename = ${literal(username)}`,
    { doing: 'look up the admin' },
  );
  if (rows[0]?.superuser !== true) {
    throw new TargetError(
      'PermissionMissing',
      `${where}: the admin must be a superuser; ALTER USER ${quote(username)} CREATEUSER`,
    );
  }
}

/**
 * Looks users up by name, as a superuser; one that does not exist is missing from the answer.
 * @see https://docs.aws.amazon.com/redshift/latest/dg/pg_user_info.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_INFO.html
 */
export async function readUsers(session: Session, names: readonly string[]): Promise<Map<string, User>> {
  const purpose = { doing: 'look up users' };
  const list = names.map(literal).join(', ');
  const users = await session.run<{
    name: string;
    id: number;
    superuser: boolean;
    createdb: boolean;
    until: unknown;
    settings: unknown;
    connections: string | null;
  }>(
    'SELECT usename AS name, usesysid AS id, usesuper AS superuser, usecreatedb AS createdb, valuntil AS until, ' +
      `useconfig AS settings, useconnlimit AS connections FROM pg_catalog.pg_user_info WHERE usename IN (${list})`,
    purpose,
  );
  const more = await session.run<{ name: string; syslog: string | null; timeout: number | null }>(
    'SELECT user_name AS name, syslog_access AS syslog, session_timeout AS timeout FROM pg_catalog.svv_user_info ' +
      `WHERE user_name IN (${list})`,
    purpose,
  );
  const granted = await session.run<{ name: string }>(
    'SELECT DISTINCT user_name AS name FROM pg_catalog.svv_user_grants ' +
      `WHERE user_name IN (${list}) AND (role_name LIKE 'sys:%' OR admin_option)`,
    purpose,
  );
  const powerful = new Set(granted.map(({ name }) => name));
  return new Map(
    users.map((user) => {
      const { syslog, timeout } = more.find(({ name }) => name === user.name) ?? {};
      const until = typeof user.until === 'string' ? user.until : 'infinity';
      return [
        user.name,
        {
          name: user.name,
          id: user.id,
          superuser: user.superuser,
          privileged: user.superuser || powerful.has(user.name),
          createDatabases: user.createdb,
          connectionLimit: user.connections?.trim() || 'UNLIMITED',
          validUntil: until,
          // No number for `infinity`, and nothing is less than that.
          expired: Date.parse(until) < Date.now(),
          syslogAccess: syslog?.trim() || 'RESTRICTED',
          sessionTimeout: timeout ?? 0,
          settings: Array.isArray(user.settings) ? user.settings.map(String) : [],
        },
      ];
    }),
  );
}

/** Refuses a user that is past its VALID UNTIL: a new password would fail to log in. @throws TargetError `TargetRefused` */
export function requireValid(session: Session, user: User): void {
  if (!user.expired) return;
  throw new TargetError(
    'TargetRefused',
    `${session.place.where}: user "${user.name}" is past its VALID UNTIL (${user.validUntil}); ` +
      `ALTER USER ${quote(user.name)} VALID UNTIL 'infinity'`,
  );
}

/**
 * Refuses a privileged user when nothing proves that the secret belongs to it. Whoever may write the secret could name any user
 * in it and have it handed over by the admin.
 * @throws SecretError `CredentialUnusable`
 */
export function requireHarmless(user: User): void {
  if (!user.privileged) return;
  throw new SecretError(
    'CredentialUnusable',
    `no version of the secret logs in, and "${user.name}" is too privileged a user to be reset by the admin ` +
      'without any proof that the secret belongs to it; set its password by hand to that of one version',
  );
}

/** Sets a user's password. @param kept - what the cluster shall keep of the password; see {@link keptForm} */
export async function setPassword(session: Session, username: string, kept: string): Promise<void> {
  await session.run(`ALTER USER ${quote(username)} PASSWORD ${literal(kept)}`, {
    doing: `set the password of "${username}"`,
    missing: `ALTER USER ${quote(session.place.username)} CREATEUSER`,
  });
}
