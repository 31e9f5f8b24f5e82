import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretInput } from '../../lib/config/schema.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../emulator/cloud.ts';
import { assumeRole, createUser, credentialVariables } from '../emulator/principals.ts';
import type { Cleanup } from '../process/cleanup.ts';
import { makePrivate } from '../process/folders.ts';
import { checkout, type Finished, run, runOrThrow } from '../process/run.ts';
import { seedCache } from '../servers/cache.ts';
import { type Login, seedDatabase } from '../servers/database.ts';
import { type Gate, openGate } from '../servers/gate.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { findRedis, type RedisServer, startRedis } from '../servers/redis.ts';
import { rotationsEnded } from './rotations.ts';
import type { Terminal } from './terminal.ts';

/** Limits of a deploy and of a command, many times what an idle machine takes. They are there to end what hangs. */
const [deployLimitMs, commandLimitMs] = [20 * 60_000, 5 * 60_000];

/** The environment of `local/tour/rekey.config.ts`. */
export const environmentName = 'dev';

/** Applications of the database, as `local/tour/rekey.config.ts` names them. */
const applications = ['orders_app', 'billing_app', 'payments_app', 'stock_app'] as const;

/** Roles of people that the app deploys. */
export const deployedRoles = ['operator', 'responder', 'auditor', 'policyAuthor', 'approver'] as const;
type DeployedRole = (typeof deployedRoles)[number];
export type RoleName = 'administrator' | DeployedRole;

/** A deployment of Rekey on the local cloud, with a real database. */
export interface LocalDeployment {
  readonly cloud: LocalCloud;
  readonly postgres: PostgresServer;
  /** Redis or Valkey, where this machine has it. */
  readonly cache: RedisServer | undefined;
  /** Gate in front of the database of the secret `/dev/stock`. */
  readonly gate: Gate;
  /** An IAM administrator, and sessions of the roles that the app deploys. */
  readonly credentials: Readonly<Record<RoleName, CloudCredentials>>;
  /** ARNs of the roles that the app deploys. */
  readonly roles: Readonly<Record<DeployedRole, string>>;
  /** Runs the CLI as a role, in a process of its own. */
  rekey(role: RoleName, ...argv: string[]): Promise<Finished>;
  /** Runs the CLI as a role, with this on its standard input. */
  rekeyReading(role: RoleName, input: string, ...argv: string[]): Promise<Finished>;
  /** Reads the current (or another) version of a database's secret, as an application would. */
  readLogin(secret: string, stage?: string): Promise<Login & { versionId: string }>;
  /** Reads a version of a secret of any type. */
  readSecret<S = Record<string, unknown>>(secret: string, stage?: string): Promise<S & { versionId: string }>;
}

/** A target besides those that every deployment has. */
export interface FurtherTarget {
  /** Entries of `secrets` in the configuration. */
  readonly secrets: Readonly<Record<string, SecretInput>>;
  /** Secrets that exist before the deploy, by name: admin secrets, and those to be adopted. */
  readonly existing: Readonly<Record<string, object>>;
}

export interface DeploymentOptions {
  /** Folder of the files of database and cache, whose users must be able to enter it. Default: `directory` */
  readonly servers?: string;
  /** Starts targets before the deploy. */
  further?(cloud: LocalCloud, postgres: PostgresServer): Promise<readonly FurtherTarget[]>;
  /** Environment variables for the configuration. */
  readonly variables?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
}

/**
 * Starts the local cloud and PostgreSQL, bootstraps the CDK and deploys the app unmodified. It deploys as an administrator with
 * IAM and TLS enforced.
 * @param directory - files of this run
 * @param cleanup - gets what ends the servers, as each one starts
 */
export async function deployLocally(
  directory: string,
  terminal: Terminal,
  cleanup: Cleanup,
  options: DeploymentOptions = {},
): Promise<LocalDeployment> {
  const servers = options.servers ?? directory;
  const cloud = await terminal.step('local cloud: IAM and TLS enforced', () =>
    startCloud({ directory: join(directory, 'cloud'), log: terminal.note }),
  );
  cleanup.add(() => cloud.stop());
  const postgres = await terminal.step('PostgreSQL: TLS and SCRAM-SHA-256', () =>
    startPostgres({ directory: join(servers, 'postgres') }),
  );
  cleanup.add(() => postgres.remove());
  const gate = await openGate(postgres.port);
  cleanup.add(() => gate.close());
  const cache =
    (await findRedis()) === undefined
      ? undefined
      : await terminal.step('Redis: TLS and ACL', () => startRedis({ directory: join(servers, 'redis') }));
  cleanup.add(async () => cache?.remove());

  const { credentials: administrator } = await createUser(cloud, 'administrator', 'administrator');
  const login = await seedDatabase(postgres, applications);
  const secrets = new SecretsManagerClient(cloud.clientOptions(administrator));
  const further = [
    ...(cache === undefined ? [] : [await cacheTarget(cache, directory)]),
    ...((await options.further?.(cloud, postgres)) ?? []),
  ];
  const existing = [{ 'postgres-admin': login }, ...further.map((target) => target.existing)];
  for (const [name, value] of existing.flatMap((some) => Object.entries<object>(some))) {
    await secrets.send(
      new CreateSecretCommand({
        Name: `/${environmentName}/${name}`,
        SecretString: JSON.stringify(value),
      }),
    );
  }
  const authority = join(directory, 'postgres-authority.pem');
  await writeFile(authority, postgres.caPem);
  const variables = {
    ...cloud.environment,
    ...credentialVariables(administrator),
    REKEY_LOCAL_POSTGRES_PORT: String(postgres.port),
    REKEY_LOCAL_GATE_PORT: String(gate.port),
    REKEY_LOCAL_AUTHORITY: authority,
    REKEY_LOCAL_SECRETS: JSON.stringify(Object.assign({}, ...further.map((target) => target.secrets))),
    ...(typeof options.variables === 'function' ? options.variables() : options.variables),
    // The toolkit's own cache, which it keeps in the user's home otherwise.
    CDK_HOME: join(directory, 'cdk'),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  const output = join(directory, 'cdk.out');
  await rm(output, { recursive: true, force: true });
  // The CDK bundles into folders that everybody may write; what is uploaded from there runs.
  await makePrivate(output);
  // Beside this run's own files, since the next one deploys to an empty cloud.
  const shards = ['-c', `shards=${join(directory, 'rekey.shards.json')}`];
  const cdk = (...args: string[]) =>
    runOrThrow(
      'cdk',
      [...args, '--no-notices', '--output', output, ...context, ...shards],
      variables,
      deployLimitMs,
    );
  await terminal.step('cdk bootstrap', () => cdk('bootstrap', `aws://${cloud.accountId}/${cloud.region}`));
  const outputs = join(directory, 'outputs.json');
  await terminal.step('cdk deploy --all', () =>
    cdk(
      'deploy',
      '--all',
      '--require-approval',
      'never',
      '--method',
      'direct',
      '--concurrency',
      '4',
      '--outputs-file',
      outputs,
    ),
  );
  const rotated = [...applicationSecrets, ...further.flatMap(rotatedByDeploy)];
  await terminal.step(`first rotation of ${rotated.length} secrets`, () =>
    rotationsEnded(secrets, rotated, new Map(), terminal.note),
  );
  const roles = roleArns(JSON.parse(await readFile(outputs, 'utf8')));
  const session = (role: DeployedRole) => assumeRole(cloud, administrator, roles[role], role);
  const credentials = {
    administrator,
    operator: await session('operator'),
    responder: await session('responder'),
    auditor: await session('auditor'),
    policyAuthor: await session('policyAuthor'),
    approver: await session('approver'),
  };
  const readSecret = async (secret: string, stage = 'AWSCURRENT') => {
    const found = await secrets.send(new GetSecretValueCommand({ SecretId: secret, VersionStage: stage }));
    return { ...JSON.parse(found.SecretString ?? '{}'), versionId: found.VersionId ?? '' };
  };
  const rekey = (role: RoleName, argv: readonly string[], input?: string) =>
    run(
      'node',
      [join(checkout, 'bin', 'rekey.ts'), ...argv],
      {
        ...cloud.environment,
        ...credentialVariables(credentials[role]),
        NO_COLOR: '1',
        REKEY_ENVIRONMENT: environmentName,
      },
      commandLimitMs,
      checkout,
      input,
    );
  return {
    cloud,
    postgres,
    cache,
    gate,
    credentials,
    roles,
    rekey: (role, ...argv) => rekey(role, argv),
    rekeyReading: (role, input, ...argv) => rekey(role, argv, input),
    readLogin: readSecret,
    readSecret,
  };
}

/** Secrets of the configuration itself. */
const applicationSecrets = ['orders', 'billing', 'payments', 'stock'].map(
  (name) => `/${environmentName}/${name}`,
);

/** Names the secrets that a deploy rotates at once. By default these are those that it creates, but for a generic value. */
function rotatedByDeploy({ secrets }: FurtherTarget): string[] {
  return Object.values(secrets).flatMap((secret) => {
    const name = secret.create === undefined ? secret.adopt : `/${environmentName}/${secret.create.name}`;
    const rotates = secret.rotateOnDeploy ?? (secret.create !== undefined && secret.type !== 'generic');
    return rotates && name !== undefined ? [name] : [];
  });
}

/** Describes the cache's secret with its admin. */
async function cacheTarget(cache: RedisServer, directory: string): Promise<FurtherTarget> {
  const authority = join(directory, 'redis-authority.pem');
  await writeFile(authority, cache.caPem);
  const username = 'sessions_app';
  const admin = await seedCache(cache, [username]);
  return {
    existing: { 'redis-admin': admin },
    secrets: {
      sessions: {
        type: 'redis',
        strategy: 'dual-credential',
        create: {
          name: 'sessions',
          fields: { engine: 'redis', host: cache.host, port: cache.port, username },
        },
        adminSecret: { adopt: `/${environmentName}/redis-admin` },
        owner: 'team-shop',
        certificateAuthority: authority,
      },
    },
  };
}

const context = ['-c', 'config=local/tour/rekey.config.ts', '-c', `environment=${environmentName}`];

function roleArns(outputs: Record<string, Record<string, string>>): Record<DeployedRole, string> {
  const access = outputs[`rekey-${environmentName}-access`] ?? {};
  const find = (role: DeployedRole): string => {
    const found = Object.entries(access).find(([name]) => name.toLowerCase().startsWith(role.toLowerCase()));
    if (found === undefined) {
      throw new Error(`the access stack has no output for the ${role} role`);
    }
    return found[1];
  };
  return {
    operator: find('operator'),
    responder: find('responder'),
    auditor: find('auditor'),
    policyAuthor: find('policyAuthor'),
    approver: find('approver'),
  };
}
