import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { AuditQueue } from '../../../adapters/audit-queue.ts';
import { SsmDefinitionStore } from '../../../adapters/definition-store.ts';
import { EventBridgeBus } from '../../../adapters/event-bus.ts';
import { StepFunctionsStarter } from '../../../adapters/revocation-starter.ts';
import { SecretsManagerRotation } from '../../../adapters/rotation-control.ts';
import { auditEvent, factOf } from '../../../core/audit/event.ts';
import { createEvent } from '../../../core/events/create.ts';
import { emergencyBus } from '../../../lambdas/functions/record-bus.ts';
import { requestEvent, World } from './world.ts';

const named = (name: string, message = name) => Object.assign(new Error(message), { name });
const region = { region: 'eu-central-1' };
const mocks = {
  ssm: mockClient(SSMClient),
  sfn: mockClient(SFNClient),
  secrets: mockClient(SecretsManagerClient),
  bus: mockClient(EventBridgeClient),
  sqs: mockClient(SQSClient),
};
afterEach(() => {
  for (const mock of Object.values(mocks)) {
    mock.reset();
  }
});

describe('definitions in SSM', () => {
  const { definition } = new World();
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/orders-AbCdEf';
  const stored = { ...definition, name: '/test/orders', arn };
  const store = new SsmDefinitionStore(new SSMClient(region), 'test');
  const keep = (value: unknown) => {
    mocks.ssm.on(GetParameterCommand).rejects(named('ParameterNotFound'));
    mocks.ssm
      .on(GetParameterCommand, { Name: '/rekey/test/secrets/.2ftest.2forders' })
      .resolves({ Parameter: { Value: typeof value === 'string' ? value : JSON.stringify(value) } });
  };

  test.each(['/test/orders', arn, arn.slice(0, -7)])('found by %s', async (secret) => {
    keep(stored);
    expect(await store.find(secret)).toEqual(stored);
  });

  test.each([
    'orders',
    `${arn}x`,
    arn.replace('AbCdEf', 'XxXxXx'),
    arn.replace('111122223333', '999999999999'),
    'arn:aws:iam::111122223333:role/x',
  ])('not found by %s', async (secret) => {
    keep(stored);
    expect(await store.find(secret)).toBeUndefined();
  });

  test.each(['', 'nonsense', '{"name":"x"}'])('a parameter with %s is named in the error', async (value) => {
    keep(value);
    await expect(store.find('/test/orders')).rejects.toMatchObject({
      code: 'DefinitionInvalid',
      message: expect.stringContaining('/rekey/test/secrets/.2ftest.2forders'),
    });
  });

  test('all of them, over several pages', async () => {
    mocks.ssm
      .on(GetParametersByPathCommand, { Path: '/rekey/test/secrets' })
      .resolvesOnce({ Parameters: [{ Name: 'a', Value: JSON.stringify(stored) }], NextToken: 'more' })
      .resolvesOnce({ Parameters: [{ Name: 'b', Value: JSON.stringify(definition) }] });
    expect(await store.list()).toEqual([stored, definition]);
  });
});

describe('the start of the workflow', () => {
  const workflow = 'arn:aws:states:eu-central-1:111122223333:stateMachine:revocation';
  const starter = new StepFunctionsStarter(new SFNClient(region), workflow);

  test('a name that is taken answers with the input of its execution', async () => {
    mocks.sfn.on(StartExecutionCommand).resolvesOnce({}).rejects(named('ExecutionAlreadyExists'));
    mocks.sfn
      .on(DescribeExecutionCommand, {
        executionArn: 'arn:aws:states:eu-central-1:111122223333:execution:revocation:r1',
      })
      .resolves({ input: '{"a":1}' });
    expect(await starter.start('r1', '{"a":1}')).toBe('started');
    expect(await starter.start('r1', '{"b":2}')).toEqual({ input: '{"a":1}' });
  });

  test('other errors are thrown', async () => {
    mocks.sfn.on(StartExecutionCommand).rejects(named('ExecutionLimitExceeded'));
    await expect(starter.start('r1', '{}')).rejects.toThrow('ExecutionLimitExceeded');
  });
});

describe('the start of a rotation', () => {
  const rotation = new SecretsManagerRotation(new SecretsManagerClient(region));

  test('started, under the given token', async () => {
    mocks.secrets.on(RotateSecretCommand).resolves({});
    expect(await rotation.rotate('a', 'token')).toBe('started');
    expect(mocks.secrets.commandCalls(RotateSecretCommand)[0]?.args[0].input).toMatchObject({
      SecretId: 'a',
      ClientRequestToken: 'token',
    });
  });

  test.each([
    [
      'InvalidRequestException',
      "A previous rotation isn't complete. That rotation will be reattempted.",
      'unfinished',
    ],
    [
      'InvalidRequestException',
      'No Lambda rotation function ARN is associated with this secret.',
      'RotationDisabled',
    ],
    ['AccessDeniedException', 'no', 'SecretAccessDenied'],
    [
      'AccessDeniedException',
      'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.',
      'RotationFunctionDenied',
    ],
    ['ResourceNotFoundException', 'no', 'SecretMissing'],
    ['InternalServiceError', 'no', 'ServiceUnavailable'],
    ['InvalidParameterException', 'no', 'RotationNotStarted'],
  ])('%s: %s', async (name, message, expected) => {
    mocks.secrets.on(RotateSecretCommand).rejects(named(name, message));
    const outcome = await rotation.rotate('a', 'token').catch((error: { code: string }) => error.code);
    expect(outcome).toBe(expected);
  });
});

test.each([
  [
    'User: arn:aws:iam::1:role/x is not authorized to perform: lambda:InvokeFunction',
    /lambda:InvokeFunction on its/,
  ],
  [
    'User: arn:aws:iam::1:role/x is not authorized to perform: secretsmanager:RotateSecret',
    /resource policy must/,
  ],
])('a denied start names the policy: %s', async (message, expected) => {
  mocks.secrets.on(RotateSecretCommand).rejects(named('AccessDeniedException', message));
  const rotation = new SecretsManagerRotation(new SecretsManagerClient(region));
  await expect(rotation.rotate('a', 'token')).rejects.toMatchObject({
    code: 'SecretAccessDenied',
    message: expect.stringMatching(expected),
  });
});

describe('the record of an emergency', () => {
  const routes = {
    bus: new EventBridgeBus(new EventBridgeClient(region), 'rekey-test'),
    queue: new AuditQueue('https://sqs.eu-central-1.amazonaws.com/111122223333/audit.fifo', region),
  };
  const world = new World();
  const event = createEvent(
    world.origin(),
    'Secret Revocation Failed',
    {
      requestId: 'r',
      secretArn: 'a',
      secretName: 'n',
      stage: 'rotate',
      error: { code: 'X', message: 'm', retryable: false },
    },
    { correlationId: 'c' },
  );
  const tools = () => {
    const logged: unknown[] = [];
    const counted: string[] = [];
    return {
      logged,
      counted,
      tools: {
        logger: { error: (message: string, extra: unknown) => logged.push([message, extra]) },
        metrics: { addMetric: (name: string) => counted.push(name) },
      } as unknown as Parameters<typeof emergencyBus>[1],
    };
  };

  test('what the bus refuses reaches the queue, as the bus would have delivered it', async () => {
    mocks.bus.on(PutEventsCommand).rejects(named('AccessDeniedException'));
    mocks.sqs.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [] });
    const { tools: given, counted } = tools();
    await emergencyBus(routes, given).publish([event]);
    expect(counted).toEqual(['AuditPublishFailed']);
    const [entry] = mocks.sqs.commandCalls(SendMessageBatchCommand)[0]?.args[0].input.Entries ?? [];
    expect(entry?.MessageGroupId).toBe('audit');
    const message = { id: 'm', region: 'eu-central-1', receivedAt: new Date(0) };
    const direct = auditEvent(entry?.MessageBody ?? '', message);
    expect(direct).toMatchObject({ detailType: 'Secret Revocation Failed', detail: event.detail });
    const { detailType, source, detail } = event;
    const viaBus = auditEvent(
      JSON.stringify({ ...requestEvent(), id: 'other', 'detail-type': detailType, source, detail }),
      message,
    );
    // A record that came both ways is recorded once.
    expect(factOf(direct)).toBe(factOf(viaBus));
  });

  test('more than ten are sent ten at a time, by either way', async () => {
    const many = Array.from({ length: 23 }, () => event);
    mocks.bus.on(PutEventsCommand).resolves({ Entries: [], FailedEntryCount: 0 });
    mocks.sqs.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [] });
    await routes.bus.publish(many);
    await routes.queue.publish(many);
    const sizes = [
      ...mocks.bus.commandCalls(PutEventsCommand),
      ...mocks.sqs.commandCalls(SendMessageBatchCommand),
    ].map(({ args }) => args[0].input.Entries?.length);
    expect(sizes).toEqual([10, 10, 3, 10, 10, 3]);
  });

  test('a call holds no more than EventBridge and SQS take, and one event that is too large goes nowhere', async () => {
    const sized = (length: number) =>
      ({ ...event, detail: { ...event.detail, padding: 'x'.repeat(length) } }) as unknown as typeof event;
    mocks.bus.on(PutEventsCommand).resolves({ Entries: [], FailedEntryCount: 0 });
    mocks.sqs.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [] });
    const many = [100_000, 100_000, 100_000, 1, 200_000, 1].map(sized);
    await routes.bus.publish(many);
    await routes.queue.publish(many);
    const counts = [
      ...mocks.bus.commandCalls(PutEventsCommand),
      ...mocks.sqs.commandCalls(SendMessageBatchCommand),
    ].map(({ args }) => args[0].input.Entries?.length);
    expect(counts).toEqual([2, 2, 2, 2, 2, 2]);
    mocks.bus.resetHistory();
    await expect(routes.bus.publish([event, sized(262_144)])).rejects.toMatchObject({
      code: 'RecordTooLarge',
      message: expect.stringMatching(/at most 262144 bytes; this "Secret Revocation Failed" has 26\d{4}/),
    });
    expect(mocks.bus.commandCalls(PutEventsCommand)).toHaveLength(0);
  });

  test('what nobody takes is logged and counted, and holds nothing up', async () => {
    mocks.bus.on(PutEventsCommand).rejects(named('AccessDeniedException'));
    mocks.sqs.on(SendMessageBatchCommand).rejects(named('AccessDenied'));
    const { tools: given, counted, logged } = tools();
    await emergencyBus(routes, given).publish([event]);
    expect(counted).toEqual(['AuditPublishFailed', 'AuditPublishFailed']);
    expect(JSON.stringify(logged)).toContain('Secret Revocation Failed');
  });
});
