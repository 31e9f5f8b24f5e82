import { readFile, rm } from 'node:fs/promises';
import pg from 'pg';
import { newServerFolder } from '../../../local/process/folders.ts';
import { documented } from '../../../local/servers/documented.ts';
import { type PostgresServer, startPostgres } from '../../../local/servers/postgres.ts';
import { rotator as postgresql } from '../../../rotators/postgresql/rotator.ts';
import { databaseOf, type PostgresSecret, portOf } from '../../../rotators/postgresql/schema.ts';
import { passwordLogin, succeeds, unknownKeys } from '../login.ts';
import { serverOutages } from '../outages.ts';
import { patience } from '../pace.ts';
import type { Account, LiveSession, TargetUnderTest } from '../target.ts';

const quote = pg.escapeIdentifier;
/** PostgreSQL as the suite and the tests of what is special about it use it. */
export interface PostgresUnderTest extends TargetUnderTest<PostgresSecret> {
  readonly serverHandle: PostgresServer;
  /** Runs statements as the superuser, unlogged: they set up what is tested. */
  superuser(statements: string | readonly string[], database?: string): Promise<Record<string, unknown>[]>;
  /** Logs in as an application does, runs the statements and returns the rows of the last. */
  ask(secret: PostgresSecret, statements: string | readonly string[]): Promise<Record<string, unknown>[]>;
}

export async function start(): Promise<PostgresUnderTest> {
  const directory = await newServerFolder('postgres');
  const server = await startPostgres({ directory });
  const administration = await documented('postgresql', 'admin');
  const perUser = await documented('postgresql', 'per user');

  const connect = async (secret: PostgresSecret): Promise<pg.Client> => {
    const client = new pg.Client({
      host: secret.host,
      port: portOf(secret),
      user: secret.username,
      password: secret.password,
      database: databaseOf(secret),
      ssl: { ca: server.caPem },
      connectionTimeoutMillis: patience.connectTimeoutMs,
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const runAll = async (client: pg.Client, statements: string | readonly string[]) => {
    let rows: Record<string, unknown>[] = [];
    for (const statement of [statements].flat()) {
      rows = (await client.query<Record<string, unknown>>(statement)).rows;
    }
    return rows;
  };
  const ask: PostgresUnderTest['ask'] = async (secret, statements) => {
    const client = await connect(secret);
    try {
      return await runAll(client, statements);
    } finally {
      await client.end();
    }
  };
  const base = { engine: 'postgres', host: server.host, port: server.port, dbname: 'shop' } as const;
  const superuser: PostgresUnderTest['superuser'] = async (statements, database = 'postgres') => {
    const client = await connect({ ...base, ...server.superuser, dbname: database });
    try {
      await client.query("SET log_statement = 'none'; SET log_min_error_statement = 'panic'");
      return await runAll(client, statements);
    } finally {
      await client.end();
    }
  };
  await superuser('CREATE DATABASE shop');
  const [version] = await superuser('SHOW server_version');
  const major = Number.parseInt(String(version?.server_version), 10);

  let accounts = 0;
  const createAccount: PostgresUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const ending = options.exact ? '' : `_${accounts}`;
    const username = `${options.name ?? 'app'}${ending}`;
    const secret: PostgresSecret = {
      ...base,
      username,
      password: options.password ?? `${crypto.randomUUID()} first`,
      ...unknownKeys,
    };
    const admin: PostgresSecret = {
      ...base,
      dbname: 'postgres',
      username: `rekey_admin_${accounts}`,
      password: `${crypto.randomUUID()} admin`,
    };
    const fill = (sql: string) =>
      sql
        .replaceAll('rekey_admin', () => quote(admin.username))
        .replaceAll(/\bapp\b/g, () => quote(username))
        .replaceAll("'…'", () => pg.escapeLiteral(admin.password));
    await superuser([
      `DROP ROLE IF EXISTS ${quote(username)}`,
      `CREATE ROLE ${quote(username)} LOGIN PASSWORD ${pg.escapeLiteral(secret.password)}`,
      fill(administration),
      // Before 16, CREATEROLE reaches every user that is not a superuser.
      ...(major < 16 ? [] : [fill(perUser)]),
    ]);
    return { secret, admin };
  };

  const openSession = async (secret: PostgresSecret): Promise<LiveSession> => {
    const client = await connect(secret);
    let ended = false;
    client.once('end', () => {
      ended = true;
    });
    return {
      alive: async () => !ended && (await succeeds(client.query('SELECT 1'))),
      close: () => client.end().catch(() => {}),
    };
  };

  const admin = ({ admin: { username } }: Account<PostgresSecret>) => quote(username);
  const user = ({ secret: { username } }: Account<PostgresSecret>) => quote(username);
  return {
    rotator: postgresql,
    server: `PostgreSQL ${String(version?.server_version)}`,
    serverHandle: server,
    context: { ...patience, certificateAuthorities: [server.caPem] },
    superuser,
    ask,
    createAccount,
    ...passwordLogin(openSession),
    verifier: 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy',
    awkward: {
      names: [
        'MixedCase',
        'with space',
        `quote"d`,
        "o'brien",
        'semi;DROP TABLE users;--',
        '"; ALTER ROLE postgres PASSWORD NULL; --',
        'back\\slash',
        '100%_%s',
        '$1',
        'select',
        'Größe-名前-🙂',
        'x'.repeat(57),
        'é'.repeat(28),
      ],
      passwords: [
        `'; DROP ROLE postgres; --`,
        `"double" and 'single'`,
        'back\\slash\\',
        '%s %I %L {0} $1 :x',
        ' leading and trailing ',
        '\ttab\nnewline',
        'Grüße aus Köln',
        'e\u0301 decomposed',
        'パスワード一二三四',
        'no-break\u00A0space',
        'SCRAM-SHA-256',
        'a'.repeat(1000),
      ],
    },
    outages: serverOutages(server),
    missingPermissions: [
      {
        name: 'CREATEROLE',
        strategies: ['alternating-users'],
        act: 'apply',
        names: 'CREATEROLE',
        remove: async (account) => {
          await superuser(`ALTER ROLE ${admin(account)} NOCREATEROLE`);
        },
      },
      {
        name: 'the ADMIN option on the user',
        strategies: ['alternating-users'],
        act: 'apply',
        names: 'WITH ADMIN OPTION, run by the role that created',
        remove: async (account) => {
          await superuser(`REVOKE ADMIN OPTION FOR ${user(account)} FROM ${admin(account)} CASCADE`);
        },
      },
      {
        name: 'CONNECT on the database',
        strategies: ['alternating-users'],
        act: 'apply',
        names: 'GRANT CONNECT ON DATABASE',
        remove: async (account) => {
          await superuser([
            `GRANT CONNECT ON DATABASE shop TO ${user(account)}`,
            `REVOKE CONNECT ON DATABASE shop FROM PUBLIC, ${admin(account)}`,
          ]);
        },
        restore: async () => {
          await superuser('GRANT CONNECT ON DATABASE shop TO PUBLIC');
        },
      },
      {
        name: 'CREATEROLE',
        strategies: ['single-user', 'alternating-users'],
        act: 'contain',
        names: 'CREATEROLE',
        remove: async (account) => {
          await superuser(`ALTER ROLE ${admin(account)} NOCREATEROLE`);
        },
      },
      {
        name: 'pg_signal_backend',
        strategies: ['single-user', 'alternating-users'],
        act: 'contain',
        names: 'GRANT pg_signal_backend',
        remove: async (account) => {
          await superuser(`REVOKE pg_signal_backend FROM ${admin(account)}`);
        },
      },
    ],
    logged: 'ALTER ROLE',
    readLog: () => readFile(server.logFile, 'utf8'),
    stop: async () => {
      await server.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
