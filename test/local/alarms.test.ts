import { rm } from 'node:fs/promises';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DeleteFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Duration, type Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AuditLog } from '../../lib/audit/audit-log.ts';
import { RekeyBus } from '../../lib/events/rekey-bus.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { logLines } from './support/logs.ts';
import { deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';

jest.setTimeout(180_000);

/** Stands in for the writer: it fails as often as a record says, and then takes it. */
const writer = `
exports.handler = async ({ Records }) => {
  for (const { body, attributes } of Records) {
    const { detail } = JSON.parse(body);
    const attempt = Number(attributes.ApproximateReceiveCount);
    console.log('seen ' + JSON.stringify({ id: detail.id, attempt }));
    if (attempt <= (detail.failures ?? 0)) throw new Error('the bucket refuses');
  }
};`;

const emits = `
exports.handler = async (event) => {
  if (event.fail) throw new Error('as asked');
  console.log(JSON.stringify({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{
        Namespace: 'Rekey',
        Dimensions: [['service', 'environment']],
        Metrics: [{ Name: 'RevocationFailed', Unit: 'Count' }],
      }],
    },
    service: 'revocation', environment: event.environment, RevocationFailed: event.value,
  }));
};`;

describe('alarms', () => {
  let directory: string;
  let cloud: LocalCloud;
  let watch: CloudWatchClient;
  let events: EventBridgeClient;
  let lambda: LambdaClient;
  let sqs: SQSClient;

  beforeAll(async () => {
    directory = await newFolder('alarms');
    cloud = await startCloud({ directory });
    watch = new CloudWatchClient(cloud.clientOptions());
    events = new EventBridgeClient(cloud.clientOptions());
    lambda = new LambdaClient(cloud.clientOptions());
    sqs = new SQSClient(cloud.clientOptions());
  }, 180_000);

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  async function states(): Promise<Record<string, string | undefined>> {
    const { MetricAlarms } = await watch.send(new DescribeAlarmsCommand({}));
    return Object.fromEntries(
      (MetricAlarms ?? []).map(({ AlarmName, StateValue }) => [AlarmName, StateValue]),
    );
  }

  async function minutes(count: number): Promise<void> {
    for (let minute = 0; minute < count; minute += 1) {
      await cloud.advanceClock(60);
    }
  }

  const refusals = (alarm: string, properties: object) => ({
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: alarm,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
      Period: 60,
      Statistic: 'Sum',
      TreatMissingData: 'notBreaching',
      ...properties,
    },
  });

  async function noticesIn(url: string | undefined): Promise<string[]> {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }),
    );
    for (const { ReceiptHandle } of Messages ?? []) {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    }
    return (Messages ?? []).map(({ Body }) => {
      const { AlarmName, OldStateValue, NewStateValue } = JSON.parse(Body ?? '{}');
      return `${AlarmName}: ${OldStateValue} to ${NewStateValue}`;
    });
  }

  /** A topic whose policy is `statement`, and the queue that hears it. */
  const topic = (name: string, service: string) => ({
    [name]: { Type: 'AWS::SNS::Topic' },
    [`${name}Policy`]: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [{ Ref: name }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: service },
              Action: 'sns:Publish',
              Resource: { Ref: name },
            },
          ],
        },
      },
    },
    [`${name}Queue`]: { Type: 'AWS::SQS::Queue' },
    [`${name}QueuePolicy`]: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: `${name}Queue` }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'sns.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: { 'Fn::GetAtt': [`${name}Queue`, 'Arn'] },
            },
          ],
        },
      },
    },
    [`${name}Subscription`]: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: { Ref: name },
        Protocol: 'sqs',
        Endpoint: { 'Fn::GetAtt': [`${name}Queue`, 'Arn'] },
        RawMessageDelivery: true,
      },
    },
  });

  describe('of a stack', () => {
    let stack: TestStack;
    const dimensions = (environment: string) => [
      { Name: 'environment', Value: environment },
      { Name: 'service', Value: 'revocation' },
    ];
    const embedded = (environment: string) => ({
      Namespace: 'Rekey',
      MetricName: 'RevocationFailed',
      Dimensions: dimensions(environment),
    });
    const ofFunction = (MetricName: string) => ({
      Namespace: 'AWS/Lambda',
      MetricName,
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: 'Function' } }],
    });

    beforeAll(async () => {
      stack = await deployStack(cloud, 'watched', {
        ...topic('Topic', 'cloudwatch.amazonaws.com'),
        ...topic('Closed', 'events.amazonaws.com'),
        Role: role('lambda.amazonaws.com'),
        Function: nodeFunction(emits, 'Role'),
        MachineRole: role('states.amazonaws.com'),
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: {
            RoleArn: { 'Fn::GetAtt': ['MachineRole', 'Arn'] },
            DefinitionString: JSON.stringify({
              StartAt: 'No',
              States: { No: { Type: 'Fail', Error: 'No' } },
            }),
          },
        },
        Embedded: refusals('embedded', {
          ...embedded('a'),
          AlarmActions: [{ Ref: 'Topic' }],
          OKActions: [{ Ref: 'Topic' }],
        }),
        Unheard: refusals('unheard', { ...embedded('a'), AlarmActions: [{ Ref: 'Closed' }] }),
        Other: refusals('other', embedded('b')),
        Errors: refusals('errors', ofFunction('Errors')),
        Throttles: refusals('throttles', ofFunction('Throttles')),
        Failed: refusals('failed', {
          Namespace: 'AWS/States',
          MetricName: 'ExecutionsFailed',
          Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: 'Machine' } }],
        }),
      });
    }, 60_000);

    const invoke = async (payload: object) =>
      await lambda.send(
        new InvokeCommand({ FunctionName: stack.outputs.FunctionRef, Payload: JSON.stringify(payload) }),
      );

    test('go off for the metric with their dimensions and for no other, tell the topic once, and end', async () => {
      await minutes(1);
      expect(await states()).toMatchObject({ embedded: 'OK', other: 'OK', errors: 'OK', throttles: 'OK' });
      await noticesIn(stack.outputs.TopicQueueRef);
      await invoke({ environment: 'a', value: 2 });
      await minutes(1);
      expect(await states()).toMatchObject({
        embedded: 'ALARM',
        unheard: 'ALARM',
        other: 'OK',
        errors: 'OK',
      });
      await minutes(4);
      expect(await states()).toMatchObject({ embedded: 'OK', other: 'OK' });
      const heard = await eventually('both notices', async () => {
        const notices = await noticesIn(stack.outputs.TopicQueueRef);
        return notices.length > 1 && notices;
      });
      expect(heard).toEqual(['embedded: OK to ALARM', 'embedded: ALARM to OK']);
      // Its policy admits another service only.
      expect(await noticesIn(stack.outputs.ClosedQueueRef)).toEqual([]);
    });

    test('tell errors of a function from throttles, which are no errors and no invocations', async () => {
      await invoke({ fail: true });
      await minutes(1);
      expect(await states()).toMatchObject({ errors: 'ALARM', throttles: 'OK' });
      await minutes(4);
      const FunctionName = stack.outputs.FunctionRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      await expect(invoke({})).rejects.toThrow(/Rate Exceeded/i);
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      await minutes(1);
      expect(await states()).toMatchObject({ errors: 'OK', throttles: 'ALARM' });
    });

    test('see an execution that fails', async () => {
      const sfn = new SFNClient(cloud.clientOptions());
      await sfn.send(new StartExecutionCommand({ stateMachineArn: stack.outputs.MachineRef }));
      await eventually('the alarm of the workflow', async () => {
        await minutes(1);
        return (await states()).failed === 'ALARM';
      });
    });
  });

  describe('of the audit log, as deployed', () => {
    let logs = '';
    let busName = '';
    let writerName = '';

    beforeAll(async () => {
      const names = { bus: '', logs: '', writer: '' };
      const resources = synthesize(
        cloud,
        (app: Stack) => {
          const bus = new RekeyBus(app, 'Bus', { environment: 'test' });
          const log = new AuditLog(app, 'AuditLog', {
            bus,
            retention: Duration.days(1),
            alarmTopic: new Topic(app, 'Told'),
          });
          const id = (construct: { node: { defaultChild?: unknown } }) =>
            app.getLogicalId(construct.node.defaultChild as Parameters<Stack['getLogicalId']>[0]);
          names.bus = id(bus.eventBus);
          names.logs = id(log.writer.logGroup);
          names.writer = id(log.writer);
        },
        () => writer,
      );
      const { outputs } = await deployStack(cloud, 'audit', resources);
      busName = outputs[`${names.bus}Ref`] ?? '';
      logs = outputs[`${names.logs}Ref`] ?? '';
      writerName = outputs[`${names.writer}Ref`] ?? '';
    }, 120_000);

    async function put(detail: { id: string; failures?: number }): Promise<void> {
      const answer = await events.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: busName,
              Source: 'rekey.rotation',
              DetailType: 'Any',
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      expect(answer.FailedEntryCount).toBe(0);
    }

    const attempt = async (id: string, number: number) =>
      await eventually(`attempt ${number} at ${id}`, async () =>
        (await logLines(cloud, logs, 'seen')).some((line) =>
          line.includes(`{"id":"${id}","attempt":${number}}`),
        ),
      );

    /** The states of the audit log's own alarms, without their common beginning. */
    const auditStates = async () =>
      Object.fromEntries(
        Object.entries(await states())
          .filter(([name]) => name.startsWith('rekey-test-'))
          .map(([name, state]) => [name.slice('rekey-test-'.length), state]),
      );

    const quiet = {
      'audit-delayed': 'OK',
      'audit-stalled': 'OK',
      'audit-writer-errors': 'OK',
      'function-throttled-audit': 'OK',
    };

    async function calm(): Promise<void> {
      await eventually(
        'the alarms to end',
        async () => {
          await minutes(1);
          return Object.values(await auditStates()).every((state) => state === 'OK');
        },
        60_000,
      );
      expect(await auditStates()).toMatchObject(quiet);
    }

    test('are quiet while records are written', async () => {
      await put({ id: 'fine' });
      await attempt('fine', 1);
      await calm();
    });

    test('go off while the writer fails, though the age of the oldest record then tells nothing', async () => {
      await put({ id: 'refused', failures: 8 });
      const seen: string[] = [];
      for (let number = 1; number <= 8; number += 1) {
        await attempt('refused', number);
        await minutes(1);
        seen.push((await auditStates())['audit-delayed'] ?? 'missing');
      }
      // Received three times and more, the record is left out of the metric.
      expect(new Set(seen)).toEqual(new Set(['OK']));
      expect(await auditStates()).toMatchObject({
        'audit-stalled': 'ALARM',
        'audit-writer-errors': 'ALARM',
        'function-throttled-audit': 'OK',
      });
      await attempt('refused', 9);
      await calm();
    });

    test('go off while nobody takes the records, five minutes later', async () => {
      const { EventSourceMappings } = await lambda.send(
        new ListEventSourceMappingsCommand({ FunctionName: writerName }),
      );
      const [mapping] = EventSourceMappings ?? [];
      const enable = async (Enabled: boolean) =>
        await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping?.UUID, Enabled }));
      await enable(false);
      await put({ id: 'waiting' });
      await minutes(3);
      expect(await auditStates()).toMatchObject(quiet);
      await minutes(4);
      expect(await auditStates()).toMatchObject({
        'audit-delayed': 'ALARM',
        'audit-stalled': 'ALARM',
        'audit-writer-errors': 'OK',
      });
      await enable(true);
      await attempt('waiting', 1);
      await calm();
    });

    test('go off while the writer is throttled', async () => {
      const FunctionName = writerName;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      await put({ id: 'throttled' });
      await eventually('the alarm of throttles', async () => {
        await minutes(1);
        return (await auditStates())['function-throttled-audit'] === 'ALARM';
      });
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      await eventually(
        'the record to be written',
        async () => {
          await minutes(1);
          return (await logLines(cloud, logs, 'throttled')).length > 0;
        },
        60_000,
      );
      await calm();
    });
  });
});
