import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { ensurePython } from '../../local/emulator/python.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { logLines } from './support/logs.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const code = `
exports.handler = async (event) => {
  await new Promise((r) => setTimeout(r, event.detail.sleep ?? 0));
  console.log('seen ' + JSON.stringify({ id: event.detail.id, source: event.source, type: event['detail-type'] }));
};`;

const arn = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
const queue = (properties: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties });

/** A rule for events of one detail-type, with what its target may say beside its ARN. */
function rule(detailType: string, target: object) {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['rekey.test'], 'detail-type': [detailType] },
      Targets: [{ Id: 'target', DeadLetterConfig: { Arn: arn('Dead') }, ...target }],
    },
  };
}

/** Lets EventBridge send to a queue, for all rules of the account or for one. */
function admit(name: string, ruleName?: string, resource = name) {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: name }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: arn(resource),
            ...(ruleName && { Condition: { ArnEquals: { 'aws:SourceArn': arn(ruleName) } } }),
          },
        ],
      },
    },
  };
}

describe('EventBridge', () => {
  let directory: string;
  let cloud: LocalCloud;
  let events: EventBridgeClient;
  let lambda: LambdaClient;
  let sfn: SFNClient;
  let sqs: SQSClient;
  let stack: TestStack;

  beforeAll(async () => {
    directory = await newFolder('eventbridge');
    cloud = await startCloud({ directory });
    events = new EventBridgeClient(cloud.clientOptions());
    lambda = new LambdaClient(cloud.clientOptions());
    sfn = new SFNClient(cloud.clientOptions());
    sqs = new SQSClient(cloud.clientOptions());
    const machine = (roleName: string) => ({
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        RoleArn: arn(roleName),
        DefinitionString: JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } }),
      },
    });
    const permission = (functionName: string, ruleName: string) => ({
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: { Ref: functionName },
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: arn(ruleName),
      },
    });
    stack = await deployStack(cloud, 'eventbridge', {
      Dead: queue(),
      DeadPolicy: admit('Dead'),
      Role: role('lambda.amazonaws.com'),
      Function: nodeFunction(code, 'Role'),
      FunctionRule: rule('To Function', { Arn: arn('Function') }),
      FunctionPermission: permission('Function', 'FunctionRule'),
      Unpermitted: nodeFunction(code, 'Role'),
      UnpermittedRule: rule('To Unpermitted', { Arn: arn('Unpermitted') }),
      UnpermittedPermission: permission('Unpermitted', 'FunctionRule'),
      Standard: queue(),
      StandardPolicy: admit('Standard', 'StandardRule'),
      StandardRule: rule('To Queue', { Arn: arn('Standard') }),
      OtherRule: rule('To Queue Of Another Rule', { Arn: arn('Standard') }),
      Fifo: queue({ FifoQueue: true, ContentBasedDeduplication: true }),
      FifoPolicy: admit('Fifo', 'FifoRule'),
      FifoRule: rule('To Fifo', { Arn: arn('Fifo'), SqsParameters: { MessageGroupId: 'the group' } }),
      Strict: queue({ FifoQueue: true }),
      StrictPolicy: admit('Strict'),
      StrictRule: rule('To Strict Fifo', { Arn: arn('Strict'), SqsParameters: { MessageGroupId: 'a' } }),
      MissingRule: rule('To Nothing', {
        Arn: `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:nothing`,
      }),
      Topic: { Type: 'AWS::SNS::Topic' },
      TopicPolicy: {
        Type: 'AWS::SNS::TopicPolicy',
        Properties: {
          Topics: [{ Ref: 'Topic' }],
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'events.amazonaws.com' },
                Action: 'sns:Publish',
                Resource: { Ref: 'Topic' },
              },
            ],
          },
        },
      },
      Subscribed: queue(),
      SubscribedPolicy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'Subscribed' }],
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'sns.amazonaws.com' },
                Action: 'sqs:SendMessage',
                Resource: arn('Subscribed'),
              },
            ],
          },
        },
      },
      Subscription: {
        Type: 'AWS::SNS::Subscription',
        Properties: {
          TopicArn: { Ref: 'Topic' },
          Protocol: 'sqs',
          Endpoint: arn('Subscribed'),
          RawMessageDelivery: true,
        },
      },
      TopicRule: rule('To Topic', { Arn: { Ref: 'Topic' } }),
      MachineRole: role('states.amazonaws.com'),
      Machine: machine('MachineRole'),
      StartRole: role('events.amazonaws.com', [allow('states:StartExecution', { Ref: 'Machine' })]),
      IdleRole: role('events.amazonaws.com'),
      MachineRule: rule('To State Machine', { Arn: { Ref: 'Machine' }, RoleArn: arn('StartRole') }),
      IdleRule: rule('To State Machine Denied', { Arn: { Ref: 'Machine' }, RoleArn: arn('IdleRole') }),
      UntrustingRule: rule('To State Machine Untrusted', {
        Arn: { Ref: 'Machine' },
        RoleArn: arn('MachineRole'),
      }),
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function put(detailType: string, detail: object): Promise<void> {
    const answer = await events.send(
      new PutEventsCommand({
        Entries: [{ Source: 'rekey.test', DetailType: detailType, Detail: JSON.stringify(detail) }],
      }),
    );
    expect(answer.FailedEntryCount).toBe(0);
  }

  async function next(name: string): Promise<Message> {
    const QueueUrl = stack.outputs[`${name}Ref`];
    return await eventually(`a message in ${name}`, async () => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
      );
      const message = Messages?.[0];
      if (message)
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      return message;
    });
  }

  const seenBy = async (name: string) =>
    (await logLines(cloud, `/aws/lambda/${stack.outputs[`${name}Ref`]}`, 'seen')).map((line) =>
      JSON.parse(line.slice(line.indexOf('{'))),
    );

  function attributesOf(message: Message): Record<string, string | undefined> {
    return Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, value.StringValue]),
    );
  }

  describe('targets', () => {
    test('a function, a queue, a FIFO queue and a topic get the event', async () => {
      await put('To Function', { id: 1 });
      await put('To Queue', { id: 2 });
      await put('To Fifo', { id: 3 });
      await put('To Topic', { id: 4 });
      expect(await eventually('the function', async () => (await seenBy('Function'))[0])).toEqual({
        id: 1,
        source: 'rekey.test',
        type: 'To Function',
      });
      expect(JSON.parse((await next('Standard')).Body ?? '')).toMatchObject({
        source: 'rekey.test',
        'detail-type': 'To Queue',
        detail: { id: 2 },
      });
      const ordered = await next('Fifo');
      expect(JSON.parse(ordered.Body ?? '').detail).toEqual({ id: 3 });
      expect(ordered.Attributes?.MessageGroupId).toBe('the group');
      expect(JSON.parse((await next('Subscribed')).Body ?? '').detail).toEqual({ id: 4 });
    });

    test('a state machine is started with the event as its input', async () => {
      await put('To State Machine', { id: 5 });
      const execution = await eventually('an execution', async () => {
        const { executions } = await sfn.send(
          new ListExecutionsCommand({ stateMachineArn: stack.outputs.MachineRef }),
        );
        return executions?.[0]?.executionArn;
      });
      const { input } = await sfn.send(new DescribeExecutionCommand({ executionArn: execution }));
      expect(JSON.parse(input ?? '')).toMatchObject({ 'detail-type': 'To State Machine', detail: { id: 5 } });
    });

    test('no event is lost over the concurrency of a function', async () => {
      const FunctionName = stack.outputs.FunctionRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 2 }));
      try {
        await Promise.all(
          Array.from(
            { length: 20 },
            async (_, i) => await put('To Function', { id: `burst ${i}`, sleep: 50 }),
          ),
        );
        const ids = await eventually('twenty invocations', async () => {
          const seen = new Set((await seenBy('Function')).map((event) => event.id));
          return Array.from({ length: 20 }, (_, i) => `burst ${i}`).every((id) => seen.has(id)) && seen;
        });
        expect(ids.size).toBeGreaterThanOrEqual(20);
      } finally {
        await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      }
    });
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
  describe('dead letters', () => {
    const cases = [
      ['To Unpermitted', 'UnpermittedRule', 'NO_PERMISSIONS'],
      ['To Queue Of Another Rule', 'OtherRule', 'NO_PERMISSIONS'],
      ['To State Machine Denied', 'IdleRule', 'NO_PERMISSIONS'],
      ['To State Machine Untrusted', 'UntrustingRule', 'FAILED_TO_ASSUME_ROLE'],
      ['To Nothing', 'MissingRule', 'NO_RESOURCE'],
      ['To Strict Fifo', 'StrictRule', 'INVALID_PARAMETER'],
    ] as const;
    test.each(cases)(
      '%s: the event of %s is kept at once with %s',
      async (detailType, ruleName, errorCode) => {
        await put(detailType, { id: detailType });
        const dead = await next('Dead');
        expect(JSON.parse(dead.Body ?? '')).toMatchObject({
          'detail-type': detailType,
          detail: { id: detailType },
        });
        const attributes = attributesOf(dead);
        expect(attributes).toMatchObject({
          RULE_ARN: stack.outputs[`${ruleName}Arn`],
          ERROR_CODE: errorCode,
        });
        expect(attributes.TARGET_ARN).toMatch(/^arn:aws:(lambda|sqs|states):/);
        expect(attributes.ERROR_MESSAGE).toBeTruthy();
        expect(attributes.EXHAUSTED_RETRY_CONDITION).toBeUndefined();
        expect(await seenBy('Unpermitted')).toEqual([]);
      },
    );
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
  describe('a target that fails for a passing reason', () => {
    async function deliver(failures: number, attempts: number, ageSeconds: number) {
      const script = join(import.meta.dirname, 'support', 'failing_target.py');
      const { stdout } = await promisify(execFile)(
        await ensurePython(),
        [script, failures, attempts, ageSeconds].map(String),
        {
          env: {
            PYTHONPATH: join(import.meta.dirname, '..', '..', 'local', 'emulator'),
            PYTHONDONTWRITEBYTECODE: '1',
            STATE_DIR: directory,
            PATH: process.env.PATH,
          },
        },
      );
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    }

    test('is tried again until it takes the event', async () => {
      expect(await deliver(2, 3, 60)).toEqual({ deliveries: 3, kept: [] });
    });

    test('is given up after the attempts of the retry policy, and the event is kept', async () => {
      expect(await deliver(99, 2, 60)).toEqual({
        deliveries: 3,
        kept: [
          expect.objectContaining({
            body: '{"the":"event"}',
            ERROR_CODE: 'THROTTLING',
            ERROR_MESSAGE: 'Rate exceeded',
            RETRY_ATTEMPTS: '2',
            EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
          }),
        ],
      });
    });

    test('is given up when the event is too old', async () => {
      const outcome = await deliver(99, 185, 1);
      expect(outcome.kept).toMatchObject([{ EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds' }]);
      expect(outcome.deliveries).toBeGreaterThan(1);
    });
  });
});
