import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, ListRulesCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DescribeParametersCommand, GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { S3AuditObjects } from '../../adapters/operator/audit-objects.ts';
import { EventBridgeRules } from '../../adapters/operator/bus-rules.ts';
import { failedCall, traceCalls } from '../../adapters/operator/call-trace.ts';
import { SsmDeployments } from '../../adapters/operator/deployment.ts';
import { CloudWatchLogs } from '../../adapters/operator/function-logs.ts';
import { LambdaFunctions } from '../../adapters/operator/function-state.ts';
import { callerIdentity } from '../../adapters/operator/identity.ts';
import { SqsQueues } from '../../adapters/operator/queue-depth.ts';
import { StepFunctionsWorkflows } from '../../adapters/operator/workflows.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { explain } from '../../cli/failure.ts';

const region = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
const named = (name: string, message = name) => Object.assign(new Error(message), { name });

describe('deployments', () => {
  test('finds environments over all pages', async () => {
    const client = new SSMClient(region);
    mockClient(client)
      .on(DescribeParametersCommand)
      .resolvesOnce({ Parameters: [{ Name: '/rekey/prod/deployment/event-bus' }], NextToken: 'more' })
      .resolvesOnce({
        Parameters: [{ Name: '/rekey/dev/deployment/event-bus' }, { Name: '/other/x/deployment/event-bus' }],
      });
    expect(await new SsmDeployments(client).environments()).toEqual(['dev', 'prod']);
  });

  test('reads facts over all pages and leaves out what it does not know', async () => {
    const client = new SSMClient(region);
    const mock = mockClient(client);
    mock
      .on(GetParametersByPathCommand)
      .resolvesOnce({
        Parameters: [{ Name: '/rekey/dev/deployment/audit-bucket', Value: 'bucket' }],
        NextToken: 'more',
      })
      .resolvesOnce({
        Parameters: [
          { Name: '/rekey/dev/deployment/event-bus', Value: 'rekey-dev' },
          { Name: '/rekey/dev/deployment/else', Value: 'x' },
        ],
      });
    expect(await new SsmDeployments(client).facts('dev')).toEqual({
      auditBucket: 'bucket',
      eventBus: 'rekey-dev',
    });
    expect(mock.commandCalls(GetParametersByPathCommand)[1]?.args[0].input).toMatchObject({
      Path: '/rekey/dev/deployment',
      NextToken: 'more',
    });
  });
});

test('networks that were made, by their stacks', async () => {
  const client = new SSMClient(region);
  mockClient(client)
    .on(GetParametersByPathCommand)
    .resolves({
      Parameters: [
        { Name: '/rekey/dev/deployment/event-bus', Value: 'rekey-dev' },
        { Name: '/rekey/dev/deployment/network-orders-1f', Value: 'sg-1' },
      ],
    });
  expect(await new SsmDeployments(client).networks('dev')).toEqual([
    { stack: 'rekey-dev-network-orders-1f', securityGroup: 'sg-1' },
  ]);
});

test('identity', async () => {
  const client = new STSClient(region);
  mockClient(client).on(GetCallerIdentityCommand).resolves({ Account: '111122223333', Arn: 'arn:ada' });
  expect(await callerIdentity(client)).toEqual({ account: '111122223333', arn: 'arn:ada' });
});

test('queue depths', async () => {
  const client = new SQSClient(region);
  mockClient(client)
    .on(GetQueueAttributesCommand)
    .resolves({
      Attributes: { ApproximateNumberOfMessages: '3', ApproximateNumberOfMessagesNotVisible: '2' },
    });
  expect(await new SqsQueues(client).depth('https://queue')).toEqual({ visible: 3, inFlight: 2, delayed: 0 });
});

describe('bus', () => {
  test('rules, without those that AWS manages', async () => {
    const client = new EventBridgeClient(region);
    mockClient(client)
      .on(ListRulesCommand)
      .resolvesOnce({
        Rules: [
          { Name: 'a', State: 'ENABLED' },
          { Name: 'm', ManagedBy: 'x' },
        ],
        NextToken: 'more',
      })
      .resolvesOnce({ Rules: [{ Name: 'b', State: 'DISABLED' }] });
    expect(await new EventBridgeRules(client).list('bus')).toEqual([
      { name: 'a', enabled: true },
      { name: 'b', enabled: false },
    ]);
  });

  test('the trial event cannot be delivered: its detail is not JSON', async () => {
    const client = new EventBridgeClient(region);
    const mock = mockClient(client);
    mock.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'MalformedDetail' }] });
    await new EventBridgeRules(client).tryPublish('bus', 'rekey.cli', 'Secret Revocation Requested');
    const [entry] = mock.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries ?? [];
    expect(entry).toMatchObject({
      Source: 'rekey.cli',
      DetailType: 'Secret Revocation Requested',
      EventBusName: 'bus',
    });
    expect(() => JSON.parse(entry?.Detail ?? '')).toThrow();
  });

  test.each([
    'NotAuthorizedForSourceException',
    'NotAuthorizedForDetailTypeException',
    'AccessDeniedException',
  ])('%s for the entry is a denial', async (ErrorCode) => {
    const client = new EventBridgeClient(region);
    mockClient(client)
      .on(PutEventsCommand)
      .resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode }] });
    const trial = new EventBridgeRules(client).tryPublish('bus', 'rekey.cli', 'x');
    await expect(trial).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

test('function states', async () => {
  const client = new LambdaClient(region);
  const mock = mockClient(client);
  mock
    .on(GetFunctionConfigurationCommand)
    .resolvesOnce({ FunctionName: 'f', State: 'Failed', StateReason: 'no subnet' })
    .resolvesOnce({
      FunctionName: 'g',
      State: 'Active',
      LoggingConfig: { LogGroup: 'group' },
      VpcConfig: { SecurityGroupIds: ['sg-1'] },
    });
  expect(await new LambdaFunctions(client).inspect('arn')).toEqual({
    name: 'f',
    state: 'Failed',
    reason: 'no subnet',
    logGroup: '/aws/lambda/f',
    securityGroups: [],
  });
  expect(await new LambdaFunctions(client).inspect('arn')).toMatchObject({
    name: 'g',
    logGroup: 'group',
    securityGroups: ['sg-1'],
  });
  mock.on(GetFunctionConfigurationCommand).rejects(named('ResourceNotFoundException'));
  expect(await new LambdaFunctions(client).inspect('arn')).toBeUndefined();
});

test('log lines over all pages, of which some are empty', async () => {
  const client = new CloudWatchLogsClient(region);
  const mock = mockClient(client);
  mock
    .on(FilterLogEventsCommand)
    .resolvesOnce({ events: [{ message: 'one' }], nextToken: 'a' })
    .resolvesOnce({ events: [], nextToken: 'b' })
    .resolvesOnce({ events: [{ message: 'two' }] });
  expect(await new CloudWatchLogs(client).find('group', 'v-1', new Date(5))).toEqual(['one', 'two']);
  expect(mock.call(0).args[0].input).toMatchObject({
    logGroupName: 'group',
    filterPattern: '"v-1"',
    startTime: 5,
  });
});

describe('workflows', () => {
  const workflow = 'arn:aws:states:eu-central-1:1:stateMachine:revocation';
  const started = new Date(1_000);

  test('an execution by its name', async () => {
    const client = new SFNClient(region);
    const mock = mockClient(client);
    mock
      .on(DescribeExecutionCommand)
      .resolves({ status: 'SUCCEEDED', startDate: started, stopDate: started, output: '{"a":1}' });
    const workflows = new StepFunctionsWorkflows(client);
    expect(await workflows.execution(workflow, 'id')).toEqual({
      status: 'succeeded',
      started,
      stopped: started,
      output: { a: 1 },
    });
    expect(mock.commandCalls(DescribeExecutionCommand)[0]?.args[0].input).toEqual({
      executionArn: 'arn:aws:states:eu-central-1:1:execution:revocation:id',
    });
    mock.on(DescribeExecutionCommand).resolves({
      status: 'FAILED',
      startDate: started,
      error: 'RevocationUnproven',
      cause: '{"errorMessage":"still accepted"}',
    });
    expect(await workflows.execution(workflow, 'id')).toMatchObject({
      error: { code: 'RevocationUnproven', message: 'still accepted' },
    });
    mock.on(DescribeExecutionCommand).rejects(named('ExecutionDoesNotExist'));
    expect(await workflows.execution(workflow, 'id')).toBeUndefined();
  });

  test('stages pair what was entered with what was left', async () => {
    const client = new SFNClient(region);
    const event = (ms: number, name: string, type: 'entered' | 'left') => ({
      id: ms,
      type: 'TaskStateEntered' as const,
      timestamp: new Date(ms),
      ...(type === 'entered'
        ? { stateEnteredEventDetails: { name } }
        : { stateExitedEventDetails: { name } }),
    });
    mockClient(client)
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({
        events: [event(1, 'Rotate', 'entered'), event(2, 'Rotate', 'left')],
        nextToken: 'more',
      })
      .resolvesOnce({ events: [event(3, 'Verify', 'entered')] });
    expect(await new StepFunctionsWorkflows(client).stages(workflow, 'id')).toEqual([
      { name: 'Rotate', entered: new Date(1), left: new Date(2) },
      { name: 'Verify', entered: new Date(3) },
    ]);
  });

  test('active', async () => {
    const client = new SFNClient(region);
    const mock = mockClient(client);
    mock.on(DescribeStateMachineCommand).resolves({ status: 'ACTIVE' });
    expect(await new StepFunctionsWorkflows(client).active(workflow)).toBe(true);
    mock.on(DescribeStateMachineCommand).rejects(named('StateMachineDoesNotExist'));
    expect(await new StepFunctionsWorkflows(client).active(workflow)).toBe(false);
  });
});

test('audit objects are listed behind a key, and only those of the log', async () => {
  const client = new S3Client(region);
  const mock = mockClient(client);
  const written = new Date(5);
  mock
    .on(ListObjectsV2Command)
    .resolves({ Contents: [{ Key: 'entries/000000000002.ndjson', LastModified: written }] });
  mock.on(GetObjectCommand).resolves({});
  const objects = new S3AuditObjects(client, 'bucket');
  expect(await objects.list('entries/000000000001.ndjson', 7)).toEqual([
    { key: 'entries/000000000002.ndjson', written },
  ]);
  expect(mock.commandCalls(ListObjectsV2Command)[0]?.args[0].input).toEqual({
    Bucket: 'bucket',
    Prefix: 'entries/',
    StartAfter: 'entries/000000000001.ndjson',
    MaxKeys: 7,
  });
  expect(await objects.read('entries/000000000002.ndjson')).toHaveLength(0);
});

describe('an error says which action failed', () => {
  const refusing = (name: string) => {
    const error = named(name, 'User: ada is not authorized');
    return {
      ...region,
      maxAttempts: 1,
      requestHandler: { handle: () => Promise.reject(error) },
    };
  };

  test('of the SDK itself', async () => {
    const client = traceCalls(new SSMClient(refusing('AccessDeniedException')), 'ssm');
    const error = await new SsmDeployments(client).facts('dev').catch((thrown: unknown) => thrown);
    expect(failedCall(error)).toBe('ssm:GetParametersByPath');
    expect(explain(error)).toMatchObject({
      code: 'AccessDenied',
      exitCode: 3,
      action: 'ssm:GetParametersByPath',
    });
  });

  test('as IAM calls it', async () => {
    const client = traceCalls(new S3Client(refusing('AccessDenied')), 's3');
    const error = await new S3AuditObjects(client, 'bucket').list('', 1).catch((thrown: unknown) => thrown);
    expect(explain(error)).toMatchObject({ code: 'AccessDenied', action: 's3:ListBucket' });
  });

  test('through an error that an adapter made of it', async () => {
    const client = traceCalls(new SecretsManagerClient(refusing('AccessDeniedException')), 'secretsmanager');
    const error = await new SecretsManagerStore(client).describe('orders').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SecretAccessDenied' });
    expect(explain(error)).toMatchObject({ code: 'AccessDenied', action: 'secretsmanager:DescribeSecret' });
    expect(DescribeSecretCommand.name).toBe('DescribeSecretCommand');
  });

  test('with what AWS says of a value that it takes for invalid', async () => {
    const refusal = refusing('InvalidParameterException');
    const client = traceCalls(new SecretsManagerClient(refusal), 'secretsmanager');
    const error = await new SecretsManagerStore(client).describe('orders').catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain('ada');
    expect(explain(error)).toMatchObject({
      code: 'CallInvalid',
      message: expect.stringContaining('User: ada is not authorized'),
    });
  });
});

test.each([
  ['us-east-1', 'us-east-1'],
  ['eu-central-1', undefined],
  [undefined, undefined],
])(
  'a secret in eu-central-1 whose primary region is %s is a replica of %s',
  async (PrimaryRegion, replicaOf) => {
    const client = new SecretsManagerClient(region);
    mockClient(client)
      .on(DescribeSecretCommand)
      .resolves({
        ARN: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf',
        ...(PrimaryRegion !== undefined && { PrimaryRegion }),
      });
    const { replicaOf: found } = await new SecretsManagerStore(client).describe('orders');
    expect(found).toBe(replicaOf);
  },
);

test('copies in other regions are told of with their state, and a secret without any has none', async () => {
  const client = new SecretsManagerClient(region);
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf';
  const mocked = mockClient(client).on(DescribeSecretCommand);
  mocked.resolves({ ARN: arn, ReplicationStatus: [{ Region: 'us-east-1', Status: 'Failed' }, {}] });
  expect((await new SecretsManagerStore(client).describe('orders')).replicas).toEqual([
    { region: 'us-east-1', status: 'Failed' },
    { region: 'unknown', status: 'unknown' },
  ]);
  mocked.resolves({ ARN: arn, ReplicationStatus: [] });
  expect(await new SecretsManagerStore(client).describe('orders')).not.toHaveProperty('replicas');
});
