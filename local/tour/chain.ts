import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import pg from 'pg';
import type { ConfigurationInput, SecretInput } from '../../lib/config/schema.ts';
import type { LocalCloud } from '../emulator/cloud.ts';
import type { Cleanup } from '../process/cleanup.ts';
import { logsIn, openSession } from '../servers/database.ts';
import { documented } from '../servers/documented.ts';
import { type GitLab, startGitLab } from '../servers/gitlab.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { environmentName, type FurtherTarget } from './deployment.ts';

/** A credential of the chain, as its secret holds it. */
export type ChainVersion = Readonly<Record<string, unknown>> & { readonly versionId: string };

/** A secret of the chain, and the way to try whether its target accepts a version. */
export interface ChainLink {
  readonly secret: string;
  readonly kind: 'PostgreSQL' | 'IAM' | 'HTTP';
  accepts(version: ChainVersion): Promise<boolean>;
}

/** The secrets that hang on one another, from an admin of a database to tokens of an API. */
export interface Chain {
  readonly target: FurtherTarget;
  /** Workloads of the configuration, with what they issue. */
  readonly consumers: NonNullable<ConfigurationInput['environments'][string]['consumers']>;
  /** The secret at the beginning: whoever has it gets at all others. */
  readonly first: string;
  readonly links: readonly ChainLink[];
}

const users = ['catalog', 'prices', 'baskets', 'returns', 'vouchers', 'reviews'];
const keys = ['deploy-key', 'upload-key'];
const tokens = ['registry', 'releases'];
const admin = 'shop_admin';

/** Makes the targets of the chain on servers that run. */
export async function startChain(
  directory: string,
  cloud: LocalCloud,
  postgres: PostgresServer,
  cleanup: Cleanup,
): Promise<Chain> {
  const adminPassword = await createLogins(postgres);
  const iam = new IAMClient(cloud.clientOptions());
  const arns = new Map<string, string>();
  for (const key of keys) {
    const { User } = await iam.send(new CreateUserCommand({ UserName: key, Path: '/apps/' }));
    arns.set(key, User?.Arn ?? '');
  }
  const gitlab = await startGitLab();
  cleanup.add(() => gitlab.stop());
  const authorities = {
    postgres: join(directory, 'chain-postgres.pem'),
    gitlab: join(directory, 'chain-gitlab.pem'),
  };
  await writeFile(authorities.postgres, postgres.caPem);
  await writeFile(authorities.gitlab, gitlab.caPem);
  const login = { engine: 'postgres', host: postgres.host, port: postgres.port, dbname: 'shop' };
  const common = {
    type: 'postgresql',
    strategy: 'single-user',
    owner: 'team-shop',
    certificateAuthority: authorities.postgres,
  } as const;
  const user = (name: string): SecretInput => ({
    ...common,
    create: { name, fields: { ...login, username: `shop_${name}` } },
    adminSecret: { secret: 'shop-admin' },
    consumers: name === 'catalog' ? ['deployer'] : [],
  });
  const gitlabAdmin = `/${environmentName}/chain-gitlab-admin`;
  const token = (name: string): SecretInput => ({
    type: 'http',
    strategy: 'dual-credential',
    adopt: `/${environmentName}/${name}`,
    adminSecret: { adopt: gitlabAdmin },
    owner: 'team-shop',
    certificateAuthority: authorities.gitlab,
    allowPrivateAddresses: true,
  });
  return {
    first: `/${environmentName}/shop-admin`,
    target: {
      existing: {
        'shop-admin': { ...login, username: admin, password: adminPassword },
        'chain-gitlab-admin': { service: 'gitlab', host: gitlab.host, project, token: gitlab.adminToken },
        ...Object.fromEntries(tokens.map((name) => [name, tokenOf(gitlab, gitlabAdmin)])),
      },
      secrets: {
        // It works before Rekey looks after it, as an admin does: its users are made by it at the deploy.
        'shop-admin': {
          ...common,
          adopt: `/${environmentName}/shop-admin`,
          adminSecret: { adopt: `/${environmentName}/postgres-admin` },
        },
        ...Object.fromEntries(users.map((name) => [name, user(name)])),
        ...Object.fromEntries(
          keys.map((name): [string, SecretInput] => [
            name,
            {
              type: 'iam-access-key',
              strategy: 'dual-credential',
              create: { name, fields: { username: name, region: cloud.region } },
              resources: [arns.get(name) ?? ''],
              owner: 'team-shop',
              consumers: name === 'deploy-key' ? ['pipeline'] : [],
            },
          ]),
        ),
        ...Object.fromEntries(tokens.map((name) => [name, token(name)])),
      },
    },
    consumers: {
      deployer: { leadsTo: keys.map((secret) => ({ secret })) },
      pipeline: {
        leadsTo: [
          ...tokens.map((secret) => ({ secret })),
          { task: 'Look through the releases of the last days for what the pipeline did not build.' },
        ],
      },
    },
    links: [
      ...['shop-admin', ...users].map((name) => ({
        secret: `/${environmentName}/${name}`,
        kind: 'PostgreSQL' as const,
        accepts: (version: ChainVersion) => logsIn(version as never, postgres.caPem),
      })),
      ...keys.map((name) => ({
        secret: `/${environmentName}/${name}`,
        kind: 'IAM' as const,
        accepts: (version: ChainVersion) => signs(cloud, version),
      })),
      ...tokens.map((name) => ({
        secret: `/${environmentName}/${name}`,
        kind: 'HTTP' as const,
        accepts: (version: ChainVersion) => gitlab.accepts(String(version.token)),
      })),
    ],
  };
}

const project = 'shop/site';

function tokenOf(gitlab: GitLab, masterarn: string): object {
  const { id, token } = gitlab.issue(project);
  return {
    recipe: 'gitlab-project-access-token',
    host: gitlab.host,
    project,
    masterarn,
    scopes: ['read_api'],
    accessLevel: 20,
    days: 30,
    id: String(id),
    token,
  };
}

/** Tells whether AWS serves calls that a version's key signs. */
async function signs(cloud: LocalCloud, { accessKeyId, secretAccessKey }: ChainVersion): Promise<boolean> {
  const credentials = { accessKeyId: String(accessKeyId), secretAccessKey: String(secretAccessKey) };
  const sts = new STSClient(cloud.clientOptions(credentials));
  return await sts.send(new GetCallerIdentityCommand({})).then(
    () => true,
    () => false,
  );
}

/**
 * Makes an admin of the shop with the documented permissions, whom the server's own admin looks after, and its users.
 * @returns the admin's password
 */
async function createLogins({ host, port, superuser, caPem }: PostgresServer): Promise<string> {
  const perUser = await documented('postgresql', 'per user');
  const session = await openSession({ host, port, dbname: 'shop', ...superuser }, caPem);
  const create = async (role: string, owner: string, attributes = ''): Promise<string> => {
    const password = crypto.randomUUID();
    await session.query(`CREATE ROLE ${role} LOGIN ${attributes} PASSWORD ${pg.escapeLiteral(password)}`);
    await session.query(perUser.replaceAll(/\bapp\b/g, role).replaceAll(/\brekey_admin\b/g, owner));
    return password;
  };
  try {
    await session.query("SET log_statement = 'none'; SET log_min_error_statement = 'panic'");
    const password = await create(admin, 'rekey_admin', 'CREATEROLE');
    await session.query(`GRANT pg_signal_backend TO ${admin}`);
    for (const name of users) await create(`shop_${name}`, admin);
    return password;
  } finally {
    await session.end();
  }
}
