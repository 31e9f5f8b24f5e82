import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser, credentialVariables } from '../../local/emulator/principals.ts';
import type { Cleanup } from '../../local/process/cleanup.ts';
import { checkout, type Finished, run } from '../../local/process/run.ts';
import { type Login, logsIn, openSession, seedDatabase } from '../../local/servers/database.ts';
import { startPostgres } from '../../local/servers/postgres.ts';
import { eventually } from '../../local/tour/eventually.ts';
import {
  adminSecret,
  adoptedSecret,
  applications,
  type EnvironmentInput,
  otherAdminSecret,
  type Place,
} from './settings.ts';

/** How a deploy ended. */
export interface Deployed {
  readonly succeeded: boolean;
  /** The last lines of what the CDK printed. */
  readonly output: string;
}

/** A secret as it stands in Secrets Manager. */
export interface Standing {
  readonly description: DescribeSecretCommandOutput;
  readonly versionId: string;
  readonly value: string;
}

/** A local cloud with a database, on which configurations are deployed one after the other. */
export interface World {
  readonly cloud: LocalCloud;
  readonly place: Place;
  /** Holds the files of this run. */
  readonly directory: string;
  /** Deploys a configuration with the app of a checkout. @default - with this checkout's */
  deploy(environment: EnvironmentInput, from?: string): Promise<Deployed>;
  /** Deploys some stacks of a configuration, as a deploy that stops in the middle does. */
  deployStacks(environment: EnvironmentInput, ...stacks: string[]): Promise<Deployed>;
  /** Runs the CLI. */
  rekey(...args: string[]): Promise<Finished>;
  /** The current version of a secret with its description. */
  standing(name: string): Promise<Standing>;
  /** Starts a rotation, or follows the one that runs, until the version is current. */
  rotate(name: string): Promise<void>;
  /** Starts a rotation and does not wait for it. */
  beginRotation(name: string): Promise<void>;
  /** Waits until no version of the secret is pending. */
  settled(name: string): Promise<void>;
  /** Whether the database accepts what a secret's JSON holds. */
  accepts(value: string): Promise<boolean>;
  /** Whether the function that rotates a secret exists. */
  hasFunction(arn: string): Promise<boolean>;
  /** Names of the stacks that begin so. */
  stacks(prefix: string): Promise<readonly string[]>;
  /** Deletes a stack. @returns the status in which that ends */
  deleteStack(name: string): Promise<string>;
  /** Resources that CloudFormation could not delete, as `<stack> <logical id>`. */
  leftBehind(): Promise<readonly string[]>;
  /** Runs a statement as the database's superuser. */
  sql(statement: string): Promise<void>;
}

const deployMs = 900_000;

/** Starts the cloud and the database, and puts there what exists before the first deploy. */
export async function openWorld(cleanup: Cleanup): Promise<World> {
  const directory = join(tmpdir(), `rekey-changes-${process.pid}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  cleanup.add(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const cloud = await startCloud({ directory: join(directory, 'cloud') });
  cleanup.add(() => cloud.stop());
  const postgres = await startPostgres({ directory: join(tmpdir(), `rekey-changes-pg-${process.pid}`) });
  cleanup.add(() => postgres.remove());
  const { credentials } = await createUser(cloud, 'administrator', 'administrator');
  const secrets = new SecretsManagerClient(cloud.clientOptions(credentials));
  const cloudFormation = new CloudFormationClient(cloud.clientOptions(credentials));
  const lambda = new LambdaClient(cloud.clientOptions(credentials));
  const admin = await seedDatabase(
    postgres,
    applications.map((application) => `${application}_app`),
  );
  const ledger = {
    ...admin,
    dbname: 'shop',
    username: 'ledger_app',
    password: 'a-first-password-of-its-own',
  };
  const sql = async (statement: string): Promise<void> => {
    const session = await openSession({ ...admin, ...postgres.superuser }, postgres.caPem);
    try {
      await session.query(statement);
    } finally {
      await session.end();
    }
  };
  await sql(`ALTER ROLE ledger_app PASSWORD '${ledger.password}'`);
  for (const [name, value] of Object.entries({
    [adminSecret]: admin,
    [otherAdminSecret]: admin,
    [adoptedSecret]: ledger,
  })) {
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value) }));
  }
  const authority = join(directory, 'authority.pem');
  const otherAuthority = join(directory, 'other-authority.pem');
  await writeFile(authority, postgres.caPem);
  await writeFile(otherAuthority, postgres.caPem);

  const configuration = join(directory, 'rekey.config.mjs');
  const context = ['-c', `config=${configuration}`, '-c', 'environment=dev'];
  const variables = { ...cloud.environment, ...credentialVariables(credentials) };
  const cdk = (from: string, ...args: string[]) =>
    run('cdk', [...args, '--output', join(directory, 'cdk.out'), ...context], variables, deployMs, from);

  const standing = async (name: string): Promise<Standing> => {
    const description = await secrets.send(new DescribeSecretCommand({ SecretId: name }));
    const { SecretString = '', VersionId = '' } = await secrets.send(
      new GetSecretValueCommand({ SecretId: name }),
    );
    return { description, versionId: VersionId, value: SecretString };
  };
  const pending = ({ VersionIdsToStages = {} }: DescribeSecretCommandOutput): boolean =>
    Object.values(VersionIdsToStages).some(
      (stages) => stages.includes('AWSPENDING') && !stages.includes('AWSCURRENT'),
    );
  const settled = async (name: string): Promise<void> => {
    await eventually(`the rotation of ${name} ends`, async () => {
      const description = await secrets.send(new DescribeSecretCommand({ SecretId: name }));
      return !pending(description);
    });
  };
  const beginRotation = async (name: string): Promise<void> => {
    await secrets.send(new RotateSecretCommand({ SecretId: name }));
  };
  const stacks = async (prefix: string): Promise<string[]> => {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({}));
    return Stacks.flatMap(({ StackName = '' }) => (StackName.startsWith(prefix) ? [StackName] : []));
  };
  let bootstrapped = false;
  const deploy = async (
    environment: EnvironmentInput,
    from: string,
    ...what: string[]
  ): Promise<Deployed> => {
    await writeFile(
      configuration,
      `export default ${JSON.stringify({ environments: { dev: environment } })}`,
    );
    if (!bootstrapped) {
      const { exitCode, stderr } = await cdk(from, 'bootstrap', `aws://${cloud.accountId}/${cloud.region}`);
      if (exitCode !== 0) throw new Error(`cdk bootstrap failed: ${stderr.slice(-2000)}`);
      bootstrapped = true;
    }
    const how = ['--require-approval', 'never', '--method', 'direct', '--concurrency', '4'];
    const { exitCode, stdout, stderr } = await cdk(from, 'deploy', ...what, ...how);
    const output = `${stdout}\n${stderr}`.trim().split('\n').slice(-40).join('\n');
    return { succeeded: exitCode === 0, output };
  };
  return {
    cloud,
    directory,
    place: { host: postgres.host, port: postgres.port, authority, otherAuthority },
    deploy: (environment, from = checkout) => deploy(environment, from, '--all'),
    deployStacks: (environment, ...stacks) => deploy(environment, checkout, '--exclusively', ...stacks),
    rekey: (...args) => run('node', ['bin/rekey.js', ...args], variables, deployMs),
    standing,
    async rotate(name) {
      const { versionId } = await standing(name);
      await beginRotation(name);
      await settled(name);
      const after = await standing(name);
      if (after.versionId === versionId) throw new Error(`${name} did not rotate`);
    },
    beginRotation,
    settled,
    accepts: (value) => logsIn(JSON.parse(value) as Login, postgres.caPem),
    async hasFunction(arn) {
      try {
        await lambda.send(new GetFunctionCommand({ FunctionName: arn }));
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
        throw error;
      }
    },
    stacks,
    async deleteStack(StackName) {
      const { Stacks: [stack] = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
      await cloudFormation.send(new DeleteStackCommand({ StackName }));
      return await eventually(`${StackName} is deleted`, async () => {
        const { Stacks: [now] = [] } = await cloudFormation.send(
          new DescribeStacksCommand({ StackName: stack?.StackId }),
        );
        return now?.StackStatus?.endsWith('_IN_PROGRESS') ? undefined : now?.StackStatus;
      });
    },
    async leftBehind() {
      const resources = await Promise.all(
        (await stacks('')).map(async (StackName) => {
          const { StackResources = [] } = await cloudFormation.send(
            new DescribeStackResourcesCommand({ StackName }),
          );
          return StackResources.filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_FAILED').map(
            ({ LogicalResourceId }) => `${StackName} ${LogicalResourceId}`,
          );
        }),
      );
      return resources.flat();
    },
    sql,
  };
}
