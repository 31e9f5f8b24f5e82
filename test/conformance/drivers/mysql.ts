import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import type { OverlappingRotator } from '../../../core/rotator.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { newServerFolder } from '../../../local/process/folders.ts';
import { documented } from '../../../local/servers/documented.ts';
import { type MariaDbServer, missingMariaDb, startMariaDb } from '../../../local/servers/mariadb.ts';
import { rotator } from '../../../rotators/mysql/rotator.ts';
import { type MysqlSecret, portOf } from '../../../rotators/mysql/schema.ts';
import { passwordLogin, succeeds, unknownKeys } from '../login.ts';
import { serverOutages } from '../outages.ts';
import { patience } from '../pace.ts';
import type { Account, LiveSession, TargetUnderTest } from '../target.ts';

const run = promisify(execFile);
const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;
/** The statements of the documentation that follow the given marker. */
const statements = async (marker: string): Promise<string[]> =>
  (await documented('mysql', marker)).split(/;(?:\n|$)/).filter((statement) => statement.trim() !== '');

/** MariaDB as the suite and the tests of what is special about it use it. */
export interface MysqlUnderTest extends TargetUnderTest<MysqlSecret> {
  readonly rotator: OverlappingRotator<MysqlSecret>;
  readonly serverHandle: MariaDbServer;
  /** Runs statements as the superuser, unlogged: they set up what is tested. Returns the rows of the last. */
  superuser(statements: string | readonly string[]): Promise<Record<string, unknown>[]>;
  /** Logs in as an application does, runs the statements and returns the rows of the last. */
  ask(secret: MysqlSecret, statements: string | readonly string[]): Promise<Record<string, unknown>[]>;
}

/** Path of MySQL's own server: where the variable names one, everything runs on that instead of MariaDB. */
const mysqld = process.env.REKEY_MYSQLD || undefined;

/**
 * See {@link Driver}.
 * @public
 */
export const missing = mysqld === undefined ? missingMariaDb : undefined;

/**
 * See {@link Driver}.
 * @public
 */
export const notRun: Partial<Record<Strategy, string>> =
  mysqld === undefined
    ? {
        'dual-credential':
          'MariaDB has no second password and Debian 12 no MySQL; REKEY_MYSQLD=<path of a mysqld 8.0.14 or later> runs it',
      }
    : {};

/** MySQL 8.0 before 8.0.19 cannot block a user after refused logins; MariaDB and everything later can. */
export const blocksUsers =
  mysqld === undefined || !/Ver 8\.0\.1[0-8] /.test((await run(mysqld, ['--version'])).stdout);

/** @param options - `binaryLog`: the server writes one, as one with replicas does */
export async function start(options: { readonly binaryLog?: boolean } = {}): Promise<MysqlUnderTest> {
  const directory = await newServerFolder('mariadb');
  const server = await startMariaDb({
    directory,
    ...options,
    ...(mysqld !== undefined && { mysqld }),
  });
  // As the documentation says: the privilege has another name on MySQL 8.
  const administration = (await statements('admin')).map((statement) =>
    mysqld === undefined ? statement : statement.replace('CONNECTION ADMIN', 'CONNECTION_ADMIN'),
  );
  const perUser = await statements('per user');

  const runAll = async (connection: mysql.Connection, statements: string | readonly string[]) => {
    let rows: unknown = [];
    for (const statement of [statements].flat()) [rows] = await connection.query(statement);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  };
  const connect = async (secret: MysqlSecret) => {
    const connection = await mysql.createConnection({
      host: secret.host,
      port: portOf(secret),
      user: secret.username,
      password: secret.password,
      ...(secret.dbname && { database: secret.dbname }),
      ssl: { ca: server.caPem },
      connectTimeout: patience.connectTimeoutMs,
    });
    connection.on('error', () => {});
    return connection;
  };
  const ask: MysqlUnderTest['ask'] = async (secret, statements) => {
    const connection = await connect(secret);
    try {
      return await runAll(connection, statements);
    } finally {
      await connection.end();
    }
  };
  const superuser: MysqlUnderTest['superuser'] = async (statements) => {
    const { username: user, password } = server.superuser;
    const connection = await mysql.createConnection({ socketPath: server.socket, user, password });
    try {
      await connection.query("SET SESSION sql_log_off = 1, sql_mode = 'NO_BACKSLASH_ESCAPES'");
      return await runAll(connection, statements);
    } finally {
      await connection.end();
    }
  };
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  await superuser(['CREATE DATABASE shop', 'CREATE TABLE shop.orders (id INT, note VARCHAR(20))']);
  const [version] = await superuser('SELECT VERSION() AS version');

  const base = {
    engine: mysqld === undefined ? 'mariadb' : 'mysql',
    host: server.host,
    port: server.port,
    dbname: 'shop',
  } as const;
  let accounts = 0;
  const createAccount: MysqlUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const ending = options.exact ? '' : `_${accounts}`;
    const username = `${options.name ?? 'app'}${ending}`;
    const secret: MysqlSecret = {
      ...base,
      username,
      password: options.password ?? `${crypto.randomUUID()} first`,
      ...unknownKeys,
    };
    const { dbname: _none, ...plain } = base;
    const admin: MysqlSecret = {
      ...plain,
      username: `rekey_admin_${accounts}`,
      password: `${crypto.randomUUID()} admin`,
    };
    const fill = (sql: string) =>
      sql.replaceAll('rekey_admin', quote(admin.username)).replaceAll("'…'", literal(admin.password));
    await superuser([
      `DROP USER IF EXISTS ${quote(username)}, ${quote(`${username}_clone`)}`,
      `CREATE USER ${quote(username)} IDENTIFIED BY ${literal(secret.password)}`,
      `GRANT SELECT, INSERT ON shop.* TO ${quote(username)}`,
      ...administration.map(fill),
      ...perUser.map(fill),
    ]);
    return { secret, admin };
  };

  const openSession = async (secret: MysqlSecret): Promise<LiveSession> => {
    const connection = await connect(secret);
    return {
      alive: () => succeeds(connection.query('SELECT 1')),
      close: () => connection.end().catch(() => {}),
    };
  };

  const admin = ({ admin: { username } }: Account<MysqlSecret>) => quote(username);
  const longest = (mysqld === undefined ? 80 : 32) - '_clone'.length;
  const all = ['single-user', 'alternating-users', 'dual-credential'] as const;
  const revoke = (
    name: string,
    privilege: string,
    act: 'apply' | 'contain',
    strategies: readonly Strategy[] = all,
  ) => ({
    name: privilege,
    strategies,
    act,
    names: name,
    remove: async (account: Account<MysqlSecret>) => {
      await superuser(`REVOKE ${privilege} FROM ${admin(account)}`);
    },
  });
  return {
    rotator,
    server: `${mysqld === undefined ? 'MariaDB' : 'MySQL'} ${String(version?.version).split('-')[0]}`,
    serverHandle: server,
    context: { ...patience, certificateAuthorities: [server.caPem] },
    superuser,
    ask,
    createAccount,
    ...passwordLogin(openSession),
    // Neither server knows when a session began.
    sessionsToldApart: (strategy) => (strategy === 'alternating-users' ? 0 : undefined),
    verifier: '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19',
    logged: mysqld === undefined ? 'IDENTIFIED VIA mysql_native_password' : 'IDENTIFIED WITH',
    awkward: {
      names: [
        'MixedCase',
        'with space',
        'quote"d',
        'back`tick',
        "o'brien",
        'at@sign@%',
        'semi;DROP TABLE users;--',
        "'; DROP USER mysql; --",
        'sl\\ash\\',
        '100%_%s',
        '$1',
        '?',
        'select',
        'Größe-名前',
        'x'.repeat(longest),
        'é'.repeat(longest),
      ],
      passwords: [
        `'; DROP USER root; --`,
        `"double" and 'single'`,
        'back\\slash\\',
        '%s %I %L {0} $1 :x ?',
        ' leading and trailing ',
        '\ttab\nnewline',
        'Grüße aus Köln',
        'e\u0301 decomposed',
        'パスワード一二三四🙂',
        'SCRAM-SHA-256',
        'a'.repeat(250),
      ],
    },
    outages: serverOutages({
      ...server,
      useTls: async (tls) => {
        await server.stop();
        await server.start({ tls });
      },
    }),
    missingPermissions: [
      revoke('GRANT CREATE USER ON *.*', 'CREATE USER ON *.*', 'apply'),
      revoke('GRANT SELECT ON mysql.*', 'SELECT ON mysql.*', 'apply'),
      {
        name: 'the right to hand a privilege on',
        strategies: ['alternating-users'],
        act: 'apply',
        names: 'GRANT SELECT, INSERT ON `shop`.* TO',
        // The user has to be made anew, like its clone.
        remove: async (account) => {
          await superuser([
            `DROP USER ${quote(account.secret.username)}`,
            `REVOKE GRANT OPTION ON shop.* FROM ${admin(account)}`,
          ]);
        },
      },
      revoke('GRANT CREATE USER ON *.*', 'CREATE USER ON *.*', 'contain'),
      revoke('GRANT PROCESS ON *.*', 'PROCESS ON *.*', 'contain'),
      revoke(
        'GRANT CONNECTION ADMIN ON *.*',
        `${mysqld === undefined ? 'CONNECTION ADMIN' : 'CONNECTION_ADMIN'} ON *.*`,
        'contain',
      ),
    ],
    readLog: () => server.readLog(),
    stop: async () => {
      await server.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
