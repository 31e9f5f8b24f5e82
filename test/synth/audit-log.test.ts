import { beforeAll, describe, expect, test } from '@jest/globals';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AuditLog } from '../../lib/audit/audit-log.ts';
import { RekeyBus } from '../../lib/events/rekey-bus.ts';
import { testApp } from './support/app.ts';

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

let template: Template;
let log: AuditLog;
let stack: Stack;

beforeAll(() => {
  const app = testApp({ flags: {} });
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  stack = new Stack(app, 'Audit', { env: { account: '111122223333', region: 'eu-central-1' } });
  const bus = new RekeyBus(stack, 'Bus', { environment: 'test' });
  log = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(30) });
  // Synthesis fails on any finding of cdk-nag that is not acknowledged.
  app.synth();
  template = Template.fromStack(stack);
});

const id = (construct: { node: { defaultChild?: unknown } }) =>
  stack.getLogicalId(construct.node.defaultChild as Parameters<Stack['getLogicalId']>[0]);

const statementsOf = (type: string, owns: (properties: Record<string, unknown>) => boolean): Statement[] =>
  Object.values(template.findResources(type))
    .map(({ Properties }) => Properties as Record<string, unknown>)
    .filter(owns)
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: Statement[] }).Statement);

const bucketStatements = () =>
  statementsOf('AWS::S3::BucketPolicy', ({ Bucket }) => JSON.stringify(Bucket).includes(id(log.bucket)));

const writerStatements = () =>
  statementsOf('AWS::IAM::Policy', ({ Roles }) => JSON.stringify(Roles).includes(id(log.writer.role)));

describe('the audit log', () => {
  test('its bucket locks what is written, in compliance mode, versioned and with its own key', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: Match.objectLike({
        ObjectLockEnabled: true,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } },
        },
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            {
              BucketKeyEnabled: true,
              ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }),
            },
          ],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LoggingConfiguration: Match.anyValue(),
      }),
    });
    template.hasResource('AWS::KMS::Key', {
      DeletionPolicy: 'Retain',
      Properties: Match.objectLike({ EnableKeyRotation: true }),
    });
  });

  test('nobody but the writer writes a record, nobody writes over one, nobody deletes one', () => {
    const denied = bucketStatements().filter(({ Effect }) => Effect === 'Deny');
    expect(denied.map(({ Sid, Action, Condition }) => ({ Sid, Action, Condition }))).toEqual(
      expect.arrayContaining([
        {
          Sid: 'OnlyTheWriterWrites',
          Action: 's3:PutObject',
          Condition: {
            ArnNotEquals: { 'aws:PrincipalArn': { 'Fn::GetAtt': [id(log.writer.role), 'Arn'] } },
          },
        },
        {
          Sid: 'OnlyWhereNothingIs',
          Action: 's3:PutObject',
          Condition: { Null: { 's3:if-none-match': 'true' } },
        },
        {
          Sid: 'NothingIsDeleted',
          Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
          Condition: undefined,
        },
        expect.objectContaining({
          Action: 's3:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ]),
    );
    expect(bucketStatements().filter(({ Effect }) => Effect === 'Allow')).toEqual([]);
  });

  test('the writer may add and read records, take its queue, and nothing else', () => {
    const actions = writerStatements()
      .flatMap(({ Action }) => Action)
      .filter((action) => !action.startsWith('logs:') && !action.startsWith('xray:'));
    expect([...new Set(actions)].sort()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      's3:GetObject',
      's3:GetObjectVersion',
      's3:ListBucket',
      's3:ListBucketVersions',
      's3:PutObject',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
    ]);
    const puts = writerStatements().filter(({ Action }) => [Action].flat().includes('s3:PutObject'));
    expect(JSON.stringify(puts.map(({ Resource }) => Resource))).toContain('/entries/*');
    expect(
      writerStatements().filter(
        ({ Resource, Action }) => Resource === '*' && ![Action].flat()[0]?.startsWith('xray:'),
      ),
    ).toEqual([]);
  });

  test('everything on the bus goes, in order, through one encrypted queue to the writer', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: [{ prefix: '' }], 'replay-name': [{ exists: false }] },
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [id(log.queue), 'Arn'] },
          SqsParameters: { MessageGroupId: 'audit' },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [id(log.undeliveredQueue), 'Arn'] } },
        }),
      ],
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      FifoQueue: true,
      ContentBasedDeduplication: true,
      KmsMasterKeyId: Match.anyValue(),
      MessageRetentionPeriod: 14 * 86_400,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [id(log.deadLetterQueue), 'Arn'] } },
    });
    const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'));
    expect(mappings.map(({ Properties }) => Properties)).toEqual([
      expect.objectContaining({ BatchSize: 10, EventSourceArn: { 'Fn::GetAtt': [id(log.queue), 'Arn'] } }),
    ]);
    expect(mappings[0]?.Properties.MaximumBatchingWindowInSeconds).toBeUndefined();
  });

  test('the bus reaches the queues by this rule alone, and the key for this account alone', () => {
    const [[rule] = []] = Object.entries(template.findResources('AWS::Events::Rule'));
    for (const queue of [log.queue, log.undeliveredQueue]) {
      const allowed = statementsOf('AWS::SQS::QueuePolicy', ({ Queues }) =>
        JSON.stringify(Queues).includes(`"${id(queue)}"`),
      ).filter(({ Effect }) => Effect === 'Allow');
      expect(allowed).toEqual([
        {
          Sid: 'TheRuleOfThisLog',
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: { 'Fn::GetAtt': [id(queue), 'Arn'] },
          Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [rule, 'Arn'] } } },
        },
      ]);
    }
    const keys = Object.values(template.findResources('AWS::KMS::Key')).flatMap(
      ({ Properties }) => Properties.KeyPolicy.Statement as (Statement & { Principal: unknown })[],
    );
    expect(keys.filter(({ Principal }) => JSON.stringify(Principal).includes('amazonaws.com'))).toEqual([
      expect.objectContaining({
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
      }),
    ]);
  });

  test('what the bus cannot bring into the queue is kept under another key than the queue’s', () => {
    const queues = template.findResources('AWS::SQS::Queue');
    expect(queues[id(log.undeliveredQueue)]?.Properties).toMatchObject({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 86_400,
    });
    expect(queues[id(log.undeliveredQueue)]?.Properties.KmsMasterKeyId).toBeUndefined();
  });

  test('late and stuck records raise an alarm', () => {
    const names = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties.AlarmName,
    );
    expect(names.sort()).toEqual([
      'rekey-test-audit-dead-letters',
      'rekey-test-audit-dead-letters-undelivered',
      'rekey-test-audit-delayed',
      'rekey-test-audit-log-broken',
      'rekey-test-audit-stalled',
      'rekey-test-audit-writer-errors',
      'rekey-test-function-throttled-audit',
    ]);
  });
});
