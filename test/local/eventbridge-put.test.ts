import { rm } from 'node:fs/promises';
import {
  DeleteRuleCommand,
  DescribeEventBusCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventBridgeRules } from '../../adapters/operator/bus-rules.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusal, refusalText } from './support/refusal.ts';
import { deployStack, type TestStack } from './support/stack.ts';

describe('EventBridge', () => {
  let directory: string;
  let cloud: LocalCloud;
  let events: EventBridgeClient;
  let stack: TestStack;

  beforeAll(async () => {
    directory = await newFolder('put-events');
    cloud = await startCloud({ directory });
    events = new EventBridgeClient(cloud.clientOptions());
    stack = await deployStack(cloud, 'put-events', {
      Queue: { Type: 'AWS::SQS::Queue' },
      Policy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'Queue' }],
          PolicyDocument: {
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'events.amazonaws.com' },
                Action: 'sqs:SendMessage',
                Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] },
              },
            ],
          },
        },
      },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['rekey.test'], 'detail-type': ['Matched'] },
          Targets: [{ Id: 'target', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } }],
        },
      },
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
  describe('PutEvents', () => {
    const good = { Source: 'rekey.test', DetailType: 'Unmatched', Detail: '{}' };

    test('answers each entry by itself', async () => {
      const answer = await events.send(
        new PutEventsCommand({
          Entries: [
            good,
            { ...good, Detail: '{"open": ' },
            { ...good, Detail: '[]' },
            { DetailType: 'a', Detail: '{}' },
            { Source: 'a', Detail: '{}' },
            { Source: 'a', DetailType: 'a' },
            { ...good, Source: 'aws.s3' },
            good,
          ],
        }),
      );
      expect(answer.FailedEntryCount).toBe(6);
      expect(answer.Entries?.map((entry) => entry.ErrorCode)).toEqual([
        undefined,
        'MalformedDetail',
        'MalformedDetail',
        'InvalidArgument',
        'InvalidArgument',
        'InvalidArgument',
        'NotAuthorizedForSourceException',
        undefined,
      ]);
      expect(answer.Entries?.[0]?.EventId).toBeTruthy();
    });

    // Recorded on AWS 2025-01: LocalStack's tests/aws/services/events/test_events.snapshot.json, …entries_size_limit….
    test('refuses more than 10 entries, none, and more than 256 KB in all, or 1 MB as its page says now', async () => {
      const send = async (entries: object[]) => await events.send(new PutEventsCommand({ Entries: entries }));
      await expect(send(Array.from({ length: 11 }, () => good))).rejects.toThrow(/less than or equal to 10/);
      await expect(send([])).rejects.toThrow(/greater than or equal to 1/);
      const large = (length: number) => ({ ...good, Detail: JSON.stringify({ text: 'x'.repeat(length) }) });
      const over = 'Total size of the entries in the request is over the limit.';
      expect((await send([large(130_000), large(130_000)])).FailedEntryCount).toBe(0);
      await expect(send([large(130_000), large(133_000)])).rejects.toThrow(over);
      await cloud.read('put-events-limit', '1-MB');
      expect((await send([large(600_000)])).FailedEntryCount).toBe(0);
      await expect(send([large(600_000), large(600_000)])).rejects.toThrow(over);
      await cloud.read('put-events-limit', '256-KB');
    });

    // Recorded on AWS 2025-01-08: test_put_events_time.
    test('gives the event the time of its entry, in whole seconds', async () => {
      const Time = new Date('2026-02-03T04:05:06.789Z');
      await events.send(new PutEventsCommand({ Entries: [{ ...good, DetailType: 'Matched', Time }] }));
      const sqs = new SQSClient(cloud.clientOptions());
      const message = await eventually('the event', async () => {
        const QueueUrl = stack.outputs.QueueRef;
        return (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0];
      });
      expect(JSON.parse(message.Body ?? '{}')).toMatchObject({ time: '2026-02-03T04:05:06Z' });
    });

    // Recorded on AWS 2025-01-08: test_put_events_nonexistent_event_bus.
    test('takes events for a bus that is not there, and loses them', async () => {
      const EventBusName = 'nowhere';
      const answer = await events.send(new PutEventsCommand({ Entries: [{ ...good, EventBusName }] }));
      expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
      const gone = 'ResourceNotFoundException: Event bus nowhere does not exist.';
      const described = events.send(new DescribeEventBusCommand({ Name: EventBusName }));
      expect(await refusal(described)).toBe('ResourceNotFoundException');
      expect(await refusalText(events.send(new ListRulesCommand({ EventBusName })))).toBe(gone);
      // So Rekey's doctor learns of a missing bus from its rules, never from what it could publish.
      const rules = new EventBridgeRules(events);
      expect(await rules.list(EventBusName)).toBeUndefined();
      await rules.tryPublish(EventBusName, 'rekey.cli', 'Any');
    });
  });

  // Recorded on AWS 2025-01: test_delete_rule_with_targets, test_put_target_id_validation, test_put_targets_with_….
  test('rules and targets that EventBridge refuses', async () => {
    const Name = 'refused';
    await events.send(new PutRuleCommand({ Name, EventPattern: '{"source":["rekey.test"]}' }));
    const Arn = stack.outputs.QueueArn ?? '';
    const targets = async (...Targets: Target[]) =>
      await events.send(new PutTargetsCommand({ Rule: Name, Targets }));
    expect(await refusal(targets({ Id: 'no spaces', Arn }))).toBe('ValidationException');
    const InputTransformer = { InputTemplate: '"x"' };
    expect(await refusalText(targets({ Id: 'both', Arn, InputPath: '$.detail', InputTransformer }))).toBe(
      'ValidationException: Only one of Input, InputPath, or InputTransformer must be provided for target both.',
    );
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
    const sized = (length: number) => JSON.stringify('x'.repeat(length - 2));
    expect(await refusal(targets({ Id: 'a', Arn, Input: sized(8_193) }))).toBe('ValidationException');
    await targets({ Id: 'a', Arn, Input: sized(8_192) });
    const five = ['a', 'b', 'c', 'd', 'e'].map((Id) => ({ Id, Arn }));
    await targets(...five);
    await targets({ Id: 'a', Arn });
    expect(await refusalText(targets({ Id: 'sixth', Arn }))).toBe(
      'LimitExceededException: The requested resource exceeds the maximum number allowed.',
    );
    expect(await refusalText(events.send(new DeleteRuleCommand({ Name })))).toBe(
      "ValidationException: Rule can't be deleted since it has targets.",
    );
    await events.send(new RemoveTargetsCommand({ Rule: Name, Ids: five.map(({ Id }) => Id) }));
    await events.send(new DeleteRuleCommand({ Name }));
  });
});
