import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser, credentialVariables } from '../../local/emulator/principals.ts';
import { Cleanup } from '../../local/process/cleanup.ts';
import { newFolder, newServerFolder } from '../../local/process/folders.ts';
import { runOrThrow } from '../../local/process/run.ts';
import type { Terminal } from '../../local/tour/terminal.ts';
import { type AssemblyFigures, countAssembly } from './assembly.ts';
import { failedSteps, firstRotations, rotateEach, tryLogins } from './rotations.ts';
import { type Kind, startTargets } from './targets.ts';

/** Figures of one environment with so many secrets. */
export interface ScaleFigures extends AssemblyFigures {
  readonly secrets: number;
  readonly kinds: number;
  readonly synthSeconds: number;
  readonly deploySeconds: number;
  /** From the end of the deploy to the end of the last first rotation. */
  readonly firstRotationSeconds: number;
  /** Secrets whose first rotation failed and was asked for again. */
  readonly retried: number;
  /** Of the second rotation of every secret, so many at a time. */
  readonly rotationsPerSecond: number;
  readonly concurrency: number;
  /** Secrets that a rotation was asked for in vain. */
  readonly failures: readonly string[];
  /** Failed steps by what the function said, those that were tried again included. */
  readonly failedSteps: Readonly<Record<string, number>>;
  readonly logins: { readonly tried: number; readonly refused: readonly string[] };
}

const commandLimitMs = 90 * 60_000;
const concurrency = 8;
const loginsPerKind = 10;

/** Deploys an environment with so many secrets on the local cloud, rotates all of them twice, and ends everything. */
export async function measureEnvironment(
  secrets: number,
  kinds: number,
  terminal: Terminal,
): Promise<ScaleFigures> {
  const cleanup = new Cleanup();
  try {
    const deployed = await deployEnvironment(secrets, kinds, terminal, cleanup);
    const { client, targets, rotated, never } = deployed;
    const again = await terminal.step(`a rotation of each, ${concurrency} at a time`, () =>
      rotateEach(client, rotated, concurrency),
    );
    const logins = await terminal.step('logins', () => tryLogins(client, targets, loginsPerKind));
    return {
      ...deployed.figures,
      secrets,
      kinds,
      concurrency,
      rotationsPerSecond: (rotated.length - again.failed.length) / again.seconds,
      failures: [...never, ...again.failed],
      failedSteps: await failedSteps(deployed.cloud),
      logins,
    };
  } finally {
    await cleanup.run();
  }
}

/** An environment that was deployed, its secrets rotated once. */
export interface DeployedEnvironment {
  readonly cloud: LocalCloud;
  /** Of an administrator. */
  readonly credentials: CloudCredentials;
  readonly client: SecretsManagerClient;
  readonly targets: readonly Kind[];
  /** Names of the secrets whose first rotation ended, and of the others. */
  readonly rotated: readonly string[];
  readonly never: readonly string[];
  readonly figures: AssemblyFigures &
    Pick<ScaleFigures, 'synthSeconds' | 'deploySeconds' | 'firstRotationSeconds' | 'retried'>;
}

/** Deploys an environment with so many secrets on the local cloud and waits for the first rotation of each. */
export async function deployEnvironment(
  secrets: number,
  kinds: number,
  terminal: Terminal,
  cleanup: Cleanup,
): Promise<DeployedEnvironment> {
  terminal.title(`${secrets} secrets of ${kinds === 1 ? 'one kind' : `${kinds} kinds`}`);
  const folder = async (make: (name: string) => Promise<string>) => {
    const path = await make('scale');
    cleanup.add(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
    return path;
  };
  const [directory, servers] = [await folder(newFolder), await folder(newServerFolder)];
  const cloud = await terminal.step('local cloud', () =>
    startCloud({ directory: join(directory, 'cloud'), log: terminal.note }),
  );
  cleanup.add(() => cloud.stop());
  const targets = await terminal.step('targets', () => startTargets(secrets, kinds, servers, cleanup));
  const { credentials } = await createUser(cloud, 'administrator', 'administrator');
  const client = new SecretsManagerClient(cloud.clientOptions(credentials));
  const arns = new Map<string, string | undefined>();
  for (const [Name, value] of targets.flatMap(({ existing }) =>
    Object.entries<{ masterarn?: string }>(existing),
  )) {
    const { masterarn } = value;
    const SecretString = JSON.stringify({ ...value, ...(masterarn && { masterarn: arns.get(masterarn) }) });
    arns.set(Name, (await client.send(new CreateSecretCommand({ Name, SecretString }))).ARN);
  }
  const file = join(directory, 'secrets.json');
  await writeFile(file, JSON.stringify(Object.assign({}, ...targets.map((kind) => kind.configurations))));
  await mkdir(join(directory, 'cdk'), { recursive: true });
  const variables = {
    ...cloud.environment,
    ...credentialVariables(credentials),
    REKEY_BENCH_SECRETS: file,
    CDK_HOME: join(directory, 'cdk'),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  const output = join(directory, 'cdk.out');
  const cdk = (...args: string[]) => runOrThrow('cdk', [...args, '--no-notices'], variables, commandLimitMs);
  const timed = async (text: string, action: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await terminal.step(text, action);
    return (performance.now() - began) / 1_000;
  };
  const synthSeconds = await timed('cdk synth', () =>
    cdk(
      ...['synth', '--all', '--quiet', '--output', output, '-c', 'config=bench/scale/rekey.config.ts'],
      ...['-c', 'deployed=nothing', '-c', `shards=${join(directory, 'rekey.shards.json')}`],
    ),
  );
  const assembly = await countAssembly(output);
  await terminal.step('cdk bootstrap', () =>
    cdk('bootstrap', `aws://${cloud.accountId}/${cloud.region}`, '--app', output),
  );
  const deploySeconds = await timed('cdk deploy --all', () =>
    cdk(
      ...['deploy', '--all', '--app', output, '--require-approval', 'never', '--method', 'direct'],
      ...['--concurrency', '4', '--asset-parallelism', 'true'],
    ),
  );
  const names = targets.flatMap((kind) => kind.names);
  let never: readonly string[] = [];
  let retried = 0;
  const firstRotationSeconds = await timed('first rotations', async () => {
    ({ never, retried } = await firstRotations(client, names, concurrency));
  });
  const rotated = names.filter((name) => !never.includes(name));
  return {
    cloud,
    credentials,
    client,
    targets,
    rotated,
    never,
    figures: { ...assembly, synthSeconds, deploySeconds, firstRotationSeconds, retried },
  };
}
