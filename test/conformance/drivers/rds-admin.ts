import { readFile, rm } from 'node:fs/promises';
import { IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateDBClusterCommand, CreateDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds';
import pg from 'pg';
import { type LocalCloud, startCloud } from '../../../local/emulator/cloud.ts';
import { createUser } from '../../../local/emulator/principals.ts';
import { newFolder, newServerFolder } from '../../../local/process/folders.ts';
import { documented } from '../../../local/servers/documented.ts';
import { receivePasswords } from '../../../local/servers/password-receiver.ts';
import { type PostgresServer, startPostgres } from '../../../local/servers/postgres.ts';
import type { Pace } from '../../../rotators/families/aws-api/reset.ts';
import { defaultIterations, scramVerifier } from '../../../rotators/postgresql/scram.ts';
import { rdsAdminRotator } from '../../../rotators/rds-admin/rotator.ts';
import { type MasterSecret, portOf } from '../../../rotators/rds-admin/schema.ts';
import { layLine } from '../cut.ts';
import { servedBy } from '../deployed.ts';
import { patience } from '../pace.ts';
import { type Call, recorded } from '../recorded.ts';
import type { LiveSession, TargetUnderTest } from '../target.ts';

const quote = pg.escapeIdentifier;

interface Policy {
  readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: unknown }[];
}

/** The policy of the documentation, with the databases of the local cloud in it. */
async function documentedPolicy({ region, accountId }: LocalCloud): Promise<Policy> {
  const block = await documented('rds-admin', 'policy');
  const local = block
    .replaceAll('eu-central-1', region)
    .replaceAll('111122223333', accountId)
    .replaceAll(/:(db|cluster):[a-z-]+"/g, ':$1:*"');
  return JSON.parse(local);
}

/** The databases as the suite and the tests of what is special about them use them. */
export interface RdsUnderTest extends TargetUnderTest<MasterSecret> {
  readonly cloud: LocalCloud;
  readonly serverHandle: PostgresServer;
  /** Tags that bind a database of the local cloud to the server. */
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  /** Makes a role that a database of the local cloud can then have as its master user. */
  createRole(username: string, password: string): Promise<void>;
  /** Runs statements as the superuser, unlogged. */
  superuser(...statements: readonly string[]): Promise<void>;
  /** Cuts or mends the rotator's line to the APIs. */
  reachable(yes: boolean): void;
  /** How often a master password was set at the server. */
  resets(): number;
  /** The passwords that were set so. */
  readonly given: readonly string[];
  /** A rotator with the same permissions that waits in another way. */
  paced(pace: Pace): TargetUnderTest<MasterSecret>['rotator'];
  /**
   * Leaves the functions the database of this secret alone, as `resources` of one that names its own does, and gives a rotator
   * whose calls are in {@link calls}.
   */
  onlyFor(secret: MasterSecret): Promise<TargetUnderTest<MasterSecret>['rotator']>;
  readonly calls: Call[];
  /** The identifiers by which the APIs know the database of a secret, its member's included. */
  identifiersOf(secret: MasterSecret): readonly string[];
}

/**
 * Databases of the local cloud, whose RDS API is the real one's as far as it is documented, in front of a real
 * PostgreSQL: the password that the API accepts is set there, and every login is real.
 * @param options.cloud - the local cloud; default: one of its own
 */
export async function start(options: { readonly cloud?: LocalCloud } = {}): Promise<RdsUnderTest> {
  const [serverDirectory, cloudDirectory] = [
    await newServerFolder('rds-server'),
    await newFolder('rds-cloud'),
  ];
  const directories = [serverDirectory, cloudDirectory];
  const [server, cloud] = await Promise.all([
    startPostgres({ directory: serverDirectory }),
    options.cloud ?? startCloud({ directory: cloudDirectory }),
  ]);
  const connect = async (secret: MasterSecret, ssl: object = { ca: server.caPem }): Promise<pg.Client> => {
    const client = new pg.Client({
      host: secret.host,
      port: portOf(secret),
      user: secret.username,
      password: secret.password,
      database: secret.dbname || 'postgres',
      ssl,
      connectionTimeoutMillis: patience.connectTimeoutMs,
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const base = { engine: 'postgres', host: server.host, port: server.port } as const;
  const asSuperuser = async (statements: readonly string[], logged: boolean) => {
    // RDS sets a password from within: whatever certificate the server shows to others.
    const client = await connect({ ...base, ...server.superuser }, { rejectUnauthorized: false });
    try {
      if (!logged) await client.query("SET log_statement = 'none'; SET log_min_error_statement = 'panic'");
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  let resets = 0;
  const given: string[] = [];
  const receiver = await receivePasswords(async ({ username, passwords: [password = ''] }) => {
    given.push(password);
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const verifier = await scramVerifier(password, salt, defaultIterations);
    await asSuperuser([`ALTER ROLE ${quote(username)} PASSWORD ${pg.escapeLiteral(verifier)}`], true);
    resets += 1;
  });
  const tags = receiver.tags(server.host, server.port);
  const createRole = (username: string, password: string) =>
    asSuperuser(
      [
        `DROP ROLE IF EXISTS ${quote(username)}`,
        `CREATE ROLE ${quote(username)} LOGIN PASSWORD ${pg.escapeLiteral(password)}`,
      ],
      false,
    );

  const policy = await documentedPolicy(cloud);
  const user = await createUser(cloud, 'rekey-databases', policy.Statement);
  const iam = new IAMClient(cloud.clientOptions());
  const permit = async (without?: RegExp) => {
    const Statement = policy.Statement.map((statement) => ({
      ...statement,
      Action: statement.Action.filter((action) => !without?.test(action)),
    })).filter(({ Action }) => Action.length > 0);
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: user.name, PolicyName: 'granted', PolicyDocument }));
  };
  const quick: Pace = { budgetMs: 8_000, pollMs: 60, settleMs: 300 };
  const rotatorAt = (port: number, pace = quick) =>
    rdsAdminRotator({
      config: {
        ...cloud.clientOptions(user.credentials),
        endpoint: `https://127.0.0.1:${port}`,
        maxAttempts: 2,
      },
      pace,
    });
  const calls: Call[] = [];
  const arns = new Map<string, string>();
  const listened = recorded(new RDSClient(cloud.clientOptions()).config.requestHandler, calls);
  const onlyFor: RdsUnderTest['onlyFor'] = async ({ username }) => {
    const Statement = policy.Statement.map(({ Resource, ...statement }) => ({
      ...statement,
      Resource: Resource === '*' ? '*' : arns.get(username),
    }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: user.name, PolicyName: 'granted', PolicyDocument }));
    const requestHandler = listened;
    const config = { ...cloud.clientOptions(user.credentials), requestHandler, maxAttempts: 2 };
    return rdsAdminRotator({ config, pace: quick });
  };
  const line = await layLine(cloud.port);
  const reachable = (yes: boolean) => (yes ? line.mend() : line.cutAfter(0, 'before'));

  const rds = new RDSClient(cloud.clientOptions());
  let accounts = 0;
  /** In turn: an instance, a cluster by its name, a cluster by a member, an instance that only its host tells. */
  const createDatabase = async (
    account: number,
    username: string,
    password: string,
  ): Promise<Partial<MasterSecret>> => {
    const id = `db-${account}`;
    const kind = account % 4 === 0 || account % 4 === 3 ? 'db' : 'cluster';
    arns.set(username, `arn:aws:rds:${cloud.region}:${cloud.accountId}:${kind}:${id}`);
    const master = { MasterUsername: username, MasterUserPassword: password };
    const size = { DBInstanceClass: 'db.r6g.large', AllocatedStorage: 20 };
    if (kind === 'db') {
      const instance = { DBInstanceIdentifier: id, Engine: 'postgres', ...master, ...size };
      await rds.send(new CreateDBInstanceCommand({ ...instance, Tags: tags }));
      return account % 4 === 3 ? {} : { dbInstanceIdentifier: id };
    }
    const Engine = 'aurora-postgresql';
    await rds.send(new CreateDBClusterCommand({ DBClusterIdentifier: id, Engine, ...master, Tags: tags }));
    if (account % 4 === 1) return { engine: Engine, dbClusterIdentifier: id };
    const member = { DBInstanceIdentifier: `${id}-1`, DBClusterIdentifier: id, Engine };
    await rds.send(new CreateDBInstanceCommand({ ...member, ...size }));
    return { engine: Engine, dbInstanceIdentifier: `${id}-1` };
  };
  const createAccount: RdsUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const account = accounts;
    const username = `${options.name ?? 'master'}${options.exact ? '' : `_${account}`}`;
    const password = options.password ?? `${crypto.randomUUID()}-1`;
    await createRole(username, password);
    const database = await createDatabase(account, username, password);
    const more = { team: 'orders', nested: { kept: [1, null, 'x'] } };
    const secret: MasterSecret = { ...base, dbname: 'postgres', ...database, username, password, ...more };
    return { secret, admin: { ...secret, password: `${crypto.randomUUID()}-2` } };
  };

  const openSession = async (secret: MasterSecret): Promise<LiveSession> => {
    const client = await connect(secret);
    return {
      alive: () =>
        client.query('SELECT 1').then(
          () => true,
          () => false,
        ),
      close: () => client.end().catch(() => {}),
    };
  };
  const missing = (act: 'apply' | 'contain', names: string, without: RegExp) => ({
    name: `${names} (${act})`,
    act,
    names,
    strategies: ['single-user'] as const,
    remove: () => permit(without),
    restore: () => permit(),
  });
  return {
    rotator: rotatorAt(line.port),
    server: `PostgreSQL ${await versionOf(connect({ ...base, ...server.superuser }))}`,
    cloud,
    serverHandle: server,
    tags,
    createRole,
    reachable,
    resets: () => resets,
    paced: (pace) => rotatorAt(line.port, pace),
    superuser: (...statements) => asSuperuser(statements, false),
    onlyFor,
    calls,
    given,
    identifiersOf: ({ username }) => {
      const id = arns.get(username)?.split(':').at(-1) ?? '';
      return [id, `${id}-1`];
    },
    context: { ...patience, certificateAuthorities: [server.caPem] },
    createAccount,
    withPassword: (secret, password) => ({ ...secret, password }),
    passwordOf: ({ password }) => password,
    logsIn: (secret) =>
      connect(secret).then(
        async (client) => {
          await client.end();
          return true;
        },
        () => false,
      ),
    openSession,
    through: (port) => ({ rotator: rotatorAt(port), secret: (secret) => secret }),
    port: cloud.port,
    deployed: { environment: await servedBy(cloud, ['RDS', 'REDSHIFT'], user.credentials) },
    needsNoLogin: true,
    verifier: 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy',
    awkward: {
      names: ['Master', 'select', 'a', 'postgres_master', `m${'x'.repeat(62)}`],
      passwords: [
        `';DROP+ROLE+postgres;--`,
        `back\\slash\\and'quote'`,
        '%s%I%L{0}$1:x%20',
        '&amp;<password>]]>',
        '#a=1&MasterUserPassword=other',
        '~^|`*?![](){}-_=+,.;:',
        'a'.repeat(38),
      ],
    },
    outages: [
      {
        name: 'the server and the APIs are out of reach',
        code: 'TargetUnreachable',
        begin: async () => {
          reachable(false);
          await server.stop();
        },
        end: async () => {
          await server.start();
          reachable(true);
        },
      },
      {
        name: 'the server says nothing, and the APIs are out of reach',
        code: 'TargetUnreachable',
        silent: true,
        begin: async () => {
          reachable(false);
          await server.pause();
        },
        end: async () => {
          await server.resume();
          reachable(true);
        },
      },
    ],
    missingPermissions: [
      missing('apply', 'rds:ModifyDB', /:Modify/),
      missing('apply', 'rds:DescribeDB', /:Describe/),
      missing('contain', 'rds:ModifyDB', /:Modify/),
      missing('contain', 'rds:DescribeDB', /:Describe/),
    ],
    logged: 'ALTER ROLE',
    readLog: async () =>
      `${await readFile(server.logFile, 'utf8')}\n${await readFile(cloud.logFile, 'utf8')}`,
    stop: async () => {
      await Promise.all([receiver.close(), line.close(), server.remove()]);
      if (options.cloud === undefined) await cloud.stop();
      await Promise.all(directories.map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

async function versionOf(connecting: Promise<pg.Client>): Promise<string> {
  const client = await connecting;
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  await client.end();
  return String(rows[0]?.server_version);
}
