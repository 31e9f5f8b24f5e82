import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { S3AuditStore } from '../../adapters/audit-store.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { logLines } from './support/logs.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';
import { zipOf } from './support/zip.ts';

const arn = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
const receives = 3;

let directory: string;
let cloud: LocalCloud;
let stack: TestStack;
let kms: KMSClient;
let sqs: SQSClient;
let store: S3AuditStore;

/** The real audit writer, on a queue that gives a message up after three receives instead of sixty. */
beforeAll(async () => {
  directory = await newFolder('audit-writer');
  cloud = await startCloud({ directory });
  kms = new KMSClient(cloud.clientOptions());
  sqs = new SQSClient(cloud.clientOptions());
  const seconds = 5;
  stack = await deployStack(cloud, 'audit-writer', {
    Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Statement: [allowRoot()] } } },
    Bucket: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'audit',
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn('Key') } },
          ],
        },
      },
    },
    Dead: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        FifoQueue: true,
        ContentBasedDeduplication: true,
        VisibilityTimeout: seconds,
        RedrivePolicy: { deadLetterTargetArn: arn('Dead'), maxReceiveCount: receives },
      },
    },
    Role: role('lambda.amazonaws.com', [allow('s3:*'), allow('sqs:*'), allow('kms:*'), allow('logs:*')]),
    Writer: nodeFunction('exports.handler = async () => {};', 'Role', {
      Timeout: seconds,
      Environment: { Variables: { REKEY_ENVIRONMENT: 'test', REKEY_AUDIT_BUCKET: 'audit' } },
    }),
  });
  const bundle = await build({
    entryPoints: [fileURLToPath(import.meta.resolve('../../lambdas/functions/audit-writer.handler.ts'))],
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
  });
  const ZipFile = zipOf('index.js', bundle.outputFiles[0]?.text ?? '');
  const FunctionName = stack.outputs.WriterRef ?? '';
  await new LambdaClient(cloud.clientOptions()).send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile }),
  );
  await deployStack(cloud, 'audit-source', {
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: stack.outputs.QueueArn, FunctionName, BatchSize: 10 },
    },
  });
  store = new S3AuditStore(new S3Client({ ...cloud.clientOptions(), forcePathStyle: true }), 'audit');
});

afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true });
});

function allowRoot() {
  return { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' };
}

const send = async (id: string) =>
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: stack.outputs.QueueRef,
      MessageGroupId: 'audit',
      MessageBody: JSON.stringify({
        version: '0',
        id,
        'detail-type': 'Written',
        source: 'rekey.test',
        account: cloud.accountId,
        time: '2026-01-01T00:00:00Z',
        region: cloud.region,
        resources: [],
        detail: { id },
      }),
    }),
  );

async function recorded(): Promise<string[]> {
  const ids: string[] = [];
  for await (const version of store.versions()) {
    const lines = Buffer.from(await store.read(version))
      .toString()
      .trim()
      .split('\n');
    ids.push(...lines.map((line) => JSON.parse(line).event.id as string));
  }
  return ids;
}

const written = async (...ids: string[]) =>
  await eventually(
    `records ${ids}`,
    async () => {
      const found = await recorded();
      return ids.every((id) => found.includes(id)) ? found : undefined;
    },
    40_000,
  );

const failures = async () =>
  (await logLines(cloud, `/aws/lambda/${stack.outputs.WriterRef}`, 'AuditKeyUnusable')).filter((line) =>
    line.includes('"ERROR"'),
  ).length;

const failed = async (times: number) =>
  await eventually(`${times} failures of the writer`, async () => (await failures()) >= times);

test('with its key disabled the writer loses no record: it retries, then the dead letters hold them', async () => {
  const KeyId = stack.outputs.KeyArn ?? '';
  await send('before');
  expect(await written('before')).toEqual(['before']);

  // Enabled again before the retries end, the record is written by itself.
  await kms.send(new DisableKeyCommand({ KeyId }));
  await send('delayed');
  await failed(1);
  await kms.send(new EnableKeyCommand({ KeyId }));
  expect(await written('before', 'delayed')).toEqual(['before', 'delayed']);

  // For longer than the retries last, it ends in the dead letters, and goes on from there once the key is back.
  const before = await failures();
  await kms.send(new DisableKeyCommand({ KeyId }));
  await send('dead');
  await failed(before + receives);
  const letter = await eventually(
    'the dead letter',
    async () => {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: stack.outputs.DeadRef }));
      return Messages?.[0];
    },
    40_000,
  );
  await kms.send(new EnableKeyCommand({ KeyId }));
  expect(await recorded()).toEqual(['before', 'delayed']);
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: stack.outputs.QueueRef,
      MessageGroupId: 'audit',
      MessageDeduplicationId: 'redriven',
      MessageBody: letter.Body,
    }),
  );
  expect(await written('dead')).toEqual(['before', 'delayed', 'dead']);
});
