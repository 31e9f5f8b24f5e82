import { Metrics } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { metrics } from '../../core/names.ts';
import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { postgresql } from '../../rotators/postgresql/rotator.ts';

const environment = {
  REKEY_ENVIRONMENT: 'test',
  REKEY_EVENT_BUS: 'rekey-test',
  REKEY_AUDIT_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/audit',
  REKEY_STRATEGY: 'single-user',
  POWERTOOLS_SERVICE_NAME: 'rotation',
  // Lines go to the console of this process, where the test sees them.
  POWERTOOLS_DEV: 'true',
  POWERTOOLS_TRACE_ENABLED: 'false',
  POWERTOOLS_METRICS_DISABLED: 'true',
  AWS_REGION: 'eu-central-1',
};
const before = { ...process.env };
const context = {
  functionName: 'rotation',
  awsRequestId: 'request',
  getRemainingTimeInMillis: () => 1_000,
} as Context;
const secret = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf';
const event = (token: string) => ({ Step: 'testSecret', SecretId: secret, ClientRequestToken: token });

beforeEach(() => {
  Object.assign(process.env, environment);
});
afterEach(() => {
  process.env = { ...before };
  jest.restoreAllMocks();
});

test('a failed step is one ERROR line that names secret, step, version, code and reason, and nothing of another step', async () => {
  const lines: Record<string, unknown>[] = [];
  jest.spyOn(console, 'error').mockImplementation((line) => {
    lines.push(JSON.parse(String(line)));
  });
  mockClient(EventBridgeClient)
    .on(PutEventsCommand)
    .resolves({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
  mockClient(SecretsManagerClient)
    .on(DescribeSecretCommand)
    .resolves({
      ARN: secret,
      Name: 'orders',
      RotationEnabled: true,
      VersionIdsToStages: { 'version-1': ['AWSPREVIOUS'] },
    });
  const handler = rotationHandler(postgresql);

  await expect(handler(event('version-1'), context)).rejects.toMatchObject({ name: 'VersionNotPending' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: 'ERROR',
    message: 'failed',
    secret,
    step: 'testSecret',
    versionId: 'version-1',
    code: 'VersionNotPending',
    reason: expect.stringContaining('version version-1 of orders is not labelled AWSPENDING'),
    retryable: false,
  });

  await expect(handler({ hunter2: 'hunter2' }, context)).rejects.toMatchObject({
    name: 'RotationEventInvalid',
  });
  expect(lines).toHaveLength(2);
  expect(lines[1]).not.toHaveProperty('versionId');
  expect(JSON.stringify(lines[1])).not.toContain('hunter2');
});

test('a failure that may pass is an ERROR line like any other, and counted only when it lasts', async () => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const counted = jest.spyOn(Metrics.prototype, 'addMetric');
  mockClient(EventBridgeClient)
    .on(PutEventsCommand)
    .resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] });
  const secretsManager = mockClient(SecretsManagerClient);
  const VersionIdsToStages = { first: ['AWSCURRENT'], next: ['AWSPENDING'] };
  secretsManager
    .on(DescribeSecretCommand)
    .resolves({ ARN: secret, Name: 'orders', RotationEnabled: true, VersionIdsToStages });
  const credential = { engine: 'postgres', host: 'db', username: 'app', password: 'the first one' };
  secretsManager
    .on(GetSecretValueCommand)
    .resolves({ ARN: secret, VersionId: 'first', SecretString: JSON.stringify(credential) });
  mockClient(SQSClient).on(SendMessageCommand).resolves({});
  const handler = rotationHandler(postgresql);
  const failures = async (begun: Date) => {
    counted.mockClear();
    secretsManager
      .on(ListSecretVersionIdsCommand)
      .resolves({ Versions: [{ VersionId: 'next', VersionStages: ['AWSPENDING'], CreatedDate: begun }] });
    const step = { ...event('next'), Step: 'createSecret' };
    await expect(handler(step, context)).rejects.toMatchObject({ name: 'AuditUnavailable' });
    return counted.mock.calls.filter(([name]) => name === metrics.rotationFailed).length;
  };
  expect(await failures(new Date())).toBe(0);
  expect(await failures(new Date(Date.now() - 3_600_000))).toBe(1);
});
