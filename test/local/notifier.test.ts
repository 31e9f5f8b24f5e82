/** The deployed notifier, under the role of its template: from an event on the bus to a receiver over TLS. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { EventBridgeBus } from '../../adapters/event-bus.ts';
import { DynamoNotificationMemory } from '../../adapters/notification-memory.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import type { DetailType, EventData } from '../../core/events/catalogue.ts';
import { createEvent } from '../../core/events/create.ts';
import { bundle } from '../../lib/function/bundle.ts';
import { Notifier, RekeyBus } from '../../lib/index.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { memoryContract } from '../lambdas/notification/memory-contract.ts';
import { revocationStarted, revocationSucceeded, rotationFailed } from '../lambdas/notification/world.ts';
import {
  opsgenieContract,
  pagerdutyContract,
  slackContract,
  teamsContract,
  webhookContract,
} from '../receivers/contracts.ts';
import { type Receiver, startReceiver } from '../receivers/receiver.ts';
import { logLines } from './support/logs.ts';
import { deployStack, type TestStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';
import { zipFiles } from './support/zip.ts';

jest.setTimeout(240_000);

const pagerduty = pagerdutyContract();
const contracts = {
  slack: slackContract,
  teams: teamsContract,
  webhook: webhookContract(),
  pagerduty,
  opsgenie: opsgenieContract(),
} as const;
const kinds = Object.keys(contracts) as readonly (keyof typeof contracts)[];

let directory: string;
let cloud: LocalCloud;
let stack: TestStack;
let bus: EventBridgeBus;
const receivers = new Map<string, Receiver>();
/** Logical ids by the type of the resource, of which there is one each. */
const ids = new Map<string, string>();
const named = (type: string): string => stack.outputs[`${ids.get(`AWS::${type}`)}Ref`] ?? '';

beforeAll(async () => {
  directory = await newFolder('notifier');
  cloud = await startCloud({ directory });
  for (const kind of kinds) receivers.set(kind, await startReceiver(contracts[kind]));
  const secrets = new SecretsManagerClient(cloud.clientOptions());
  const authorities = kinds.map((kind) => {
    const file = join(directory, `${kind}.pem`);
    writeFileSync(file, receivers.get(kind)?.authority ?? '');
    return file;
  });
  for (const kind of kinds) {
    await secrets.send(
      new CreateSecretCommand({ Name: `notify/${kind}`, SecretString: receivers.get(kind)?.secret ?? '' }),
    );
  }
  const receiverChannels = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      {
        kind,
        secret: `notify/${kind}`,
        hosts: ['localhost'],
        certificateAuthority: `${kind}.pem`,
        allowPrivateAddresses: true,
        owners: [`team-${kind}`],
      },
    ]),
  );
  const resources = synthesize(
    cloud,
    (scope) => {
      new Notifier(scope, 'Notifier', {
        bus: new RekeyBus(scope, 'Bus', { environment: 'test' }),
        directory,
        notifications: {
          channels: { ...receiverChannels, mail: { kind: 'sns', emails: ['ops@example.com'] } },
          escalation: { urgencies: ['warning'], steps: [{ afterMinutes: 0, to: ['webhook'] }] },
        } as never,
      });
    },
    () => '',
  );
  for (const [id, { Type }] of Object.entries(resources)) ids.set(Type, id);
  const code = await upload(authorities);
  stack = await deployStack(
    cloud,
    'notifier',
    Object.fromEntries(
      Object.entries(resources).map(([id, resource]) =>
        resource.Type === 'AWS::Lambda::Function'
          ? [id, { ...resource, Properties: { ...resource.Properties, Code: code } }]
          : [id, resource],
      ),
    ),
  );
  bus = new EventBridgeBus(new EventBridgeClient(cloud.clientOptions()), 'rekey-test');
});
afterAll(async () => {
  await Promise.all([...receivers.values()].map((receiver) => receiver.stop()));
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Brings the bundle that ships, with the certificates beside it, where CloudFormation takes it from. */
async function upload(files: readonly string[]): Promise<object> {
  const folder = join(directory, 'bundle');
  await mkdir(folder);
  bundle(folder, { entry: 'notifier', files });
  const zip = zipFiles(
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])),
  );
  const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }));
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'notifier.zip', Body: zip }));
  return { S3Bucket: 'code', S3Key: 'notifier.zip' };
}

async function publish<T extends DetailType>(detailType: T, data: EventData<T>): Promise<string> {
  const event = createEvent(
    {
      source: 'rekey.rotation',
      environment: 'test',
      actor: 'test',
      clock: systemClock,
      random: systemRandom,
    },
    detailType,
    data,
    { correlationId: 'c' },
  );
  await bus.publish([event] as never);
  return event.detail.metadata.id;
}

/** Subscribes a queue to a topic, and reads what comes. */
async function subscribe(topicArn: string): Promise<() => Promise<string | undefined>> {
  const sqs = new SQSClient(cloud.clientOptions());
  const Endpoint = `arn:aws:sqs:${cloud.region}:${cloud.accountId}:mailbox`;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: Endpoint,
      },
    ],
  });
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: 'mailbox', Attributes: { Policy } }),
  );
  await new SNSClient(cloud.clientOptions()).send(
    new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint }),
  );
  return async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
    return Messages[0]?.Body;
  };
}

/** Waits for a message of a receiver that holds a text. */
const arrived = (kind: string, text: string) =>
  eventually(`a message with ${text} at ${kind}`, async () => {
    const found = receivers.get(kind)?.taken.find(({ body }) => body.includes(text));
    if (found !== undefined) return found;
    const refused = receivers.get(kind)?.refused.map(({ answer }) => answer);
    if ((refused ?? []).length > 0) throw new Error(`${kind} refused: ${JSON.stringify(refused)}`);
    return undefined;
  });

describe('an event on the bus', () => {
  test('that is an emergency is told on every channel, as each receiver documents it, and in a mail', async () => {
    const mailbox = await subscribe(named('SNS::Topic'));
    await publish('Secret Revocation Started', revocationStarted('/prod/emergency'));
    for (const kind of kinds) await arrived(kind, '/prod/emergency');
    const mail = await eventually('the mail', mailbox);
    expect(JSON.parse(mail)).toMatchObject({
      Subject: 'Rekey test: Revocation started: /prod/emergency',
      Message: expect.stringContaining('reason: found in a public repository'),
    });
    expect([...pagerduty.alerts.values()]).toEqual(['triggered']);
  });

  test('that resolves it closes the alert', async () => {
    await publish('Secret Revocation Succeeded', revocationSucceeded('/prod/emergency'));
    await eventually('the alert to be resolved', async () =>
      [...pagerduty.alerts.values()].includes('resolved'),
    );
  });

  test('comes again until its receiver takes it, by the secret that it has by then', async () => {
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    const good = receivers.get('opsgenie')?.secret ?? '';
    const replaced = good.replace('sentinel-opsgenie-api-key', 'sentinel-replaced-key');
    // What the function has in memory is good for a minute, so the receiver is what refuses.
    receivers.get('opsgenie')?.next(...Array.from({ length: 2 }, () => ({ status: 401, body: '' })));
    await secrets.send(new PutSecretValueCommand({ SecretId: 'notify/opsgenie', SecretString: replaced }));
    await publish('Secret Revocation Failed', {
      ...revocationStarted('/prod/again', 'r-again'),
      stage: 'Contain',
      error: { code: 'TargetUnreachable', message: 'no answer', retryable: true },
    } as never);
    await eventually('both refusals', async () => (receivers.get('opsgenie')?.refused.length ?? 0) >= 2);
    await secrets.send(new PutSecretValueCommand({ SecretId: 'notify/opsgenie', SecretString: good }));
    await eventually('the message', async () =>
      receivers.get('opsgenie')?.taken.some(({ body }) => body.includes('/prod/again')),
    );
    expect(receivers.get('slack')?.taken.filter(({ body }) => body.includes('/prod/again'))).toHaveLength(1);
  });

  test('about a rotation is escalated by the tick of the minute, announced on the bus and told', async () => {
    await publish('Secret Rotation Failed', rotationFailed('/prod/escalated'));
    const lambda = new LambdaClient(cloud.clientOptions());
    await eventually('the escalation', async () => {
      const { FunctionError, Payload } = await lambda.send(
        new InvokeCommand({ FunctionName: named('Lambda::Function'), Payload: Buffer.from('{}') }),
      );
      if (FunctionError !== undefined) throw new Error(Buffer.from(Payload ?? []).toString());
      return receivers.get('webhook')?.taken.some(({ body }) => body.includes('rekey.incident_escalated'));
    });
    expect((await arrived('webhook', 'rekey.incident_escalated')).body).toContain('/prod/escalated');
  });

  test('leaves no key, URL or signature in the logs of the function', async () => {
    const lines = await logLines(cloud, named('Logs::LogGroup'), 'level');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('\n')).not.toMatch(/sentinel|whsec_|0123456789abcdef/);
  });
});

describe('the table is a memory that', () => {
  memoryContract(
    () => new DynamoNotificationMemory(new DynamoDBClient(cloud.clientOptions()), named('DynamoDB::Table')),
  );
});

test('an unknown kind of event on the bus reaches no queue of the notifier', async () => {
  const events = new EventBridgeClient(cloud.clientOptions());
  const before = receivers.get('webhook')?.taken.length;
  await events.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: 'rekey-test',
          Source: 'acme',
          DetailType: 'Something Else',
          Detail: '{"text":"odd"}',
        },
      ],
    }),
  );
  await publish('Secret Revocation Started', revocationStarted('/prod/after', 'r-after'));
  await arrived('webhook', '/prod/after');
  expect(receivers.get('webhook')?.taken.length).toBe((before ?? 0) + 1);
});
