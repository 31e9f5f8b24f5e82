import { Metrics } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import type { BrakeState } from '../../../core/brake.ts';
import { rotationHandler } from '../../../lambdas/functions/rotation.ts';
import { rotator as postgresql } from '../../../rotators/postgresql/rotator.ts';

const environment = {
  REKEY_ENVIRONMENT: 'test',
  REKEY_EVENT_BUS: 'rekey-test',
  REKEY_AUDIT_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/audit',
  REKEY_STRATEGY: 'single-user',
  REKEY_BRAKE: 'rotation',
  REKEY_BRAKE_AFTER: '2',
  REKEY_CODE: 'code',
  POWERTOOLS_SERVICE_NAME: 'rotation',
  POWERTOOLS_DEV: 'true',
  POWERTOOLS_TRACE_ENABLED: 'false',
  POWERTOOLS_METRICS_DISABLED: 'true',
  AWS_REGION: 'eu-central-1',
};
const before = { ...process.env };
const context = {
  functionName: 'rotation-fn',
  awsRequestId: 'request',
  getRemainingTimeInMillis: () => 1_000,
} as Context;
const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const proven: BrakeState = { code: 'code', functionName: 'rotation-fn', proven: true, failed: [] };

beforeEach(() => {
  Object.assign(process.env, environment);
  for (const level of ['error', 'warn', 'info'] as const) {
    jest.spyOn(console, level).mockImplementation(() => undefined);
  }
});
afterEach(() => {
  process.env = { ...before };
  jest.restoreAllMocks();
});

/** A function with its brake in such a state, of secrets whose current value holds no credential unless it is given. */
function deployed(state: BrakeState | 'denied', value = '{}') {
  const ssm = mockClient(SSMClient);
  const stored = new Map<string, string>();
  if (state === 'denied') {
    ssm.rejects(Object.assign(new Error('denied'), { name: 'AccessDeniedException', $metadata: {} }));
  } else {
    stored.set('/rekey/test/brakes/rotation/1', JSON.stringify(state));
    ssm.on(GetParametersByPathCommand).callsFake(async () => ({
      Parameters: [...stored].map(([Name, Value]) => ({ Name, Value })),
    }));
    ssm.on(PutParameterCommand).callsFake(async ({ Name, Value }) => {
      stored.set(Name, Value);
      return {};
    });
  }
  const published: { type: string; data: Record<string, unknown> }[] = [];
  mockClient(EventBridgeClient)
    .on(PutEventsCommand)
    .callsFake(async ({ Entries }) => {
      for (const { DetailType, Detail } of Entries) {
        published.push({ type: DetailType, data: JSON.parse(Detail).data });
      }
      return { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: '1' })) };
    });
  const secrets = mockClient(SecretsManagerClient);
  secrets.on(DescribeSecretCommand).callsFake(async ({ SecretId }) => ({
    ARN: SecretId,
    Name: SecretId.split(':')[6],
    RotationEnabled: true,
    VersionIdsToStages: { first: ['AWSCURRENT'], next: ['AWSPENDING'] },
  }));
  secrets
    .on(GetSecretValueCommand)
    .callsFake(async ({ SecretId, VersionId }) =>
      VersionId === 'first'
        ? { ARN: SecretId, VersionId, SecretString: value }
        : Promise.reject(
            Object.assign(new Error('none'), { name: 'ResourceNotFoundException', $metadata: {} }),
          ),
    );
  secrets.on(ListSecretVersionIdsCommand).resolves({ Versions: [] });
  secrets.on(PutSecretValueCommand).resolves({ VersionId: 'next' });
  secrets.on(UpdateSecretVersionStageCommand).resolves({});
  const counted = jest.spyOn(Metrics.prototype, 'addMetric');
  const handler = rotationHandler(postgresql);
  const run = (Step: string, name: string, well: string) =>
    handler({ Step, SecretId: arn(name), ClientRequestToken: 'next' }, context).then(
      () => well,
      (error: Error) => error.name,
    );
  const create = (name: string) => run('createSecret', name, 'begun');
  const finish = (name: string) => run('finishSecret', name, 'done');
  const metrics = () => counted.mock.calls.map(([name]) => name);
  return { create, finish, published, secrets, metrics, stored };
}

test('the failure that is one too many is recorded and alarms, and the next secret is refused before anything is stored', async () => {
  const { create, published, secrets, metrics } = deployed(proven);
  expect(await create('a')).toBe('SecretValueInvalid');
  expect(metrics()).not.toContain('RotationBraked');
  expect(await create('b')).toBe('SecretValueInvalid');
  expect(metrics()).toContain('RotationBraked');
  expect(published.filter(({ type }) => type === 'Rotation Function Braked').map(({ data }) => data)).toEqual(
    [{ functionName: 'rotation-fn', failedSecrets: ['a-AbCdEf', 'b-AbCdEf'] }],
  );
  const failures = metrics().filter((name) => name === 'RotationFailed').length;
  expect(await create('c')).toBe('RotationBraked');
  expect(metrics().filter((name) => name === 'RotationFailed')).toHaveLength(failures);
  expect(metrics().filter((name) => name === 'RotationBraked')).toHaveLength(2);
  expect(secrets.commandCalls(PutSecretValueCommand)).toEqual([]);
  const removed = secrets.commandCalls(UpdateSecretVersionStageCommand).map(({ args: [{ input }] }) => input);
  expect(removed).toEqual([
    expect.objectContaining({ SecretId: arn('c'), VersionStage: 'AWSPENDING', RemoveFromVersionId: 'next' }),
  ]);
});

test('the end of the canary lets the others begin', async () => {
  const until = new Date(Date.now() + 60_000).toISOString();
  const running = { ...proven, proven: false, canary: { secret: 'a-AbCdEf', token: 'next', until } };
  const { finish, secrets, stored } = deployed(running, '{"username":"app","password":"the next one"}');
  const VersionIdsToStages = { first: ['AWSPREVIOUS'], next: ['AWSCURRENT', 'AWSPENDING'] };
  secrets
    .on(DescribeSecretCommand)
    .resolves({ ARN: arn('a'), Name: 'a', RotationEnabled: true, VersionIdsToStages });
  secrets.on(GetSecretValueCommand).resolves({ ARN: arn('a'), VersionId: 'next', SecretString: '{}' });
  expect(await finish('a')).toBe('done');
  expect(JSON.parse(stored.get('/rekey/test/brakes/rotation/2') ?? '{}')).toEqual(proven);
});

test('what is asked about a secret that the function may not look at, or in another form, counts for nothing', async () => {
  const { create, secrets, stored } = deployed(proven);
  secrets
    .on(DescribeSecretCommand)
    .rejects(Object.assign(new Error('no'), { name: 'AccessDeniedException', $metadata: {} }));
  for (const name of ['a', 'b', 'c']) expect(await create(name)).toBe('SecretAccessDenied');
  expect([...stored.keys()]).toEqual(['/rekey/test/brakes/rotation/1']);
});

test('a brake that cannot be asked holds nothing up, and a finding says so', async () => {
  const credential = { engine: 'postgres', host: 'db', username: 'app', password: 'the first one' };
  const { create, published, secrets } = deployed('denied', JSON.stringify(credential));
  expect(await create('a')).toBe('begun');
  expect(secrets.commandCalls(PutSecretValueCommand)).toHaveLength(1);
  expect(published.find(({ data }) => data.code === 'BrakeUnreachable')?.data).toMatchObject({
    secretArn: arn('a'),
    message: expect.stringContaining('AccessDenied'),
  });
});

test('a function without a brake asks nobody', async () => {
  for (const name of ['REKEY_BRAKE', 'REKEY_BRAKE_AFTER', 'REKEY_CODE']) delete process.env[name];
  const { create, published } = deployed('denied');
  for (const name of ['a', 'b', 'c']) expect(await create(name)).toBe('SecretValueInvalid');
  expect(new Set(published.map(({ type }) => type))).toEqual(new Set(['Secret Rotation Failed']));
});
