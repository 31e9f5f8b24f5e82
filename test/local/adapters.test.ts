import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { DeleteFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { allow } from './support/stack.ts';

describe("Rekey's adapters on what AWS was recorded to answer", () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: SecretsManagerClient;
  let rotation: RotationFunction;

  beforeAll(async () => {
    directory = await newFolder('adapters');
    cloud = await startCloud({ directory });
    client = new SecretsManagerClient(cloud.clientOptions());
    rotation = await deployRotationFunction(cloud);
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const named = async (Name: string) =>
    (await client.send(new CreateSecretCommand({ Name, SecretString: '{}' }))).ARN ?? '';

  test('a masterarn that can be no name is said to be one, and a missing one to be missing', async () => {
    const store = new SecretsManagerStore(client);
    const broken = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:the admin';
    await expect(store.read(broken, { stage: 'AWSCURRENT' })).rejects.toMatchObject({
      code: 'SecretNameInvalid',
      message: expect.stringContaining('the admin'),
    });
    await expect(store.describe('a,b')).rejects.toMatchObject({ code: 'SecretNameInvalid' });
    await expect(store.describe('absent')).rejects.toMatchObject({ code: 'SecretMissing' });
    expect(await store.read('absent', { stage: 'AWSCURRENT' })).toBeUndefined();
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
  test('a role that may take off AWSPENDING alone gives up a rotation that blocks the others', async () => {
    await rotation.misbehave({ FAIL_AT: 'createSecret' });
    const secret = await named('abandoned');
    const { VersionId: pending = '' } = await client.send(
      new RotateSecretCommand({ SecretId: secret, RotationLambdaARN: rotation.arn }),
    );
    await cloud.read('rotate-unfinished', 'reattempted-later');
    await eventually('the failure', async () => (await rotation.events(secret)).length > 0);
    await rotation.misbehave({});
    const user = await createUser(cloud, 'operator', [
      allow('secretsmanager:RotateSecret', secret),
      allow('secretsmanager:DescribeSecret', secret),
      allow('lambda:InvokeFunction', rotation.arn),
      {
        ...allow('secretsmanager:UpdateSecretVersionStage', secret),
        Condition: { StringEquals: { 'secretsmanager:VersionStage': 'AWSPENDING' } },
      },
    ]);
    const theirs = new SecretsManagerClient(cloud.clientOptions(user.credentials));
    const operator = new SecretsManagerRotation(theirs);
    expect(await operator.rotate(secret, randomUUID())).toBe('unfinished');
    const current = (await new SecretsManagerStore(theirs).describe(secret)).versions;
    const [first = ''] = Object.keys(current).filter((id) => id !== pending);
    await expect(
      theirs.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secret,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: pending,
          RemoveFromVersionId: first,
        }),
      ),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await operator.abandon(secret, pending);
    await operator.abandon(secret, pending);
    expect((await new SecretsManagerStore(theirs).describe(secret)).versions).toEqual({
      [first]: ['AWSCURRENT'],
    });
    const token = randomUUID();
    expect(await operator.rotate(secret, token)).toBe('started');
    await eventually('the next rotation', async () => {
      const { versions } = await new SecretsManagerStore(theirs).describe(secret);
      return versions[token]?.includes('AWSCURRENT');
    });
    await cloud.read('rotate-unfinished', 'reattempted-at-once');
  });

  test('a start that is denied says whose policy denies it', async () => {
    const secret = await named('rotates');
    await client.send(new RotateSecretCommand({ SecretId: secret, RotationLambdaARN: rotation.arn }));
    await eventually('the rotation', async () => {
      return (await client.send(new DescribeSecretCommand({ SecretId: secret }))).LastRotatedDate;
    });
    const startAs = async (name: string, ...actions: string[]) => {
      const user = await createUser(
        cloud,
        name,
        actions.map((action) => allow(action)),
      );
      return new SecretsManagerRotation(
        new SecretsManagerClient(cloud.clientOptions(user.credentials)),
      ).rotate(secret, randomUUID());
    };
    await expect(startAs('nothing')).rejects.toMatchObject({
      code: 'SecretAccessDenied',
      message: expect.stringContaining('secretsmanager:RotateSecret on'),
    });
    await expect(startAs('no-function', 'secretsmanager:RotateSecret')).rejects.toMatchObject({
      code: 'SecretAccessDenied',
      message: expect.stringContaining('lambda:InvokeFunction'),
    });
    await new LambdaClient(cloud.clientOptions()).send(
      new DeleteFunctionCommand({ FunctionName: rotation.name }),
    );
    await expect(
      startAs('both', 'secretsmanager:RotateSecret', 'lambda:InvokeFunction'),
    ).rejects.toMatchObject({
      code: 'RotationFunctionDenied',
      message: expect.stringContaining('it was deleted, or its own policy'),
    });
  });
});
