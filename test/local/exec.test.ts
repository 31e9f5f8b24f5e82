import { rm } from 'node:fs/promises';
import {
  CreateSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser, credentialVariables } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { ExecWorld } from '../cli/exec/world.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { allow } from './support/stack.ts';

/** `rekey exec` on the local cloud, whose Secrets Manager rotates for real and whose IAM decides. */
describe('rekey exec', () => {
  const world = new ExecWorld();
  let directory: string;
  let cloud: LocalCloud;
  let client: SecretsManagerClient;
  let rotation: RotationFunction;

  beforeAll(async () => {
    directory = await newFolder('exec');
    await world.start();
    cloud = await startCloud({ directory });
    client = new SecretsManagerClient(cloud.clientOptions());
    rotation = await deployRotationFunction(cloud);
  });

  afterAll(async () => {
    await world.stop();
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** A user who may do this with secrets, as variables of a process. */
  async function holder(name: string, actions: readonly string[]): Promise<Record<string, string>> {
    const { credentials } = await createUser(cloud, name, actions.length === 0 ? [] : [allow(actions)]);
    return { ...cloud.environment, ...credentialVariables(credentials) };
  }

  test('a rotation while the command runs moves the label, and the restarted command has the new value', async () => {
    const { ARN = '' } = await client.send(
      new CreateSecretCommand({ Name: 'exec/db', SecretString: 'first value' }),
    );
    const variables = await holder('runner', [
      'secretsmanager:GetSecretValue',
      'secretsmanager:DescribeSecret',
    ]);
    const run = world.exec(
      ['--secret', 'VALUE=exec/db', '--watch', '1s', '--', 'sh', '-c', 'echo "got $VALUE"; exec sleep 600'],
      variables,
    );
    await run.seen(/got first value/);
    const { VersionId } = await client.send(
      new RotateSecretCommand({ SecretId: ARN, RotationLambdaARN: rotation.arn }),
    );
    await run.seen(new RegExp(`got value of ${VersionId}`));
    // One restart: the versions that only were pending on the way are none of its business.
    expect(run.stdout().match(/got/g)).toHaveLength(2);
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(run.stderr()).not.toContain('value of');
  });

  test('who may not read the value starts nothing, and is told which permission is missing', async () => {
    await client.send(new CreateSecretCommand({ Name: 'exec/closed', SecretString: 'closed value' }));
    const variables = await holder('onlooker', ['secretsmanager:DescribeSecret']);
    const { status, stdout, stderr } = await world.run(
      ['--secret', 'VALUE=exec/closed', '--', 'sh', '-c', 'echo it has run'],
      variables,
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toContain('AccessDenied: secretsmanager:GetSecretValue is denied to this caller');
    expect(stderr).not.toContain('closed value');
  });

  test('who may not look at versions keeps the command, with a warning', async () => {
    await client.send(new CreateSecretCommand({ Name: 'exec/unwatched', SecretString: 'a value' }));
    const variables = await holder('reader', ['secretsmanager:GetSecretValue']);
    const run = world.exec(
      [
        '--secret',
        'VALUE=exec/unwatched',
        '--watch',
        '1s',
        '--',
        'sh',
        '-c',
        'echo "got $VALUE"; cat; exit 7',
      ],
      variables,
    );
    await run.told(
      /AccessDenied: secretsmanager:DescribeSecret is denied.*the process goes on with what it has/,
    );
    run.process.stdin?.end();
    expect(await run.ended).toBe(7);
  });
});
