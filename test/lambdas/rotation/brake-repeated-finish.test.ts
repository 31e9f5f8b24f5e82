import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect, jest, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import type { BrakeState } from '../../../core/brake.ts';
import { rotationHandler } from '../../../lambdas/functions/rotation.ts';
import { rotator as postgresql } from '../../../rotators/postgresql/rotator.ts';

Object.assign(process.env, {
  REKEY_ENVIRONMENT: 'test',
  REKEY_EVENT_BUS: 'rekey-test',
  REKEY_AUDIT_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/audit',
  REKEY_STRATEGY: 'single-user',
  REKEY_BRAKE: 'rotation',
  REKEY_BRAKE_AFTER: '5',
  REKEY_CODE: 'code',
  POWERTOOLS_SERVICE_NAME: 'rotation',
  POWERTOOLS_DEV: 'true',
  POWERTOOLS_TRACE_ENABLED: 'false',
  POWERTOOLS_METRICS_DISABLED: 'true',
  AWS_REGION: 'eu-central-1',
});
const context = {
  functionName: 'rotation-fn',
  awsRequestId: 'request',
  getRemainingTimeInMillis: () => 1_000,
} as Context;

/**
 * Secrets Manager repeats a step, and who may start rotations may invoke the function: the last step of a version that is
 * current for weeks finds nothing to do, and is no rotation that has succeeded.
 */
test('finishSecret of a version that has long been current ends no row of failures', async () => {
  for (const level of ['error', 'warn', 'info'] as const)
    jest.spyOn(console, level).mockImplementation(() => undefined);
  const failed = ['a-AbCdEf', 'b-AbCdEf', 'c-AbCdEf', 'd-AbCdEf'];
  const state: BrakeState = { code: 'code', functionName: 'rotation-fn', proven: true, failed };
  const stored = new Map([['/rekey/test/brakes/rotation/1', JSON.stringify(state)]]);
  const ssm = mockClient(SSMClient);
  ssm.on(GetParametersByPathCommand).callsFake(async () => ({
    Parameters: [...stored].map(([Name, Value]) => ({ Name, Value })),
  }));
  ssm.on(PutParameterCommand).callsFake(async ({ Name, Value }) => {
    stored.set(Name, Value);
    return {};
  });
  mockClient(EventBridgeClient)
    .on(PutEventsCommand)
    .resolves({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
  const secrets = mockClient(SecretsManagerClient);
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf';
  secrets.on(DescribeSecretCommand).resolves({
    ARN: arn,
    Name: 'orders',
    RotationEnabled: true,
    VersionIdsToStages: { old: ['AWSPREVIOUS'], current: ['AWSCURRENT'] },
    LastRotatedDate: new Date('2026-01-01'),
  });
  secrets.on(GetSecretValueCommand).resolves({
    ARN: arn,
    VersionId: 'current',
    CreatedDate: new Date('2026-02-01'),
    SecretString: JSON.stringify({ engine: 'postgres', host: 'h', username: 'u', password: 'p' }),
  });
  await rotationHandler(postgresql)(
    { Step: 'finishSecret', SecretId: arn, ClientRequestToken: 'current' },
    context,
  );
  const newest = JSON.parse([...stored.values()].at(-1) ?? '') as BrakeState;
  expect(newest.failed).toEqual(failed);
});
