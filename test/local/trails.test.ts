/** Trails of the local cloud, and the function that reads them, under the role of its template. */

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { DynamoTrailMemory } from '../../adapters/trail-memory.ts';
import { bundle } from '../../lib/function/bundle.ts';
import { Attribution, AuditLog, RekeyBus, Trail } from '../../lib/index.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { trailMemoryContract } from '../lambdas/trail/memory-contract.ts';
import { deployStack, type TestStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';
import { zipFiles } from './support/zip.ts';

jest.setTimeout(240_000);

let directory: string;
let cloud: LocalCloud;
let stack: TestStack;
const ids = new Map<string, string>();
const named = (id: string): string =>
  stack.outputs[`${[...ids.keys()].find((known) => known.startsWith(id))}Ref`] ?? '';

/** Credentials of a session called alice, under a role with a path. */
let alice: Awaited<ReturnType<typeof assumeRole>>;
const role = 'responder';
let roleArn: string;

async function upload(): Promise<object> {
  const folder = join(directory, 'bundle');
  await mkdir(folder);
  bundle(folder, { entry: 'attribution', files: [] });
  const zip = zipFiles(
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])),
  );
  const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }));
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'attribution.zip', Body: zip }));
  return { S3Bucket: 'code', S3Key: 'attribution.zip' };
}

async function makeSession(): Promise<void> {
  const iam = new IAMClient(cloud.clientOptions());
  const caller = await createUser(cloud, 'caller', 'administrator');
  const trust = { Effect: 'Allow', Principal: { AWS: caller.arn }, Action: 'sts:AssumeRole' };
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: role,
      Path: '/people/',
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
    }),
  );
  roleArn = Role?.Arn ?? '';
  const bus = `arn:aws:events:${cloud.region}:${cloud.accountId}:event-bus/rekey-test`;
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: role,
      PolicyName: 'granted',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'events:PutEvents', Resource: bus },
          { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' },
        ],
      }),
    }),
  );
  alice = await assumeRole(cloud, caller.credentials, roleArn, 'alice');
}

beforeAll(async () => {
  directory = await newFolder('trails');
  cloud = await startCloud({ directory });
  await makeSession();
  const resources = synthesize(
    cloud,
    (scope) => {
      const bus = new RekeyBus(scope, 'Bus', { environment: 'test' });
      const log = new AuditLog(scope, 'Log', { bus, retention: Duration.days(1) });
      const trail = new Trail(scope, 'Trail', { bus, log });
      new Attribution(scope, 'Attribution', { bus, auditQueue: log.queue, files: trail });
    },
    () => 'exports.handler = async () => ({ batchItemFailures: [] });',
  );
  for (const [id, { Type }] of Object.entries(resources)) ids.set(id, Type);
  const code = await upload();
  stack = await deployStack(
    cloud,
    'trails',
    Object.fromEntries(
      Object.entries(resources).map(([id, resource]) =>
        id.startsWith('AttributionFunction') && resource.Type === 'AWS::Lambda::Function'
          ? [id, { ...resource, Properties: { ...resource.Properties, Code: code } }]
          : [id, resource],
      ),
    ),
  );
});
afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const s3 = () => new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
async function filesBelow(
  prefix: string,
): Promise<readonly { key: string; document: Record<string, unknown> }[]> {
  const Bucket = named('LogBucket');
  const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
  return await Promise.all(
    Contents.map(async ({ Key = '' }) => {
      const { Body } = await s3().send(new GetObjectCommand({ Bucket, Key }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      return { key: Key, document: JSON.parse(gunzipSync(bytes).toString()) };
    }),
  );
}
const logged = async (fits: (record: Record<string, never>) => boolean) => {
  const files = await filesBelow('AWSLogs/');
  return files
    .filter(({ key }) => key.includes('/CloudTrail/'))
    .flatMap(({ document }) => document.Records as readonly Record<string, never>[])
    .find(fits);
};
const request = (id: string, actor: string) => ({
  EventBusName: 'rekey-test',
  Source: 'rekey.cli',
  DetailType: 'Secret Revocation Requested',
  Detail: JSON.stringify({
    metadata: {
      id,
      schemaVersion: 1,
      time: new Date().toISOString(),
      environment: 'test',
      actor,
      correlationId: 'INC-7',
    },
    data: { select: { secret: '/test/orders' }, mode: 'kill', reason: 'a secret reason' },
  }),
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/logging-using-cloudtrail.html
describe('a trail', () => {
  test('logs PutEvents on its bus: who, with which answer, and without the detail', async () => {
    const events = new EventBridgeClient(cloud.clientOptions(alice));
    const { Entries = [], $metadata } = await events.send(
      new PutEventsCommand({ Entries: [request('0195a000-0000-7000-8000-000000000001', 'arn:of:alice')] }),
    );
    const record = await eventually('the call is logged', async () =>
      logged(({ requestID }) => requestID === $metadata.requestId),
    );
    expect(record).toMatchObject({
      eventSource: 'events.amazonaws.com',
      eventName: 'PutEvents',
      eventCategory: 'Data',
      managementEvent: false,
      readOnly: false,
      awsRegion: cloud.region,
      sourceIPAddress: '127.0.0.1',
      userAgent: expect.stringContaining('aws-sdk-js'),
      userIdentity: {
        type: 'AssumedRole',
        arn: `arn:aws:sts::${cloud.accountId}:assumed-role/${role}/alice`,
        accountId: cloud.accountId,
        accessKeyId: alice.accessKeyId,
        sessionContext: { sessionIssuer: { type: 'Role', arn: roleArn, userName: role } },
      },
      requestParameters: {
        entries: [
          {
            source: 'rekey.cli',
            detailType: 'Secret Revocation Requested',
            detail: 'HIDDEN_DUE_TO_SECURITY_REASONS',
            eventBusName: 'rekey-test',
          },
        ],
      },
      responseElements: { failedEntryCount: 0, entries: [{ eventId: Entries[0]?.EventId }] },
      resources: [
        {
          type: 'AWS::Events::EventBus',
          ARN: `arn:aws:events:${cloud.region}:${cloud.accountId}:event-bus/rekey-test`,
        },
      ],
    });
    expect(JSON.stringify(record)).not.toContain('a secret reason');
  });

  test('logs a refused call with its code, and none on another bus', async () => {
    const events = new EventBridgeClient(cloud.clientOptions(alice));
    const elsewhere = {
      ...request('0195a000-0000-7000-8000-000000000002', 'alice'),
      EventBusName: 'default',
    };
    await expect(events.send(new PutEventsCommand({ Entries: [elsewhere] }))).rejects.toThrow();
    const nobody = await createUser(cloud, 'nobody', []);
    const theirs = new EventBridgeClient(cloud.clientOptions(nobody.credentials));
    await expect(
      theirs.send(new PutEventsCommand({ Entries: [request('0195a000-0000-7000-8000-000000000003', 'x')] })),
    ).rejects.toThrow();
    const record = await eventually('the refusal is logged', async () =>
      logged(({ errorCode }) => errorCode !== undefined),
    );
    expect(record).toMatchObject({
      errorCode: expect.stringContaining('AccessDenied'),
      responseElements: null,
      userIdentity: { type: 'IAMUser', arn: nobody.arn },
    });
    const other = await logged(({ resources }) => JSON.stringify(resources).includes('event-bus/default'));
    expect(other).toBeUndefined();
  });

  // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
  test('names its files as AWS does, and each has a digest', async () => {
    const [file] = await filesBelow(`AWSLogs/${cloud.accountId}/CloudTrail/${cloud.region}/`);
    expect(file?.key).toMatch(
      new RegExp(
        `/\\d{4}/\\d{2}/\\d{2}/${cloud.accountId}_CloudTrail_${cloud.region}_\\d{8}T\\d{4}Z_[0-9a-f]{16}\\.json\\.gz$`,
      ),
    );
    const digests = await filesBelow(`AWSLogs/${cloud.accountId}/CloudTrail-Digest/${cloud.region}/`);
    const listed = digests.flatMap(({ document }) => document.logFiles as readonly { s3Object: string }[]);
    expect(listed.map(({ s3Object }) => s3Object)).toContain(file?.key);
  });

  test('keeps its files to itself: nobody else puts one beside them', async () => {
    const admin = await createUser(cloud, 'administrator', 'administrator');
    const theirs = new S3Client({ ...cloud.clientOptions(admin.credentials), forcePathStyle: true });
    const Key = `AWSLogs/${cloud.accountId}/CloudTrail/${cloud.region}/2026/01/01/forged.json.gz`;
    const put = theirs.send(new PutObjectCommand({ Bucket: named('LogBucket'), Key, Body: 'x' }));
    await expect(put).rejects.toThrow(/explicit deny/);
  });
});

describe('the function that reads it', () => {
  let queueUrl: string;
  beforeAll(async () => {
    const sqs = new SQSClient(cloud.clientOptions());
    queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'told' }))).QueueUrl ?? '';
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
    );
    const arn = Attributes?.QueueArn ?? '';
    const admit = {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: arn,
    };
    await sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: queueUrl,
        Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [admit] }) },
      }),
    );
    const events = new EventBridgeClient(cloud.clientOptions());
    const rule = { Name: 'told', EventBusName: 'rekey-test' };
    await events.send(
      new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: ['rekey.trail'] }) }),
    );
    await events.send(
      new PutTargetsCommand({ Rule: 'told', EventBusName: 'rekey-test', Targets: [{ Id: 'q', Arn: arn }] }),
    );
  });

  test('tells who really asked, and that it was another than the request says', async () => {
    const events = new EventBridgeClient(cloud.clientOptions(alice));
    const id = '0195a000-0000-7000-8000-000000000009';
    await events.send(new PutEventsCommand({ Entries: [request(id, 'arn:aws:iam::1:user/mallory')] }));
    const sqs = new SQSClient(cloud.clientOptions());
    const event = await eventually('it is told', async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      );
      return Messages.map(({ Body = '{}' }) => JSON.parse(Body)).find(
        ({ detail }) => detail.data.requestId === id,
      );
    });
    expect(event).toMatchObject({
      source: 'rekey.trail',
      'detail-type': 'Request Attributed',
      detail: {
        metadata: { correlationId: 'INC-7', causationId: id },
        data: {
          claimed: 'arn:aws:iam::1:user/mallory',
          proven: {
            principal: `arn:aws:sts::${cloud.accountId}:assumed-role/${role}/alice`,
            identity: roleArn,
            session: 'alice',
            sourceAddress: '127.0.0.1',
          },
          agrees: false,
        },
      },
    });
  });

  test('keeps who read which secret', async () => {
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    await secrets.send(new CreateSecretCommand({ Name: '/test/orders', SecretString: 'a value' }));
    const theirs = new SecretsManagerClient(cloud.clientOptions(alice));
    await theirs.send(new GetSecretValueCommand({ SecretId: '/test/orders' }));
    const memory = new DynamoTrailMemory(
      new DynamoDBClient(cloud.clientOptions()),
      named('AttributionMemory'),
    );
    const evidence = await eventually('the read is known', async () => {
      const found = await memory.readBy(roleArn);
      return found.reads.length > 0 ? found : undefined;
    });
    expect(evidence).toMatchObject({
      since: expect.any(String),
      until: expect.any(String),
      reads: [{ secret: '/test/orders', time: expect.any(String) }],
    });
  });
});

describe('its memory in DynamoDB', () => {
  trailMemoryContract(
    () => new DynamoTrailMemory(new DynamoDBClient(cloud.clientOptions()), named('AttributionMemory')),
  );
});
