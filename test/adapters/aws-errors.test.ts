import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { ListObjectsV2Command, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { ExecutionLimitExceeded, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { QueueDoesNotExist, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, InternalServerError, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { AuditQueue } from '../../adapters/audit-queue.ts';
import { S3AuditStore } from '../../adapters/audit-store.ts';
import { RdsDirectory } from '../../adapters/database-directory.ts';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { EventBridgeBus } from '../../adapters/event-bus.ts';
import { StepFunctionsStarter } from '../../adapters/revocation-starter.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import type { ErrorCode } from '../../core/errors/codes.ts';
import { createEvent } from '../../core/events/create.ts';
import { answer, expectFailure, failureOf, network, region, unmodelled } from './answers.ts';

const mocks = {
  ssm: mockClient(SSMClient),
  s3: mockClient(S3Client),
  bus: mockClient(EventBridgeClient),
  sqs: mockClient(SQSClient),
  sfn: mockClient(SFNClient),
  rds: mockClient(RDSClient),
};
afterEach(() => {
  for (const mock of Object.values(mocks)) mock.reset();
});

describe('what the other services answer', () => {
  const event = createEvent(
    {
      source: 'rekey.rotation',
      environment: 'test',
      actor: 'lambda:test',
      clock: systemClock,
      random: systemRandom,
    },
    'Finding Raised',
    { secretArn: 'arn', code: 'LoginRestored', severity: 'low', message: 'text' },
    { correlationId: 'c', fact: 'f' },
  );
  const bus = new EventBridgeBus(new EventBridgeClient(region), 'rekey-test');
  const queue = new AuditQueue('https://sqs.eu-central-1.amazonaws.com/111122223333/audit', region);
  const audit = new S3AuditStore(new S3Client(region), 'audit-bucket');
  const s3Error = (name: string, status: number) =>
    new S3ServiceException({ name, $fault: 'client', ...answer(status) });

  test.each<[string, Error, ErrorCode, RegExp]>([
    [
      'an endpoint policy denies',
      unmodelled('AccessDeniedException', 400, 'because no VPC endpoint policy allows it'),
      'AuditRefused',
      /no VPC endpoint policy allows it/,
    ],
    ['throttling', unmodelled('ThrottlingException', 400), 'AuditUnavailable', /ThrottlingException/],
    ['no way there', network('ENOTFOUND'), 'AuditUnavailable', /ENOTFOUND.*NAT gateway/],
    ['what it is, nobody knows', new Error('hunter2'), 'AuditUnavailable', /check the way there/],
  ])('EventBridge, for a record: %s', async (_, error, code, text) => {
    mocks.bus.on(PutEventsCommand).rejects(error);
    expectFailure(await failureOf(bus.publish([event])), code, text);
  });

  test.each<[string, ErrorCode]>([
    ['InternalFailure', 'AuditUnavailable'],
    ['ThrottlingException', 'AuditUnavailable'],
    ['AccessDeniedException', 'AuditRefused'],
    ['NotAuthorizedForSourceException', 'AuditRefused'],
    ['MalformedDetail', 'AuditRefused'],
    ['SomethingNew', 'AuditUnavailable'],
  ])('EventBridge, for one entry: %s', async (ErrorCode, code) => {
    mocks.bus.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode }] });
    expectFailure(await failureOf(bus.publish([event])), code, ErrorCode);
  });

  test('SQS, for a call and for one entry', async () => {
    mocks.sqs.on(SendMessageBatchCommand).rejects(new QueueDoesNotExist(answer(400)));
    expectFailure(await failureOf(queue.publish([event])), 'AuditRefused', /QueueDoesNotExist/);
    const failed = { Id: '0', SenderFault: true };
    for (const [Code, code] of [
      ['KmsDisabled', 'AuditRefused'],
      ['InternalError', 'AuditUnavailable'],
    ] as const) {
      mocks.sqs.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [{ ...failed, Code }] });
      expectFailure(await failureOf(queue.publish([event])), code, Code);
    }
  });

  test('S3, for the audit log', async () => {
    mocks.s3.on(PutObjectCommand).rejects(s3Error('KMS.DisabledException', 400));
    expectFailure(await failureOf(audit.put('k', new Uint8Array())), 'AuditKeyUnusable', /audit-bucket/);
    mocks.s3.on(PutObjectCommand).rejects(s3Error('SlowDown', 503));
    expectFailure(await failureOf(audit.put('k', new Uint8Array())), 'Throttled', /s3:PutObject/);
    mocks.s3.on(ListObjectsV2Command).rejects(s3Error('NoSuchBucket', 404));
    expectFailure(await failureOf(audit.list('k', 1)), 'ResourceMissing', /s3:ListBucket on audit-bucket/);
  });

  test('Systems Manager, Step Functions, RDS', async () => {
    const definitions = new SsmDefinitionStore(new SSMClient(region), 'test');
    mocks.ssm.on(GetParameterCommand).rejects(new InternalServerError(answer(500)));
    expectFailure(
      await failureOf(definitions.find('orders')),
      'ServiceUnavailable',
      /ssm:GetParameter on \/rekey\/test/,
    );
    const starter = new StepFunctionsStarter(new SFNClient(region), 'arn:aws:states:r:a:stateMachine:w');
    mocks.sfn.on(StartExecutionCommand).rejects(new ExecutionLimitExceeded(answer(400)));
    expectFailure(await failureOf(starter.start('n', '{}')), 'Throttled', /states:StartExecution/);
    mocks.rds.on(DescribeDBInstancesCommand).rejects(network('ETIMEDOUT'));
    expectFailure(
      await failureOf(new RdsDirectory(region).locate('arn:aws:rds:r:a:db:x')),
      'Unreachable',
      /rds:DescribeDBInstances/,
    );
  });
});
