import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteFunctionConcurrencyCommand,
  GetEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { lifeCycle } from './support/life-cycle.ts';
import { logLines } from './support/logs.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

/** Fails, or succeeds, as the event says; counts what it sees of one event by its request id. */
const asyncCode = `
const seen = {};
exports.handler = async (event, context) => {
  seen[context.awsRequestId] = (seen[context.awsRequestId] ?? 0) + 1;
  if (event.sleep) await new Promise((r) => setTimeout(r, event.sleep));
  if (event.fail) { const e = new Error('refused ' + event.id); e.name = 'Refused'; throw e; }
  return { id: event.id, attempts: seen[context.awsRequestId], requestId: context.awsRequestId };
};`;

/** Answers each message with what its body says, and logs what it saw. */
const batchCode = `
exports.handler = async (event) => {
  if (event.hold) return await new Promise((r) => setTimeout(r, event.hold));
  const failures = [];
  let failing = false;
  for (const record of event.Records) {
    const body = JSON.parse(record.body);
    const times = Number(record.attributes.ApproximateReceiveCount);
    console.log('seen ' + JSON.stringify({ ...body, times, at: Date.now(), group: record.attributes.MessageGroupId }));
    if (body.throw) throw new Error('the whole batch');
    if (body.unknown) return { batchItemFailures: [{ itemIdentifier: 'of no message' }] };
    if (failing || body.fail === 'always' || body.fail >= times) {
      failing = event.Records[0].attributes.MessageGroupId !== undefined;
      failures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures: failures };
};`;

const arn = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });

describe('Lambda’s event queues', () => {
  let directory: string;
  let cloud: LocalCloud;
  let lambda: LambdaClient;
  let sqs: SQSClient;
  let stack: TestStack;

  const queue = (properties: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties });
  const redrive = (name: string, maxReceiveCount: number) => ({
    deadLetterTargetArn: arn(name),
    maxReceiveCount,
  });
  const consume = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

  beforeAll(async () => {
    directory = await newFolder('events');
    cloud = await startCloud({ directory });
    lambda = new LambdaClient(cloud.clientOptions());
    sqs = new SQSClient(cloud.clientOptions());
    const mapping = (source: string, target: string) => ({
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: arn(source),
        FunctionName: { Ref: target },
        BatchSize: 5,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    });
    stack = await deployStack(cloud, 'events', {
      Successes: queue(),
      Failures: queue(),
      Dead: queue(),
      Forbidden: queue(),
      Fifo: queue({ FifoQueue: true, VisibilityTimeout: 3, RedrivePolicy: redrive('FifoDead', 2) }),
      FifoDead: queue({ FifoQueue: true }),
      Plain: queue({ VisibilityTimeout: 2, RedrivePolicy: redrive('PlainDead', 2) }),
      PlainDead: queue(),
      Unreadable: queue(),
      Role: role('lambda.amazonaws.com', [
        allow('sqs:SendMessage', [arn('Successes'), arn('Failures'), arn('Dead')]),
        allow(consume, [arn('Fifo'), arn('Plain')]),
      ]),
      Async: nodeFunction(asyncCode, 'Role', { DeadLetterConfig: { TargetArn: arn('Dead') } }),
      AsyncConfig: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: {
          FunctionName: { Ref: 'Async' },
          Qualifier: '$LATEST',
          DestinationConfig: {
            OnSuccess: { Destination: arn('Successes') },
            OnFailure: { Destination: arn('Failures') },
          },
        },
      },
      Ungranted: nodeFunction(asyncCode, 'Role'),
      UngrantedConfig: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: {
          FunctionName: { Ref: 'Ungranted' },
          Qualifier: '$LATEST',
          DestinationConfig: { OnSuccess: { Destination: arn('Forbidden') } },
        },
      },
      Ordered: nodeFunction(batchCode, 'Role', { Timeout: 2 }),
      OrderedSource: mapping('Fifo', 'Ordered'),
      Batch: nodeFunction(batchCode, 'Role', { Timeout: 2 }),
      BatchSource: mapping('Plain', 'Batch'),
      Denied: nodeFunction(batchCode, 'Role', { Timeout: 2 }),
      DeniedSource: mapping('Unreadable', 'Denied'),
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function received(name: string): Promise<Message[]> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: stack.outputs[`${name}Ref`],
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    );
    for (const message of Messages) {
      await sqs.send(
        new DeleteMessageCommand({
          QueueUrl: stack.outputs[`${name}Ref`],
          ReceiptHandle: message.ReceiptHandle,
        }),
      );
    }
    return Messages;
  }

  async function next(name: string): Promise<Message> {
    return await eventually(`a message in ${name}`, async () => (await received(name))[0]);
  }

  async function send(event: object, name = 'AsyncRef') {
    const answer = await lambda.send(
      new InvokeCommand({
        FunctionName: stack.outputs[name],
        InvocationType: 'Event',
        Payload: JSON.stringify(event),
      }),
    );
    expect(answer.StatusCode).toBe(202);
  }

  /** What a function logged as seen, oldest first; empty while it has no log. */
  async function seenBy(name: string): Promise<Array<Record<string, unknown>>> {
    const lines = await logLines(cloud, `/aws/lambda/${stack.outputs[name]}`, 'seen');
    return lines
      .map((line) => JSON.parse(line.slice(line.indexOf('{'))))
      .sort((one, other) => one.at - other.at);
  }

  describe('asynchronous invocation', () => {
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    test('a success is recorded at its destination', async () => {
      await send({ id: 'one' });
      const record = JSON.parse((await next('Successes')).Body ?? '');
      expect(record).toMatchObject({
        version: '1.0',
        requestContext: {
          functionArn: `${stack.outputs.AsyncArn}:$LATEST`,
          condition: 'Success',
          approximateInvokeCount: 1,
        },
        requestPayload: { id: 'one' },
        responseContext: { statusCode: 200, executedVersion: '$LATEST' },
        responsePayload: { id: 'one' },
      });
      expect(record.requestContext.requestId).toBe(record.responsePayload.requestId);
    });

    test('a failure is retried twice as the same request, then recorded and kept', async () => {
      await send({ id: 'two', fail: true });
      const record = JSON.parse((await next('Failures')).Body ?? '');
      expect(record).toMatchObject({
        requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
        requestPayload: { id: 'two', fail: true },
        responseContext: { statusCode: 200, functionError: 'Unhandled' },
        responsePayload: { errorType: 'Refused', errorMessage: 'refused two' },
      });
      const dead = await next('Dead');
      expect(JSON.parse(dead.Body ?? '')).toEqual({ id: 'two', fail: true });
      expect(dead.MessageAttributes).toMatchObject({
        RequestID: { DataType: 'String', StringValue: record.requestContext.requestId },
        ErrorCode: { DataType: 'Number', StringValue: '200' },
        ErrorMessage: { DataType: 'String', StringValue: 'refused two' },
      });
    });

    test('throttles lose no event and take no retry', async () => {
      const FunctionName = stack.outputs.AsyncRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }));
      try {
        for (let i = 0; i < 6; i += 1) await send({ id: `burst ${i}`, sleep: 200 });
        const found = new Map<string, number>();
        await eventually('six records', async () => {
          for (const message of await received('Successes')) {
            const { responsePayload, requestContext } = JSON.parse(message.Body ?? '');
            found.set(responsePayload.id, requestContext.approximateInvokeCount);
          }
          return found.size === 6;
        });
        expect([...found.values()]).toEqual([1, 1, 1, 1, 1, 1]);
        expect(await received('Failures')).toEqual([]);
      } finally {
        await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      }
    });

    // https://docs.aws.amazon.com/lambda/latest/dg/services-cloudformation.html
    test('what CloudFormation asks of a custom resource waits for room, too', async () => {
      const Code = `
        exports.handler = async (event) => {
          if (event.sleep) return await new Promise((r) => setTimeout(r, event.sleep));
          const { StackId, RequestId, LogicalResourceId } = event;
          await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({
            ...{ Status: 'SUCCESS', PhysicalResourceId: 'made', StackId, RequestId, LogicalResourceId } }) });
        };`;
      const Resources = {
        Role: role('lambda.amazonaws.com', []),
        Function: nodeFunction(Code, 'Role', { ReservedConcurrentExecutions: 1, Timeout: 30 }),
      };
      const behind = lifeCycle(cloud, 'behind');
      const { outputs } = await behind.create({
        Resources,
        Outputs: { Name: { Value: { Ref: 'Function' } } },
      });
      const FunctionName = outputs.Name;
      const Payload = JSON.stringify({ sleep: 2_000 });
      await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
      await sleep(500);
      const Custom = { Type: 'Custom::Made', Properties: { ServiceToken: arn('Function') } };
      const answer = await behind.update({ Resources: { ...Resources, Custom } });
      expect(answer).toMatchObject({ status: 'UPDATE_COMPLETE' });
    });

    test('with no concurrency at all an event goes to the dead letters without an attempt', async () => {
      const FunctionName = stack.outputs.AsyncRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      try {
        await send({ id: 'stopped' });
        expect(JSON.parse((await next('Dead')).Body ?? '')).toEqual({ id: 'stopped' });
        await next('Failures');
      } finally {
        await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      }
    });

    test('a destination that the execution role may not write to gets nothing', async () => {
      await send({ id: 'three' }, 'UngrantedRef');
      await send({ id: 'four' });
      await next('Successes');
      expect(await received('Forbidden')).toEqual([]);
    });
  });

  describe('event source mappings', () => {
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    test('a FIFO queue keeps the order of a group through partial failures', async () => {
      await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: stack.outputs.FifoRef,
          Entries: ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'].map((id) => ({
            Id: id,
            MessageBody: JSON.stringify({ id, ...(id === 'a2' && { fail: 1 }) }),
            MessageGroupId: id.slice(0, 1),
            MessageDeduplicationId: id,
          })),
        }),
      );
      await eventually('all messages to be handled', async () => {
        const all = await seenBy('OrderedRef');
        return (
          new Set(all.map((message) => message.id)).size === 6 && all.some((m) => m.id === 'a3' && m) && all
        );
      });
      const lastTimes = await eventually('the retry of a2', async () => {
        const all = await seenBy('OrderedRef');
        return all.some((m) => m.id === 'a2' && Number(m.times) > 1) && all;
      });
      for (const group of ['a', 'b']) {
        const settled = new Map(lastTimes.filter((m) => m.group === group).map((m, index) => [m.id, index]));
        expect([...settled].sort((x, y) => x[1] - y[1]).map(([id]) => id)).toEqual(
          [1, 2, 3].map((i) => `${group}${i}`),
        );
      }
    });

    test('a message that keeps failing goes to the dead letters, and its group goes on', async () => {
      for (const body of [{ id: 'c1', fail: 'always' }, { id: 'c2' }]) {
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: stack.outputs.FifoRef,
            MessageBody: JSON.stringify(body),
            MessageGroupId: 'c',
            MessageDeduplicationId: body.id,
          }),
        );
      }
      expect(JSON.parse((await next('FifoDead')).Body ?? '')).toMatchObject({ id: 'c1' });
      const seen = await eventually('c2', async () => {
        const all = await seenBy('OrderedRef');
        return all.some((message) => message.id === 'c2') && all;
      });
      expect(seen.filter((message) => message.id === 'c1').map((message) => message.times)).toEqual([1, 2]);
    });

    test('an error, or an answer that names no message, leaves the whole batch in the queue', async () => {
      for (const body of [{ id: 'thrown', throw: true }, { id: 'unknown', unknown: true }, { id: 'good' }]) {
        await sqs.send(
          new SendMessageCommand({ QueueUrl: stack.outputs.PlainRef, MessageBody: JSON.stringify(body) }),
        );
        await eventually(`${body.id} to be seen`, async () =>
          (await seenBy('BatchRef')).some((message) => message.id === body.id),
        );
      }
      const dead = [await next('PlainDead'), await next('PlainDead')];
      expect(dead.map((message) => JSON.parse(message.Body ?? '').id).sort()).toEqual(['thrown', 'unknown']);
      const seen = await seenBy('BatchRef');
      expect(seen.filter((message) => message.id === 'good')).toHaveLength(1);
      expect(seen.filter((message) => message.id === 'thrown')).toHaveLength(2);
    });

    test('none of a burst of messages is lost', async () => {
      const wanted = new Set<string>();
      for (let batch = 0; batch < 30; batch += 1) {
        const ids = Array.from({ length: 10 }, (_, i) => `burst-${batch}-${i}`);
        for (const id of ids) wanted.add(id);
        await sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: stack.outputs.PlainRef,
            Entries: ids.map((id) => ({ Id: id, MessageBody: JSON.stringify({ id }) })),
          }),
        );
      }
      await eventually(
        'the burst',
        async () => {
          for (const message of await seenBy('BatchRef')) wanted.delete(String(message.id));
          return wanted.size === 0;
        },
        30_000,
      );
    });

    test('a throttled batch waits for the function, and its messages are received once', async () => {
      const FunctionName = stack.outputs.OrderedRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }));
      try {
        const held = lambda.send(new InvokeCommand({ FunctionName, Payload: '{"hold":700}' }));
        await sleep(150);
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: stack.outputs.FifoRef,
            MessageBody: '{"id":"throttled"}',
            MessageGroupId: 'd',
            MessageDeduplicationId: 'throttled',
          }),
        );
        expect((await held).FunctionError).toBeUndefined();
        const seen = await eventually('the throttled message', async () =>
          (await seenBy('OrderedRef')).find((message) => message.id === 'throttled'),
        );
        expect(seen.times).toBe(1);
      } finally {
        await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      }
    });

    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    test('a queue that the execution role may not read is not read', async () => {
      await sqs.send(
        new SendMessageCommand({ QueueUrl: stack.outputs.UnreadableRef, MessageBody: '{"id":1}' }),
      );
      const { EventSourceMappings = [] } = await lambda.send(
        new ListEventSourceMappingsCommand({ FunctionName: stack.outputs.DeniedRef }),
      );
      const UUID = EventSourceMappings[0]?.UUID;
      await eventually('the mapping to report its problem', async () => {
        const mapping = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
        return mapping.LastProcessingResult?.startsWith('PROBLEM');
      });
      expect(await seenBy('DeniedRef')).toEqual([]);
    });
  });
});
