import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, paginateListTables, paginateScan } from '@aws-sdk/client-dynamodb';
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  paginateListSecrets,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { paginateGetExecutionHistory, paginateListExecutions, SFNClient } from '@aws-sdk/client-sfn';
import { ListQueuesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { paginateGetParametersByPath, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import type { World } from './world.ts';

/** How a password could be written without being recognised at a glance. */
const disguises = (password: string): string[] => [
  ...new Set([
    password,
    JSON.stringify(password).slice(1, -1),
    JSON.stringify(JSON.stringify(password).slice(1, -1)).slice(1, -1),
    encodeURIComponent(password),
    Buffer.from(password).toString('base64'),
    Buffer.from(password).toString('hex'),
    // A bare hash is guessed at leisure.
    ...(['hex', 'base64', 'base64url'] as const).map((encoding) =>
      createHash('sha256').update(password).digest(encoding),
    ),
  ]),
];

/** Everything that was written anywhere while the other sections ran, by place. */
async function everythingWritten(world: World): Promise<Map<string, string>> {
  const { cloud, credentials } = world;
  const options = cloud.clientOptions(credentials.administrator);
  const places = new Map<string, string>();
  const collect = async (place: string, pages: AsyncIterable<unknown>): Promise<void> => {
    let text = '';
    for await (const page of pages) {
      text += JSON.stringify(page);
    }
    places.set(place, text);
  };

  const logs = new CloudWatchLogsClient(options);
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client: logs }, {})) {
    for (const { logGroupName = '' } of logGroups) {
      await collect(`log group ${logGroupName}`, paginateFilterLogEvents({ client: logs }, { logGroupName }));
    }
  }
  const states = new SFNClient(options);
  const stateMachineArn = await world.parameter('revocationWorkflowArn');
  for await (const { executions = [] } of paginateListExecutions({ client: states }, { stateMachineArn })) {
    for (const { executionArn = '' } of executions) {
      await collect(
        `history of ${executionArn}`,
        paginateGetExecutionHistory({ client: states }, { executionArn }),
      );
    }
  }
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const Bucket = await world.parameter('auditBucket');
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket })) {
    for (const { Key = '' } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      places.set(`audit record ${Key}`, (await Body?.transformToString()) ?? '');
    }
  }
  const queues = new SQSClient(options);
  for (const QueueUrl of (await queues.send(new ListQueuesCommand({}))).QueueUrls ?? []) {
    const { Messages = [] } = await queues.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
    );
    places.set(`queue ${QueueUrl}`, JSON.stringify(Messages));
  }
  const tables = new DynamoDBClient(options);
  for await (const { TableNames = [] } of paginateListTables({ client: tables }, {})) {
    for (const TableName of TableNames) {
      await collect(`table ${TableName}`, paginateScan({ client: tables }, { TableName }));
    }
  }
  await collect('functions', paginateListFunctions({ client: new LambdaClient(options) }, {}));
  await collect(
    'parameters',
    paginateGetParametersByPath({ client: new SSMClient(options) }, { Path: '/', Recursive: true }),
  );
  places.set('metrics', JSON.stringify(await new CloudWatchClient(options).send(new ListMetricsCommand({}))));
  places.set("PostgreSQL's log", await readFile(world.postgres.logFile, 'utf8'));
  places.set('the log of the local cloud', await readFile(cloud.logFile, 'utf8'));
  places.set('what the CLI printed', world.printed.join('\n'));
  const output = join(cloud.directory, '..', 'cdk.out');
  for (const file of (await readdir(output)).filter((name) => name.endsWith('.json'))) {
    places.set(`cloud assembly ${file}`, await readFile(join(output, file), 'utf8'));
  }
  return places;
}

/** Every password that any version of any secret holds or has held, as far as it is kept. */
async function everyPassword({ cloud, credentials, participants }: World): Promise<string[]> {
  const secrets = new SecretsManagerClient(cloud.clientOptions(credentials.administrator));
  const passwords = new Set<string>();
  for await (const { SecretList = [] } of paginateListSecrets({ client: secrets }, {})) {
    for (const { ARN = '', Name = '' } of SecretList) {
      const participant = participants.find(({ secret }) => secret === Name);
      const { Versions = [] } = await secrets.send(
        new ListSecretVersionIdsCommand({ SecretId: ARN, IncludeDeprecated: true }),
      );
      for (const { VersionId } of Versions) {
        const version = await secrets
          .send(new GetSecretValueCommand({ SecretId: ARN, VersionId }))
          .catch(() => undefined);
        const json = JSON.parse(version?.SecretString ?? '{}');
        for (const value of [json.password, version && participant?.secretOf(json)]) {
          if (typeof value === 'string') {
            passwords.add(value);
          }
        }
      }
    }
  }
  return [...passwords];
}

/** Runs last: whatever the other sections did, no password is anywhere but in Secrets Manager and the target. */
export function sentinel(world: () => World): void {
  describe('the sentinel', () => {
    test('finds no password in any log, record, history, queue, metric, parameter, template or output', async () => {
      const [places, passwords] = [await everythingWritten(world()), await everyPassword(world())];
      expect(passwords.length).toBeGreaterThan(10);
      const leaks = [...places].flatMap(([place, text]) =>
        passwords.some((password) => disguises(password).some((disguise) => text.includes(disguise)))
          ? [place]
          : [],
      );
      expect(leaks).toEqual([]);
      // What was searched is what was written: names that are no secret stand in it.
      const has = (part: string, name: string) =>
        [...places].some(([place, text]) => place.includes(part) && text.includes(name));
      expect(has("PostgreSQL's log", 'orders_app')).toBe(true);
      expect(has('audit record', '/dev/orders')).toBe(true);
      expect(has('history of', '/dev/orders')).toBe(true);
      expect(has('log group', 'setSecret')).toBe(true);
      expect(has('what the CLI printed', '/dev/orders')).toBe(true);
      expect(has('table', '/dev/orders')).toBe(true);
      expect(has('functions', 'REKEY_STRATEGY')).toBe(true);
      expect(has('cloud assembly', 'orders_app')).toBe(true);
    });
  });
}
