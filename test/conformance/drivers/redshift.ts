import { readFile, rm } from 'node:fs/promises';
import pg from 'pg';
import { newServerFolder } from '../../../local/process/folders.ts';
import { documented } from '../../../local/servers/documented.ts';
import { rotator as redshift } from '../../../rotators/redshift/rotator.ts';
import { databaseOf, portOf, type RedshiftSecret } from '../../../rotators/redshift/schema.ts';
import { passwordLogin, succeeds, unknownKeys } from '../login.ts';
import { serverOutages } from '../outages.ts';
import { patience } from '../pace.ts';
import { type StandIn, startStandIn, translate } from '../redshift-stand-in.ts';
import type { LiveSession, TargetUnderTest } from '../target.ts';

const quote = pg.escapeIdentifier;

/** PostgreSQL in the place of Redshift; see {@link StandIn} for what that shows and what not. */
export interface RedshiftUnderTest extends TargetUnderTest<RedshiftSecret> {
  readonly standIn: StandIn;
  readonly superuser: StandIn['superuser'];
  /** Logs in as an application with a driver of PostgreSQL does, and returns the rows of the last statement. */
  ask(secret: RedshiftSecret, statements: string | readonly string[]): Promise<Record<string, unknown>[]>;
}

export async function start(): Promise<RedshiftUnderTest> {
  const directory = await newServerFolder('redshift');
  const standIn = await startStandIn(directory);
  const { superuser } = standIn;
  const administration = await documented('redshift', 'admin');

  const connect = async (secret: RedshiftSecret): Promise<pg.Client> => {
    const client = new pg.Client({
      host: secret.host,
      port: portOf(secret),
      user: secret.username,
      password: secret.password,
      database: databaseOf(secret),
      ssl: { ca: standIn.caPem },
      connectionTimeoutMillis: patience.connectTimeoutMs,
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const ask: RedshiftUnderTest['ask'] = async (secret, statements) => {
    const client = await connect(secret);
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of [statements].flat()) rows = (await client.query(statement)).rows;
      return rows;
    } finally {
      await client.end();
    }
  };
  const openSession = async (secret: RedshiftSecret): Promise<LiveSession> => {
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

  const base = { engine: 'redshift', host: standIn.host, port: standIn.port, dbname: 'shop' } as const;
  let accounts = 0;
  const createAccount: RedshiftUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const username = `${options.name ?? 'app'}${options.exact ? '' : `_${accounts}`}`;
    const secret: RedshiftSecret = {
      ...base,
      username,
      password: options.password ?? `First-${crypto.randomUUID()}`,
      ...unknownKeys,
    };
    const admin: RedshiftSecret = {
      ...base,
      username: `rekey_admin_${accounts}`,
      password: `Admin-${crypto.randomUUID()}`,
    };
    const leftovers = await superuser(
      `SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname IN (${[username, `${username}_clone`].map((name) => pg.escapeLiteral(name)).join(', ')})`,
    );
    const fill = (sql: string) =>
      sql.replaceAll('rekey_admin', quote(admin.username)).replaceAll('…', admin.password);
    await superuser([
      ...leftovers.flatMap(({ name }) => [`DROP OWNED BY ${name}`, `DROP USER ${name}`]),
      `CREATE USER ${quote(username)} PASSWORD '${secret.password}'`,
      translate(fill(administration)) ?? '',
    ]);
    return { secret, admin };
  };

  const withoutSuperuser = {
    name: 'CREATEUSER',
    names: 'CREATEUSER',
    remove: async ({ admin }: { admin: RedshiftSecret }) => {
      await superuser(`ALTER USER ${quote(admin.username)} NOSUPERUSER`);
    },
  };
  return {
    rotator: redshift,
    server: `PostgreSQL ${standIn.version} in the place of Redshift`,
    standsIn: true,
    standIn,
    superuser,
    ask,
    context: { ...patience, certificateAuthorities: [standIn.caPem] },
    createAccount,
    ...passwordLogin(openSession),
    verifier: 'md5153c434b4b77c89e6b94f12c5393af5b',
    awkward: {
      names: [
        'MixedCase',
        'with space',
        `quote"d`,
        "o'brien",
        'semi;DROP TABLE users;--',
        '"; ALTER USER postgres PASSWORD DISABLE; --',
        'back\\slash',
        '100%_%s',
        '$1',
        'select',
        'Größe-名前-🙂',
        'x'.repeat(46),
      ],
      passwords: [
        'semi;DROP-USER-x;--1aA',
        '%s%I%L{0}$1:x-Aa1',
        'SCRAM-SHA-256-aB',
        'md5-and-more-1A',
        '!#$%&()*+,-.:;<=>?[]^_`{|}~aA1',
        `Aa1${'z'.repeat(57)}`,
      ],
    },
    outages: serverOutages(standIn),
    missingPermissions: [
      { ...withoutSuperuser, strategies: ['alternating-users'], act: 'apply' },
      { ...withoutSuperuser, strategies: ['single-user', 'alternating-users'], act: 'contain' },
    ],
    logged: 'ALTER USER',
    readLog: () => readFile(standIn.logFile, 'utf8'),
    stop: async () => {
      await standIn.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
