import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusal, refusalText } from './support/refusal.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const code = `exports.handler = async () => { throw new Error('refused'); };`;

/** Recorded on AWS by LocalStack: tests/aws/services/{sqs,lambda_}/**\/*.snapshot.json. */
describe('Queues, and what Lambda does with them, as recorded', () => {
  let directory: string;
  let cloud: LocalCloud;
  let sqs: SQSClient;
  let lambda: LambdaClient;
  let stack: TestStack;

  beforeAll(async () => {
    directory = await newFolder('queues');
    cloud = await startCloud({ directory });
    sqs = new SQSClient(cloud.clientOptions());
    lambda = new LambdaClient(cloud.clientOptions());
    stack = await deployStack(cloud, 'queues', {
      Fifo: {
        Type: 'AWS::SQS::Queue',
        Properties: { FifoQueue: true, ContentBasedDeduplication: true, VisibilityTimeout: 1 },
      },
      Plain: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 1 } },
      Failures: { Type: 'AWS::SQS::Queue' },
      Source: { Type: 'AWS::SQS::Queue' },
      Role: role('lambda.amazonaws.com', [allow('sqs:*')]),
      Function: nodeFunction(code, 'Role', { Timeout: 2 }),
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const url = (name: string) => stack.outputs[`${name}Ref`];

  const receive = async (name: string): Promise<Message> =>
    await eventually(`a message in ${name}`, async () => {
      return (await sqs.send(new ReceiveMessageCommand({ QueueUrl: url(name) }))).Messages?.[0];
    });

  // 2025-03-28: test_fifo_delete_after_visibility_timeout, and test_delete_after_visibility_timeout.
  test('a FIFO queue takes no handle after the visibility timeout, a standard queue does', async () => {
    const QueueUrl = url('Fifo');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'first', MessageGroupId: 'a' }));
    const { ReceiptHandle } = await receive('Fifo');
    await sleep(1_200);
    const late = sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    expect(await refusalText(late)).toMatch(
      /^InvalidParameterValue: .*Reason: The receipt handle has expired\.$/,
    );
    const Entries = [{ Id: 'one', ReceiptHandle }];
    const { Failed } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    expect(Failed).toMatchObject([{ Id: 'one', Code: 'InvalidParameterValue' }]);
    const again = await receive('Fifo');
    expect(again.Body).toBe('first');
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again.ReceiptHandle }));

    await sqs.send(new SendMessageCommand({ QueueUrl: url('Plain'), MessageBody: 'second' }));
    const plain = await receive('Plain');
    await sleep(1_200);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url('Plain'), ReceiptHandle: plain.ReceiptHandle }));
  });

  test('a mapping needs a queue, is made once, and takes more than ten messages only in a window', async () => {
    const FunctionName = url('Function');
    const map = async (EventSourceArn: string | undefined, more: object = {}) =>
      await lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, ...more }));
    expect(await refusalText(map(`arn:aws:sqs:${cloud.region}:${cloud.accountId}:absent`))).toContain(
      'InvalidParameterValueException: Error occurred while ReceiveMessage.',
    );
    expect(await refusal(map(stack.outputs.SourceArn, { BatchSize: 11 }))).toBe(
      'InvalidParameterValueException',
    );
    const { UUID } = await map(stack.outputs.SourceArn, { BatchSize: 11, MaximumBatchingWindowInSeconds: 1 });
    const twice = await refusalText(map(stack.outputs.SourceArn));
    expect(twice).toMatch(/^ResourceConflictException: An event source mapping with SQS arn/);
    expect(twice).toContain(UUID);
  });

  // 2025-11: test_lambda_destinations.snapshot.json. AWS waits 1 minute, then 2, before it tries again.
  test.each([
    [60, 'EventAgeExceeded', 1],
    [100, 'EventAgeExceeded', 2],
    [300, 'RetriesExhausted', 3],
  ])('an event of at most %d s ends as %s after %d attempts', async (age, condition, attempts) => {
    const FunctionName = url('Function');
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        MaximumEventAgeInSeconds: age,
        DestinationConfig: { OnFailure: { Destination: stack.outputs.FailuresArn } },
      }),
    );
    await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: '{}' }));
    const record = await receive('Failures');
    expect(JSON.parse(record.Body ?? '{}').requestContext).toMatchObject({
      condition,
      approximateInvokeCount: attempts,
    });
    await sqs.send(
      new DeleteMessageCommand({ QueueUrl: url('Failures'), ReceiptHandle: record.ReceiptHandle }),
    );
  });
});
