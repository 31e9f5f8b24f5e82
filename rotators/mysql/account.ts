import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { transportOf } from '../transport/tls/transport.ts';
import { keepsTwoPasswords, type Row, type Server, type Session } from './connection.ts';
import { type Grants, parseGrants } from './grants.ts';
import { accountName, literal, nativeHash, quote } from './sql.ts';
import { asPlain, runInSomeForm } from './statement-forms.ts';
import { isVerified } from './verifier.ts';

/** A `user@host` as the server has it. A user name may have several, each with a password of its own. */
export interface Account {
  readonly user: string;
  readonly host: string;
  readonly plugin: string;
  /** True if there is more than one way to log in (MariaDB's `IDENTIFIED VIA … OR …`). */
  readonly severalPlugins: boolean;
  readonly locked: boolean;
  /** True if it has an empty password: everybody logs in as this user. */
  readonly isOpen: boolean;
  /** True if it has a retained password besides its primary one (MySQL). */
  readonly second: boolean;
  /** Rules for connections and passwords, and limits of use, as `ALTER USER` takes them. */
  readonly limits: string;
  readonly needsClientCertificate: boolean;
  /** True if only connections over TLS are let in. */
  readonly needsTls: boolean;
  /** Verifiers that the server keeps of the passwords: of the primary one, and of a retained one (MySQL). */
  readonly verifiers: readonly string[];
  /** Names of roles, quoted. */
  readonly defaultRoles: readonly string[];
}

const readPermission = (session: Session) => `GRANT SELECT ON mysql.* TO ${quote(session.place.username)}`;
export const changePermission = (session: Session): string =>
  `GRANT CREATE USER ON *.* TO ${quote(session.place.username)}`;

const common = `CONVERT(u.User USING utf8mb4) AS user, CONVERT(u.Host USING utf8mb4) AS host, u.plugin AS plugin,
  CONVERT(u.authentication_string USING utf8mb4) AS verifier,
  u.ssl_type AS tls, CONVERT(u.ssl_cipher USING utf8mb4) AS cipher, CONVERT(u.x509_issuer USING utf8mb4) AS issuer,
  CONVERT(u.x509_subject USING utf8mb4) AS subject, u.max_questions AS questions, u.max_updates AS updates,
  u.max_connections AS connections, u.max_user_connections AS sessions`;

/** Reads all accounts of a user name, by host. It needs SELECT on the database `mysql`. */
export async function readAccounts(session: Session, server: Server, user: string): Promise<Account[]> {
  const purpose = { doing: `look up the accounts of "${user}"`, missing: readPermission(session) };
  const rows = server.mariadb
    ? await session.run(
        `SELECT ${common}, u.max_statement_time AS seconds, u.default_role AS role,
           IFNULL(JSON_VALUE(p.Priv, '$.account_locked'), 0) AS locked, JSON_EXISTS(p.Priv, '$.auth_or') AS several,
           NULLIF(JSON_VALUE(p.Priv, '$.password_lifetime'), -1) AS lifetime
         FROM mysql.user u JOIN mysql.global_priv p ON p.User = u.User AND p.Host = u.Host
         WHERE u.User = ? AND u.is_role = 'N' ORDER BY u.Host`,
        purpose,
        [user],
      )
    : await session.run(
        `SELECT ${common}, '' AS role, u.account_locked = 'Y' AS locked, 0 AS several, u.password_lifetime AS lifetime
           ${!keepsTwoPasswords(server) ? '' : passwordRules}
         FROM mysql.user u WHERE u.User = ? ORDER BY u.Host`,
        purpose,
        [user],
      );
  const roles =
    server.mariadb || server.major < 8
      ? []
      : await session.run(
          `SELECT HOST AS host, DEFAULT_ROLE_USER AS role, DEFAULT_ROLE_HOST AS roleHost FROM mysql.default_roles
           WHERE USER = ? ORDER BY 1, 2, 3`,
          purpose,
          [user],
        );
  return rows.map((row) => {
    const own = roles
      .filter(({ host }) => host === row.host)
      .map(({ role, roleHost }) => accountName({ user: String(role), host: String(roleHost) }));
    return toAccount(row, server, row.role ? [quote(String(row.role))] : own);
  });
}

/** Columns that MySQL has since 8.0.14. */
const passwordRules = `, JSON_UNQUOTE(JSON_EXTRACT(u.User_attributes, '$.additional_password')) AS second,
  u.Password_reuse_history AS history, u.Password_reuse_time AS reuse, u.Password_require_current AS requireCurrent,
  JSON_EXTRACT(u.User_attributes, '$.Password_locking.failed_login_attempts') AS attempts,
  JSON_EXTRACT(u.User_attributes, '$.Password_locking.password_lock_time_days') AS lockDays`;

/**
 * Writes the rules for the passwords of an account, as `ALTER USER` takes them. The server's own rules stand as the word DEFAULT.
 * @see https://dev.mysql.com/doc/refman/8.4/en/password-management.html
 * @see https://mariadb.com/kb/en/user-password-expiry/
 */
function passwordOptions(row: Row, server: Server): string {
  const isUnset = (value: unknown) => value === null || value === undefined;
  const days = (value: unknown) => (isUnset(value) ? 'DEFAULT' : `${Number(value)} DAY`);
  const { lifetime, history, reuse, requireCurrent, attempts, lockDays } = row;
  const expire = isUnset(lifetime)
    ? 'DEFAULT'
    : Number(lifetime) === 0
      ? 'NEVER'
      : `INTERVAL ${days(lifetime)}`;
  const options = [`PASSWORD EXPIRE ${expire}`];
  if (!keepsTwoPasswords(server)) return options.join(' ');
  const current = isUnset(requireCurrent) ? ' DEFAULT' : requireCurrent === 'Y' ? '' : ' OPTIONAL';
  options.push(
    `PASSWORD HISTORY ${isUnset(history) ? 'DEFAULT' : Number(history)}`,
    `PASSWORD REUSE INTERVAL ${days(reuse)}`,
    `PASSWORD REQUIRE CURRENT${current}`,
  );
  // Since 8.0.19.
  if (server.major > 8 || server.minor > 0 || server.patch >= 19) {
    const lockTime = Number(lockDays) === -1 ? 'UNBOUNDED' : Number(lockDays ?? 0);
    options.push(`FAILED_LOGIN_ATTEMPTS ${Number(attempts ?? 0)} PASSWORD_LOCK_TIME ${lockTime}`);
  }
  return options.join(' ');
}

function toAccount(row: Row, server: Server, defaultRoles: readonly string[]): Account {
  const tls = String(row.tls ?? '');
  const specified = [
    ['CIPHER', row.cipher],
    ['ISSUER', row.issuer],
    ['SUBJECT', row.subject],
  ].flatMap(([word, value]) => (value ? [`${word} ${literal(String(value))}`] : []));
  const require = { ANY: 'SSL', X509: 'X509', SPECIFIED: specified.join(' AND ') }[tls] || 'NONE';
  const limits =
    `REQUIRE ${require} WITH MAX_QUERIES_PER_HOUR ${Number(row.questions)} MAX_UPDATES_PER_HOUR ${Number(row.updates)} ` +
    `MAX_CONNECTIONS_PER_HOUR ${Number(row.connections)} MAX_USER_CONNECTIONS ${Number(row.sessions)}` +
    `${server.mariadb ? ` MAX_STATEMENT_TIME ${Number(row.seconds)}` : ''} ${passwordOptions(row, server)}`;
  return {
    user: String(row.user),
    host: String(row.host),
    plugin: String(row.plugin ?? ''),
    severalPlugins: Number(row.several) === 1,
    locked: Number(row.locked) === 1,
    isOpen: !row.verifier && Number(row.several) !== 1 && isOfPassword(String(row.plugin ?? '')),
    second: Boolean(row.second),
    limits,
    needsTls: tls !== '',
    needsClientCertificate: tls === 'X509' || Boolean(row.issuer) || Boolean(row.subject),
    defaultRoles,
    verifiers: [row.verifier, row.second].flatMap((kept) => (kept ? [String(kept)] : [])),
  };
}

/**
 * Tells whether an account has a password, by what the server keeps of it. A login would count if it were refused.
 * @returns undefined where that cannot be told
 */
export function hasPassword(account: Account, password: string): boolean | undefined {
  if (account.severalPlugins || !isOfPassword(account.plugin)) return undefined;
  return anyOf(account.verifiers.map((kept) => isVerified(kept, password)));
}

/** Tells the same for all accounts of a user. It is true where any of them has the password. */
export function anyHasPassword(accounts: readonly Account[], password: string): boolean | undefined {
  return anyOf(accounts.map((account) => hasPassword(account, password)));
}

/** Gives true where any answer is, and undefined where one that cannot be told might be. */
function anyOf(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

/** Tells whether every account of a user is known to have a password. */
export const allHavePassword = (accounts: readonly Account[], password: string): boolean =>
  accounts.every((account) => hasPassword(account, password) === true);

/** Reads the privileges of one account. It needs SELECT on the database `mysql`. */
export async function readGrants(session: Session, account: Account): Promise<Grants> {
  const name = accountName(account);
  const rows = await session.run(`SHOW GRANTS FOR ${name}`, {
    doing: `read the privileges of ${name}`,
    missing: readPermission(session),
  });
  return parseGrants(rows.map((row) => String(Object.values(row)[0])));
}

/** Plugins whose passwords can be set, by server. */
const settable = {
  mariadb: ['mysql_native_password'],
  mysql: ['caching_sha2_password', 'sha256_password', 'mysql_native_password'],
} as const;

/** Tells whether a plugin lets in by a password that the server keeps. */
function isOfPassword(plugin: string): boolean {
  const plugins: readonly string[] = ['', ...settable.mariadb, ...settable.mysql];
  return plugins.includes(plugin);
}

/**
 * Writes how an account is identified by a password, as `CREATE USER` and `ALTER USER` take it. MariaDB writes statements to its
 * logs as they are, so it gets the hash. MySQL replaces passwords in its logs itself, and only by the password can it judge
 * whether its policy is met.
 */
export function identified(server: Server, plugin: string, password: string): string {
  return server.mariadb
    ? `IDENTIFIED VIA mysql_native_password USING '${nativeHash(password)}'`
    : `IDENTIFIED WITH ${quote(plugin)} BY ${literal(password)}`;
}

/** Finds why Rekey could not give the account a password that logs in; undefined when it can. */
function unsettable(server: Server, account: Account): string | undefined {
  const plugins: readonly string[] = settable[server.mariadb ? 'mariadb' : 'mysql'];
  const plugin = account.plugin || 'mysql_native_password';
  if (!plugins.includes(plugin) || account.severalPlugins) {
    return `is identified by ${account.severalPlugins ? 'several plugins' : plugin}, not by a password alone that can be rotated; use ${plugins.join(' or ')}`;
  }
  return account.needsClientCertificate
    ? 'requires a client certificate, which Rekey has not; use REQUIRE SSL'
    : undefined;
}

/**
 * Picks the accounts of a user that a password can be set for. The others go on logging in as they do, which a finding says. Such
 * is one of `unix_socket` on the server itself beside one for the network.
 * @throws TargetError `TargetRefused` when there is none
 */
export function settableOf(
  { place }: Session,
  server: Server,
  accounts: readonly Account[],
  { finding }: Pick<TargetContext, 'finding'>,
): Account[] {
  const faults = accounts.map((account) => ({ account, why: unsettable(server, account) }));
  const left = faults.flatMap(({ account, why }) =>
    why === undefined ? [] : [`${accountName(account)} ${why}`],
  );
  if (left.length > 0 && left.length === accounts.length) {
    throw new TargetError('TargetRefused', `${place.where}: account ${left.join('; account ')}`);
  }
  if (left.length > 0) {
    finding({
      code: 'AccountNotRotated',
      message: `the other accounts of the user got the new password, and this one goes on as it was: account ${left.join('; account ')}`,
    });
  }
  return faults.flatMap(({ account, why }) => (why === undefined ? [account] : []));
}

/**
 * Refuses to set a password that could be tried nowhere. Connections of the secret go without TLS then, and no account lets them
 * in. It is refused before anything changes.
 * @throws TargetError `TargetRefused`
 */
export function requireWayIn(
  { place }: Session,
  accounts: readonly Account[],
  secret: { readonly ssl?: unknown },
): void {
  if (transportOf(secret) !== 'plaintext' || !accounts.every(({ needsTls }) => needsTls)) return;
  throw new TargetError(
    'TargetRefused',
    `${place.where}: ${accounts.map(accountName).join(', ')} lets its user in over TLS alone, which "ssl": false in the secret rules out; remove that key`,
  );
}

/**
 * Sets the password of all given accounts in one statement, and unlocks them. Containment may have locked one, and MySQL one that
 * too many wrong passwords came for, which it does not show.
 * @see https://dev.mysql.com/doc/refman/8.4/en/password-management.html#failed-login-tracking
 */
export async function setPassword(
  session: Session,
  server: Server,
  accounts: readonly Account[],
  password: string,
  retain: '' | ' RETAIN CURRENT PASSWORD' = '',
): Promise<void> {
  const parts = accounts.map(
    (account) =>
      `${accountName(account)} ${identified(server, account.plugin || 'mysql_native_password', password)}${retain}`,
  );
  const locked = accounts.filter((account) => account.locked).map(accountName);
  const unlock = !server.mariadb || locked.length > 0 ? ' ACCOUNT UNLOCK' : '';
  await runInSomeForm(
    session,
    server,
    {
      withHash: `ALTER USER ${parts.join(', ')}${unlock}`,
      plain: `ALTER USER ${accounts.map((account) => `${accountName(account)} IDENTIFIED BY ${literal(password)}`).join(', ')}${unlock}`,
      forBinaryLog: [
        ...accounts.map((account) => `SET PASSWORD FOR ${accountName(account)} = ${asPlain(password)}`),
        ...(locked.length > 0 ? [`ALTER USER ${locked.join(', ')} ACCOUNT UNLOCK`] : []),
      ],
    },
    { doing: `set the password of "${accounts[0]?.user}"`, missing: changePermission(session) },
  );
}

/** Number of MySQL's error where a user must name its current password to change it. */
const currentWanted = 3892;

/**
 * Has the user that is logged in set its own password, which needs no permission.
 * @param current - what it has logged in with
 * @see https://dev.mysql.com/doc/refman/8.4/en/password-management.html#password-reverification-policy
 */
export async function setOwnPassword(
  session: Session,
  server: Server,
  password: string,
  current: string,
): Promise<void> {
  const purpose = { doing: `set the password of "${session.place.username}"` };
  if (server.mariadb) {
    const plain = `SET PASSWORD = ${asPlain(password)}`;
    await runInSomeForm(
      session,
      server,
      { withHash: `SET PASSWORD = '${nativeHash(password)}'`, plain },
      purpose,
    );
    return;
  }
  const statement = `ALTER USER USER() IDENTIFIED BY ${literal(password)}`;
  if ((await session.attempt(statement, purpose, [currentWanted])) === undefined) return;
  await session.run(`${statement} REPLACE ${literal(current)}`, purpose);
}
