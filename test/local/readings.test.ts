import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { revocationToken } from '../../core/deployed/revocation-token.ts';
import { rotateForRevocation } from '../../lambdas/revocation/rotate.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusalText } from './support/refusal.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { deployStack } from './support/stack.ts';

jest.setTimeout(90_000);

const hour = 3_600;

/** What AWS's documents leave open, each in both readings: see local/emulator/cloud/readings.py. */
describe('What is open on AWS, in both readings', () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: SecretsManagerClient;
  let rotation: RotationFunction;
  let made = 0;

  beforeAll(async () => {
    directory = await newFolder('readings');
    cloud = await startCloud({ directory });
    client = new SecretsManagerClient(cloud.clientOptions());
    rotation = await deployRotationFunction(cloud);
  }, 300_000);

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  afterEach(async () => {
    await rotation.misbehave({});
    await cloud.read('rotate-unfinished', 'reattempted-at-once');
    await cloud.read('rotation-retries', 'hourly');
    await cloud.read('cancel-running', 'steps-end');
    await cloud.read('eventbridge-delivery', 'once');
  });

  const described = async (SecretId: string) => await client.send(new DescribeSecretCommand({ SecretId }));

  async function versionWith(secret: string, label: string): Promise<string | undefined> {
    const { VersionIdsToStages = {} } = await described(secret);
    return Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes(label));
  }

  const current = async (secret: string, version: string) =>
    await eventually(`version ${version} to be current`, async () => {
      return (await versionWith(secret, 'AWSCURRENT')) === version;
    });

  const failures = async (secret: string, count: number) =>
    await eventually(`${count} invocations`, async () => (await rotation.events(secret)).length >= count);

  /** A secret whose rotation failed in its first step, and whose function works again. */
  async function stuck(): Promise<{ secret: string; pending: string }> {
    made += 1;
    const { ARN: secret = '' } = await client.send(
      new CreateSecretCommand({ Name: `readings/${made}`, SecretString: 'first' }),
    );
    await rotation.misbehave({ FAIL_AT: 'createSecret' });
    const { VersionId: pending = '' } = await client.send(
      new RotateSecretCommand({ SecretId: secret, RotationLambdaARN: rotation.arn }),
    );
    await failures(secret, 1);
    await sleep(300);
    await rotation.misbehave({});
    return { secret, pending };
  }

  const unfinished =
    "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.";

  test('a refused RotateSecret reattempts at once, or leaves that to the retry of the service', async () => {
    const one = await stuck();
    expect(await refusalText(client.send(new RotateSecretCommand({ SecretId: one.secret })))).toBe(
      unfinished,
    );
    await current(one.secret, one.pending);

    await cloud.read('rotate-unfinished', 'reattempted-later');
    const other = await stuck();
    expect(await refusalText(client.send(new RotateSecretCommand({ SecretId: other.secret })))).toBe(
      unfinished,
    );
    await sleep(1_500);
    expect(await versionWith(other.secret, 'AWSPENDING')).toBe(other.pending);
    await cloud.advanceClock(hour + 1);
    await current(other.secret, other.pending);
  });

  test('Secrets Manager retries by itself, or never', async () => {
    const one = await stuck();
    await cloud.advanceClock(hour + 1);
    await current(one.secret, one.pending);

    await cloud.read('rotation-retries', 'none');
    const other = await stuck();
    await cloud.advanceClock(24 * hour);
    await sleep(1_500);
    expect(await versionWith(other.secret, 'AWSPENDING')).toBe(other.pending);
  });

  test('CancelRotateSecret ends the steps that are left, or they still run', async () => {
    for (const [reading, outcome] of [
      ['steps-end', false],
      ['steps-go-on', true],
    ] as const) {
      await cloud.read('cancel-running', reading);
      made += 1;
      const { ARN: secret = '' } = await client.send(
        new CreateSecretCommand({ Name: `readings/${made}`, SecretString: 'first' }),
      );
      await rotation.misbehave({ SLOW_AT: 'createSecret' });
      const { VersionId: token = '' } = await client.send(
        new RotateSecretCommand({ SecretId: secret, RotationLambdaARN: rotation.arn }),
      );
      await client.send(new CancelRotateSecretCommand({ SecretId: secret }));
      await sleep(4_000);
      expect((await versionWith(secret, 'AWSCURRENT')) === token).toBe(outcome);
      expect((await described(secret)).RotationEnabled).toBe(false);
      expect((await described(secret)).NextRotationDate).toBeUndefined();
    }
  });

  describe('a revocation of a secret whose rotation is unfinished', () => {
    const revoke = async (secretArn: string, requestId: string) =>
      await rotateForRevocation(
        { requestId, secretArn, secretName: 'orders' },
        {
          store: new SecretsManagerStore(client),
          rotation: new SecretsManagerRotation(client),
          clock: systemClock,
          patienceMs: 8_000,
        },
      );

    test('rotates once that one has ended, where asking brings it to its end', async () => {
      const { secret, pending } = await stuck();
      const requestId = randomUUID();
      const { newVersionId } = await revoke(secret, requestId);
      expect(newVersionId).toBe(revocationToken(requestId, secret));
      expect(newVersionId).not.toBe(pending);
    });

    test('says which version is in the way, where it stays; goes on once that was abandoned', async () => {
      await cloud.read('rotate-unfinished', 'reattempted-later');
      const { secret, pending } = await stuck();
      const requestId = randomUUID();
      await expect(revoke(secret, requestId)).rejects.toMatchObject({
        code: 'RotationPending',
        retryable: true,
        message: expect.stringContaining(`version ${pending} of an earlier rotation is still pending`),
      });
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secret,
          VersionStage: 'AWSPENDING',
          RemoveFromVersionId: pending,
        }),
      );
      expect((await revoke(secret, requestId)).newVersionId).toBe(revocationToken(requestId, secret));
    });
  });

  test('EventBridge delivers once, or twice, and a FIFO queue takes the same event once', async () => {
    const queue = (fifo: object, parameters: object) => ({ fifo, parameters });
    const { outputs } = await deployStack(cloud, 'delivered', {
      ...Object.fromEntries(
        Object.entries({
          Plain: queue({}, {}),
          Fifo: queue(
            { FifoQueue: true, ContentBasedDeduplication: true },
            { SqsParameters: { MessageGroupId: 'audit' } },
          ),
        }).flatMap(([name, { fifo, parameters }]) => [
          [name, { Type: 'AWS::SQS::Queue', Properties: fifo }],
          [
            `${name}Policy`,
            {
              Type: 'AWS::SQS::QueuePolicy',
              Properties: {
                Queues: [{ Ref: name }],
                PolicyDocument: {
                  Statement: [
                    {
                      Effect: 'Allow',
                      Principal: { Service: 'events.amazonaws.com' },
                      Action: 'sqs:SendMessage',
                      Resource: { 'Fn::GetAtt': [name, 'Arn'] },
                    },
                  ],
                },
              },
            },
          ],
          [
            `${name}Rule`,
            {
              Type: 'AWS::Events::Rule',
              Properties: {
                EventPattern: { source: ['rekey.test'] },
                Targets: [{ Id: 'target', Arn: { 'Fn::GetAtt': [name, 'Arn'] }, ...parameters }],
              },
            },
          ],
        ]),
      ),
    });
    const sqs = new SQSClient(cloud.clientOptions());
    const events = new EventBridgeClient(cloud.clientOptions());
    const received = async (name: string) => {
      const QueueUrl = outputs[`${name}Ref`];
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      return Messages.length;
    };
    for (const [reading, count] of [
      ['once', 1],
      ['twice', 2],
    ] as const) {
      await cloud.read('eventbridge-delivery', reading);
      const Detail = JSON.stringify({ reading });
      await events.send(
        new PutEventsCommand({ Entries: [{ Source: 'rekey.test', DetailType: 'Any', Detail }] }),
      );
      await sleep(1_500);
      expect(await received('Plain')).toBe(count);
      // The message of the reading before is still invisible, and its group with it.
      if (reading === 'twice') continue;
      expect(await received('Fifo')).toBe(1);
    }
  });
});
