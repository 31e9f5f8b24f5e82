import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import type { Strategy } from '../../core/secret/secret.ts';
import type { SecretInput } from '../../lib/config/schema.ts';
import type { Cleanup } from '../../local/process/cleanup.ts';
import { type CacheLogin, cacheAccepts, seedCache } from '../../local/servers/cache.ts';
import { type Login, logsIn, seedDatabase } from '../../local/servers/database.ts';
import { documented } from '../../local/servers/documented.ts';
import { startGitLab } from '../../local/servers/gitlab.ts';
import { startMariaDb } from '../../local/servers/mariadb.ts';
import { startPostgres } from '../../local/servers/postgres.ts';
import { startRedis } from '../../local/servers/redis.ts';

/** Where the secrets of one kind are to be rotated. */
export interface Kind {
  readonly title: string;
  readonly configurations: Readonly<Record<string, SecretInput>>;
  /** Full names of the secrets, as Secrets Manager knows them. */
  readonly names: readonly string[];
  /** Secrets that exist before the deploy, by name, admin secrets first; a `masterarn` is the name of one, not yet its ARN. */
  readonly existing: Readonly<Record<string, object>>;
  /** Tells whether the target accepts what a secret holds; missing where there is no target. */
  readonly accepts?: (value: Record<string, unknown>) => Promise<boolean>;
  /** Takes the target away for so many milliseconds; missing where it cannot be. */
  readonly interrupt?: (ms: number) => Promise<void>;
}

/** The kinds of secrets that the bench deploys, in their order. */
export const kindTitles = [
  'postgresql, single-user',
  'postgresql, alternating-users',
  'mysql, single-user',
  'mysql, alternating-users',
  'redis, dual-credential',
  'generic, single-user',
  'http, dual-credential',
] as const;

const environment = 'bench';
const owner = 'team-bench';

/** Error of MariaDB for a user who is locked. @see https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const accountLocked = 4151;

/** Makes the keys of a kind's secrets; each is the user's name at the target, too. */
const keysOf = (count: number, of: number, kind: number): string[] =>
  Array.from({ length: count }, (_, index) => index)
    .filter((index) => index % of === kind)
    .map((index) => `svc-${String(index).padStart(4, '0')}`);

type Common = Pick<SecretInput, 'adminSecret' | 'certificateAuthority'>;

/** The configuration of secrets that Rekey creates, one for each key. */
function created(
  type: SecretInput['type'],
  strategy: Strategy,
  keys: readonly string[],
  fields: (key: string) => Record<string, string | number>,
  common: Common = {},
): Pick<Kind, 'configurations' | 'names'> {
  return {
    configurations: Object.fromEntries(
      keys.map((key) => [
        key,
        {
          type,
          strategy,
          owner,
          rotateOnDeploy: true,
          create: { name: key, fields: fields(key) },
          ...common,
        } as SecretInput,
      ]),
    ),
    names: keys.map((key) => `/${environment}/${key}`),
  };
}

/**
 * Starts the servers that the secrets need, and makes a login for each secret.
 * @param of - how many of the kinds: 1, or all 7
 * @param directory - one that the servers' own users may enter
 */
export async function startTargets(
  count: number,
  of: number,
  directory: string,
  cleanup: Cleanup,
): Promise<readonly Kind[]> {
  const keys = kindTitles.map((_, kind) => keysOf(count, of, kind));
  const [
    single = [],
    alternating = [],
    mysqlSingle = [],
    mysqlAlternating = [],
    cached = [],
    values = [],
    tokens = [],
  ] = keys;
  const authority = async (name: string, pem: string): Promise<string> => {
    const file = join(directory, `${name}.pem`);
    await writeFile(file, pem);
    return file;
  };
  const postgres = await postgresKinds(single, alternating, directory, authority, cleanup);
  if (of === 1) return postgres.slice(0, 1);
  return [
    ...postgres,
    ...(await mariadbKinds(mysqlSingle, mysqlAlternating, directory, authority, cleanup)),
    await redisKind(cached, directory, authority, cleanup),
    {
      title: kindTitles[5],
      existing: {},
      ...created('generic', 'single-user', values, () => ({ engine: 'generic' })),
    },
    await httpKind(tokens, authority, cleanup),
  ];
}

/** Freezes a server: clients connect, and wait. */
const frozen =
  (server: { pause(): void; resume(): void }) =>
  async (ms: number): Promise<void> => {
    server.pause();
    await sleep(ms);
    server.resume();
  };

type Authority = (name: string, pem: string) => Promise<string>;

async function postgresKinds(
  single: readonly string[],
  alternating: readonly string[],
  directory: string,
  authority: Authority,
  cleanup: Cleanup,
): Promise<Kind[]> {
  const server = await startPostgres({
    directory: join(directory, 'postgres'),
    settings: { max_connections: '300' },
  });
  cleanup.add(() => server.remove());
  const admin = await seedDatabase(server, [...single, ...alternating]);
  const name = `/${environment}/postgres-admin`;
  const common = {
    adminSecret: { adopt: name },
    certificateAuthority: await authority('postgres', server.caPem),
  };
  const fields = (username: string) => ({
    engine: 'postgres',
    host: server.host,
    port: server.port,
    dbname: 'shop',
    username,
  });
  const accepts = (value: Record<string, unknown>) => logsIn(value as unknown as Login, server.caPem);
  return [
    {
      title: kindTitles[0],
      existing: { [name]: admin },
      accepts,
      // Ends every session, and whatever they were doing.
      interrupt: async (ms) => {
        await server.stop();
        await sleep(ms);
        await server.start();
      },
      ...created('postgresql', 'single-user', single, fields, common),
    },
    {
      title: kindTitles[1],
      existing: {},
      accepts,
      ...created('postgresql', 'alternating-users', alternating, fields, common),
    },
  ];
}

async function mariadbKinds(
  single: readonly string[],
  alternating: readonly string[],
  directory: string,
  authority: Authority,
  cleanup: Cleanup,
): Promise<Kind[]> {
  const server = await startMariaDb({ directory: join(directory, 'mariadb') });
  cleanup.add(() => server.remove());
  const admin = {
    engine: 'mariadb',
    host: server.host,
    port: server.port,
    username: 'rekey_admin',
    password: randomUUID(),
  };
  const { username: user, password } = server.superuser;
  const connection = await mysql.createConnection({ socketPath: server.socket, user, password });
  try {
    await connection.query('SET SESSION sql_log_off = 1');
    await connection.query('SET GLOBAL max_connections = 300');
    await connection.query('CREATE DATABASE shop');
    for (const key of [...single, ...alternating]) {
      await connection.query(
        `CREATE USER ${mysql.escapeId(key)} IDENTIFIED BY ${mysql.escape(randomUUID())}`,
      );
      await connection.query(`GRANT SELECT, INSERT ON shop.* TO ${mysql.escapeId(key)}`);
    }
    const statements = [await documented('mysql', 'admin'), await documented('mysql', 'per user')].join('\n');
    for (const statement of statements.split(/;(?:\n|$)/).filter((text) => text.trim() !== '')) {
      await connection.query(statement.replaceAll("'…'", mysql.escape(admin.password)));
    }
  } finally {
    await connection.end();
  }
  const name = `/${environment}/mysql-admin`;
  const common = {
    adminSecret: { adopt: name },
    certificateAuthority: await authority('mariadb', server.caPem),
  };
  const fields = (username: string) => ({
    engine: 'mariadb',
    host: server.host,
    port: server.port,
    dbname: 'shop',
    username,
  });
  const accepts = async ({ host, port, username, password }: Record<string, unknown>): Promise<boolean> => {
    try {
      const session = await mysql.createConnection({
        host: String(host),
        port: Number(port),
        user: String(username),
        password: String(password),
        ssl: { ca: server.caPem },
      });
      await session.end();
      return true;
    } catch (error) {
      const { code, errno } = error as { code?: string; errno?: number };
      if (code === 'ER_ACCESS_DENIED_ERROR' || errno === accountLocked) return false;
      throw error;
    }
  };
  return [
    {
      title: kindTitles[2],
      existing: { [name]: admin },
      accepts,
      interrupt: frozen(server),
      ...created('mysql', 'single-user', single, fields, common),
    },
    {
      title: kindTitles[3],
      existing: {},
      accepts,
      ...created('mysql', 'alternating-users', alternating, fields, common),
    },
  ];
}

async function redisKind(
  keys: readonly string[],
  directory: string,
  authority: Authority,
  cleanup: Cleanup,
): Promise<Kind> {
  const server = await startRedis({ directory: join(directory, 'redis') });
  cleanup.add(() => server.remove());
  const admin = await seedCache(server, keys);
  const name = `/${environment}/redis-admin`;
  return {
    title: kindTitles[4],
    existing: { [name]: admin },
    accepts: (value) => cacheAccepts(value as unknown as CacheLogin, server.caPem),
    interrupt: frozen(server),
    ...created(
      'redis',
      'dual-credential',
      keys,
      (username) => ({ engine: 'redis', host: server.host, port: server.port, username }),
      { adminSecret: { adopt: name }, certificateAuthority: await authority('redis', server.caPem) },
    ),
  };
}

/** Tokens of a server that answers as GitLab's API describes it; they exist before the deploy and are adopted. */
async function httpKind(keys: readonly string[], authority: Authority, cleanup: Cleanup): Promise<Kind> {
  const server = await startGitLab();
  cleanup.add(() => server.stop());
  const admin = `/${environment}/gitlab-admin`;
  const certificateAuthority = await authority('gitlab', server.caPem);
  const existing = keys.map((key): [string, object] => {
    const { id, token } = server.issue(key);
    return [
      `/${environment}/${key}`,
      {
        recipe: 'gitlab-project-access-token',
        host: server.host,
        project: key,
        id: String(id),
        token,
        scopes: ['read_api'],
        accessLevel: 20,
        days: 30,
        masterarn: admin,
      },
    ];
  });
  return {
    title: kindTitles[6],
    names: existing.map(([name]) => name),
    existing: {
      [admin]: { service: 'gitlab', host: server.host, token: server.adminToken },
      ...Object.fromEntries(existing),
    },
    accepts: ({ token }) => server.accepts(String(token)),
    configurations: Object.fromEntries(
      keys.map((key) => [
        key,
        {
          type: 'http',
          strategy: 'dual-credential',
          owner,
          rotateOnDeploy: true,
          certificateAuthority,
          adopt: `/${environment}/${key}`,
          adminSecret: { adopt: admin },
          allowPrivateAddresses: true,
        },
      ]),
    ),
  };
}
