import { Metrics } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { metrics } from '../../../core/deployed/names.ts';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import { rotationHandler } from '../../../lambdas/functions/rotation.ts';
import { rotator as postgresql } from '../../../rotators/postgresql/rotator.ts';

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
  mockClient(SQSClient)
    .on(SendMessageBatchCommand)
    .rejects(Object.assign(new Error('slow down'), { name: 'ThrottlingException', $metadata: {} }));
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

describe('the record of the start', () => {
  const begin = async ({ bus, queue, token }: { bus: boolean; queue: boolean; token: string }) => {
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    jest.spyOn(console, 'info').mockImplementation(() => undefined);
    const denied = () => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $metadata: {} });
    const events = mockClient(EventBridgeClient).on(PutEventsCommand);
    if (bus) events.resolves({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
    else events.rejects(denied());
    const messages = mockClient(SQSClient);
    if (queue) messages.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [] });
    else messages.on(SendMessageBatchCommand).rejects(denied());
    const credential = { engine: 'postgres', host: 'db', username: 'app', password: 'the first one' };
    const secretsManager = mockClient(SecretsManagerClient);
    secretsManager.on(DescribeSecretCommand).resolves({
      ARN: secret,
      Name: 'orders',
      RotationEnabled: true,
      VersionIdsToStages: { first: ['AWSCURRENT'], [token]: ['AWSPENDING'] },
    });
    secretsManager
      .on(GetSecretValueCommand)
      .resolves({ ARN: secret, VersionId: 'first', SecretString: JSON.stringify(credential) });
    secretsManager.on(ListSecretVersionIdsCommand).resolves({ Versions: [] });
    secretsManager.on(PutSecretValueCommand).resolves({ ARN: secret, VersionId: token });
    const step = { ...event(token), Step: 'createSecret' };
    const error: unknown = await rotationHandler(postgresql)(step, context).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    return {
      code: error === undefined ? 'begun' : Reflect.get(Object(error), 'name'),
      stored: secretsManager.commandCalls(PutSecretValueCommand).length,
      queued: messages.commandCalls(SendMessageBatchCommand).length,
    };
  };
  const ordinary = 'a3bb189e-8bf9-4c1a-9f0a-2f3c5a1d7e10';
  const urgent = revocationToken('request', secret);

  test.each([
    ['an ordinary rotation begins when the bus takes it', ordinary, true, true, 'begun', 0],
    ['or when the audit queue does', ordinary, false, true, 'begun', 1],
    ['and not at all when neither does, of which it leaves word', ordinary, false, false, 'AuditRefused', 2],
    ['that of a revocation begins when the bus takes it', urgent, true, false, 'begun', 0],
    ['when the audit queue does', urgent, false, true, 'begun', 1],
    [
      'and when neither does, since an emergency does not wait for its record',
      urgent,
      false,
      false,
      'begun',
      1,
    ],
  ])('%s', async (_name, token, bus, queue, code, queued) => {
    const outcome = await begin({ token, bus, queue });
    expect(outcome).toEqual({ code, queued, stored: code === 'begun' ? 1 : 0 });
  });
});
