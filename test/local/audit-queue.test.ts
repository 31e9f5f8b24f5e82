import { rm } from 'node:fs/promises';
import {
  CreateArchiveCommand,
  DescribeReplayCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  StartReplayCommand,
} from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Duration, type Stack } from 'aws-cdk-lib';
import { AuditLog } from '../../lib/audit/audit-log.ts';
import { RekeyBus } from '../../lib/events/rekey-bus.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { logLines } from './support/logs.ts';
import { deployStack, type TestStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';

/** Stands in for the writer: it tells what it was given, in its log. */
const writer = `
exports.handler = async ({ Records }) => {
  for (const { body } of Records) console.log('seen ' + body);
};`;

interface Record {
  readonly source: string;
  readonly 'detail-type': string;
  readonly 'replay-name'?: string;
  readonly detail: { readonly id: string };
}

describe('the queue of the audit log, as deployed', () => {
  let directory: string;
  let cloud: LocalCloud;
  let events: EventBridgeClient;
  let sqs: SQSClient;
  let stack: TestStack;
  let writerLogs = '';
  let queueArn = '';
  let busName = '';
  let deadUrl = '';

  beforeAll(async () => {
    directory = await newFolder('audit-queue');
    cloud = await startCloud({ directory });
    events = new EventBridgeClient(cloud.clientOptions());
    sqs = new SQSClient(cloud.clientOptions());
    const names = { bus: '', queue: '', writerLogs: '' };
    const resources = synthesize(
      cloud,
      (app: Stack) => {
        const bus = new RekeyBus(app, 'Bus', { environment: 'test' });
        const log = new AuditLog(app, 'AuditLog', { bus, retention: Duration.days(1) });
        const id = (construct: { node: { defaultChild?: unknown } }) =>
          app.getLogicalId(construct.node.defaultChild as Parameters<Stack['getLogicalId']>[0]);
        names.bus = id(bus.eventBus);
        names.queue = id(log.queue);
        names.writerLogs = id(log.writer.logGroup);
      },
      () => writer,
    );
    stack = await deployStack(cloud, 'audit', {
      ...resources,
      // What somebody else in the account may make for a rule of their own.
      Dead: { Type: 'AWS::SQS::Queue' },
      DeadPolicy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'Dead' }],
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'events.amazonaws.com' },
                Action: 'sqs:SendMessage',
                Resource: { 'Fn::GetAtt': ['Dead', 'Arn'] },
              },
            ],
          },
        },
      },
    });
    busName = stack.outputs[`${names.bus}Ref`] ?? '';
    queueArn = stack.outputs[`${names.queue}Arn`] ?? '';
    writerLogs = stack.outputs[`${names.writerLogs}Ref`] ?? '';
    deadUrl = stack.outputs.DeadRef ?? '';
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function put(source: string, id: string, EventBusName = busName): Promise<void> {
    const answer = await events.send(
      new PutEventsCommand({
        Entries: [{ EventBusName, Source: source, DetailType: 'Anything', Detail: JSON.stringify({ id }) }],
      }),
    );
    expect(answer.FailedEntryCount).toBe(0);
  }

  const written = async (): Promise<Record[]> =>
    (await logLines(cloud, writerLogs, 'seen')).map((line) => JSON.parse(line.slice(line.indexOf('{'))));

  const writtenOnce = async (id: string) =>
    await eventually(`the record ${id}`, async () =>
      (await written()).find((record) => record.detail.id === id),
    );

  test('takes what is on the bus, encrypted under a key that names who may use it', async () => {
    await put('rekey.rotation', 'genuine');
    expect(await writtenOnce('genuine')).toMatchObject({
      source: 'rekey.rotation',
      detail: { id: 'genuine' },
    });
  });

  test('takes nothing of a rule that somebody else made', async () => {
    const deadArn = stack.outputs.DeadArn;
    await events.send(
      new PutRuleCommand({ Name: 'forger', EventPattern: JSON.stringify({ source: ['forger'] }) }),
    );
    await events.send(
      new PutTargetsCommand({
        Rule: 'forger',
        Targets: [
          {
            Id: 'queue',
            Arn: queueArn,
            SqsParameters: { MessageGroupId: 'audit' },
            DeadLetterConfig: { Arn: deadArn },
            InputTransformer: {
              InputPathsMap: { id: '$.detail.id' },
              InputTemplate: '{"source":"rekey.rotation","detail-type":"Anything","detail":{"id":<id>}}',
            },
          },
        ],
      }),
    );
    await put('forger', 'forged', 'default');
    const refused = await eventually('the forged record to be refused', async () => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadUrl, MessageAttributeNames: ['All'] }),
      );
      return Messages?.[0] ?? (await written()).find((record) => record.detail.id === 'forged');
    });
    expect(refused).toMatchObject({
      MessageAttributes: { ERROR_CODE: { StringValue: 'NO_PERMISSIONS' } },
    });
    await put('rekey.rotation', 'after the forgery');
    await writtenOnce('after the forgery');
    expect((await written()).map((record) => record.detail.id)).not.toContain('forged');
  });

  test('takes nothing that a replay brings again', async () => {
    const busArn = `arn:aws:events:${cloud.region}:${cloud.accountId}:event-bus/${busName}`;
    const { ArchiveArn } = await events.send(
      new CreateArchiveCommand({ ArchiveName: 'all', EventSourceArn: busArn }),
    );
    // A witness that is not Rekey's: it sees what the replay brings.
    await events.send(
      new PutRuleCommand({
        Name: 'witness',
        EventBusName: busName,
        EventPattern: JSON.stringify({ 'replay-name': [{ exists: true }] }),
      }),
    );
    const begin = new Date(Date.now() - 60_000);
    await put('rekey.rotation', 'archived');
    await writtenOnce('archived');
    await events.send(
      new PutTargetsCommand({
        Rule: 'witness',
        EventBusName: busName,
        Targets: [{ Id: 'dead', Arn: stack.outputs.DeadArn }],
      }),
    );
    await events.send(
      new StartReplayCommand({
        ReplayName: 'again',
        EventSourceArn: ArchiveArn,
        EventStartTime: begin,
        EventEndTime: new Date(Date.now() + 1000),
        Destination: { Arn: busArn },
      }),
    );
    await eventually('the replay to end', async () => {
      const { State } = await events.send(new DescribeReplayCommand({ ReplayName: 'again' }));
      return State === 'COMPLETED';
    });
    const replayed = await eventually('the witness', async () => {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadUrl }));
      return Messages?.map(({ Body }) => JSON.parse(Body ?? '{}') as Record).find(
        (record) => record['replay-name'] === 'again',
      );
    });
    expect(replayed.detail.id).toBe('archived');
    await put('rekey.rotation', 'after the replay');
    await writtenOnce('after the replay');
    expect((await written()).filter((record) => record.detail.id === 'archived')).toHaveLength(1);
  });
});
