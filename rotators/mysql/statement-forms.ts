import { TargetError } from '../../core/errors/rekey-error.ts';
import type { Purpose, Server, Session } from './connection.ts';
import { literal, quote } from './sql.ts';

/**
 * Numbers of MariaDB's errors for a hash where it wants to judge the password itself. The first is of `SET PASSWORD`, the second
 * of `CREATE` and `ALTER USER`.
 */
const hashRefused = [1290, 1396];

/** A statement in its forms. */
export interface StatementForms {
  /** Form that every other server takes. */
  readonly withHash: string;
  /** The same with the password, which would reach the binary log as it is. */
  readonly plain: string;
  /** The same by `SET PASSWORD`, which reaches the binary log as a hash. It is left out where `plain` may stand there. */
  readonly forBinaryLog?: readonly string[];
}

/**
 * Runs a statement that sets a password, also on a server that takes no hash of it. Such is MariaDB with
 * `strict_password_validation` (the default) and a plugin that validates passwords. MariaDB writes statements to its logs as they
 * are, so the password is kept out of them.
 *
 * @throws TargetError `PermissionMissing` when the password would stand in a log; `PolicyRefused`
 * @see https://mariadb.com/kb/en/password-validation-plugins/
 */
export async function runInSomeForm(
  session: Session,
  server: Server,
  { withHash, plain, forBinaryLog }: StatementForms,
  purpose: Purpose,
): Promise<void> {
  if (!server.mariadb) {
    await session.run(withHash, purpose);
    return;
  }
  const refusal = await session.attempt(withHash, purpose, hashRefused);
  if (refusal === undefined) return;
  if (!(await judges(session))) {
    // Something else is wrong; its own answer says what.
    await session.run(withHash, purpose);
    return;
  }
  const logs = await logsOf(session);
  await keepOutOfLogs(session, purpose, logs.general);
  if (!logs.binary || forBinaryLog === undefined) {
    if ((await session.attempt(plain, purpose, [1396])) === undefined) return;
    throw new TargetError(
      'PolicyRefused',
      `${session.place.where}: the server's password policy forbids to ${purpose.doing} (1396); SHOW VARIABLES LIKE '%password%' says what it wants`,
    );
  }
  const missing = `GRANT UPDATE ON mysql.* TO ${quote(session.place.username)}, so that the password gets into the binary log as a hash`;
  for (const statement of forBinaryLog) await session.run(statement, { ...purpose, missing });
}

/** Writes a password as `SET PASSWORD` takes it. */
export const asPlain = (password: string): string => `PASSWORD(${literal(password)})`;

async function logsOf(session: Session): Promise<{ general: boolean; binary: boolean }> {
  const [row] = await session.run<{ general: number; binary: number }>(
    'SELECT @@GLOBAL.general_log AS general, @@GLOBAL.log_bin AS `binary`',
    { doing: 'ask which logs are written' },
  );
  return { general: Number(row?.general) === 1, binary: Number(row?.binary) === 1 };
}

async function judges(session: Session): Promise<boolean> {
  const plugins = await session.run(
    `SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION'
     AND PLUGIN_STATUS = 'ACTIVE' AND @@GLOBAL.strict_password_validation = 1`,
    { doing: 'ask whether the server validates passwords' },
  );
  return plugins.length > 0;
}

async function keepOutOfLogs(session: Session, { doing }: Purpose, general: boolean): Promise<void> {
  await session.run('SET SESSION slow_query_log = 0', { doing: 'turn off the slow log for this session' });
  if (!general) return;
  const denied = await session.attempt(
    'SET SESSION sql_log_off = 1',
    { doing: 'turn off the general log for this session' },
    [1227],
  );
  if (denied === undefined) return;
  throw new TargetError(
    'PermissionMissing',
    `${session.place.where}: could not ${doing}: the server validates passwords and takes no hash, and the password itself would ` +
      'stand in its general log; SET GLOBAL general_log = OFF, or SET GLOBAL strict_password_validation = OFF',
  );
}
