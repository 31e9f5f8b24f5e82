import { beforeAll, describe, expect, test } from '@jest/globals';
import { App, CfnResource, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import * as z from 'zod';
import * as index from '../../lib/index.ts';
import {
  Approvals,
  ApproverRole,
  Attribution,
  AuditLog,
  AuditorRole,
  ContainmentFunction,
  Fingerprints,
  ForeignRotationFunction,
  HoneySecret,
  Network,
  Notifier,
  OperatorRole,
  Pipeline,
  PipelineRole,
  PolicyAuthorRole,
  Quarantine,
  RekeyBus,
  ResponderRole,
  RevocationWorkflow,
  RotatedSecret,
  RotationFunction,
  RotationObserver,
  RunbookAlarm,
  SecretLifecycle,
  Signals,
  StandardFunction,
  Trail,
} from '../../lib/index.ts';
import { allowedActions, statements } from './support/app.ts';

/** Each exported construct in an app of its owner's: the resources that it makes, and what the roles of people may. */

let template: Template;
let made: Readonly<Record<string, Construct>>;

beforeAll(() => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'app', { env: { account: '111122223333', region: 'eu-central-1' } });
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  const log = new AuditLog(stack, 'Log', { bus, retention: Duration.days(1) });
  const auditQueue = log.queue;
  const target = { type: 'postgresql', strategy: 'single-user', bus, auditQueue } as const;
  const rotation = new RotationFunction(stack, 'Rotation', target);
  const containment = new ContainmentFunction(stack, 'Containment', target);
  const orders = new RotatedSecret(stack, 'Orders', {
    secret: { adopt: { id: 'orders' } },
    rotation,
    containment,
    owner: 'team-orders',
  });
  const foreign = new ForeignRotationFunction(stack, 'Foreign', {
    functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:theirs',
    strategy: 'single-user',
  });
  const workflow = new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue, secrets: [orders] });
  const trail = new Trail(stack, 'Trail', { bus, log });
  const access = { environment: 'prod', principals: ['111122223333'] } as const;
  made = {
    RekeyBus: bus,
    AuditLog: log,
    RotationFunction: rotation,
    ContainmentFunction: containment,
    ForeignRotationFunction: foreign,
    RotatedSecret: orders,
    RevocationWorkflow: workflow,
    SecretLifecycle: new SecretLifecycle(stack, 'Lifecycle', {
      bus,
      auditQueue,
      secrets: [orders],
      manualSecrets: {
        licence: {
          secret: 'vendor/licence',
          owner: 'team-orders',
          purpose: 'opens an API',
          replaceEvery: Duration.days(180),
        },
      },
    }),
    Approvals: new Approvals(stack, 'Approvals', { bus, auditQueue, revocation: ['replace'] }),
    Quarantine: new Quarantine(stack, 'Quarantine', {
      bus,
      auditQueue,
      principals: ['arn:aws:iam::111122223333:role/app-*'],
    }),
    RotationObserver: new RotationObserver(stack, 'Observer', { bus, auditQueue, secrets: [orders] }),
    Fingerprints: new Fingerprints(stack, 'Fingerprints', { bus, auditQueue, secrets: [orders] }),
    Signals: new Signals(stack, 'Signals', {
      bus,
      auditQueue,
      signals: {
        guardduty: { answer: 'ask', mode: 'kill' },
        webhook: { answer: 'act', mode: 'kill', secret: 'scanners/own' },
      },
    }),
    Trail: trail,
    Attribution: new Attribution(stack, 'Attribution', { bus, auditQueue, files: trail }),
    HoneySecret: new HoneySecret(stack, 'Honey', { name: '/prod/payments/root', owner: 'team-security' }),
    RunbookAlarm: new RunbookAlarm(stack, 'Alarm', {
      environment: 'prod',
      runbook: 'rotation-failed',
      metric: new Metric({ namespace: 'Mine', metricName: 'Failed' }),
      topic: new Topic(stack, 'Topic'),
      threshold: 3,
    }),
    OperatorRole: new OperatorRole(stack, 'Operator', { ...access, secrets: [orders], bus, brakes: true }),
    ResponderRole: new ResponderRole(stack, 'Responder', { ...access, bus, workflow: workflow.stateMachine }),
    AuditorRole: new AuditorRole(stack, 'Auditor', { ...access, bucket: log.bucket, key: log.key }),
    PipelineRole: new PipelineRole(stack, 'Pipeline', {
      environment: 'prod',
      pipeline: Pipeline.github({ owner: 'acme', repository: 'orders', environment: 'prod' }),
      secrets: [orders],
      deploys: true,
    }),
    PolicyAuthorRole: new PolicyAuthorRole(stack, 'PolicyAuthor', access),
    ApproverRole: new ApproverRole(stack, 'Approver', access),
    Network: new Network(stack, 'Network', {
      network: { existing: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'], egress: [] } },
      name: 'rekey-prod-orders',
    }),
    Notifier: new Notifier(stack, 'Notifier', {
      bus,
      notifications: { channels: { chat: { kind: 'slack', secret: 'notify/chat' } } },
    }),
    StandardFunction: new StandardFunction(stack, 'Standard', {
      entry: 'session-cutoff',
      service: 'mine',
      description: 'Is there',
      environmentSchema: z.object({}),
      environment: {},
    }),
  };
  template = Template.fromStack(stack);
});

/** Counts the resources that lie in a construct, by their type. A function's log group and role lie beside it. */
function resourcesOf(construct: Construct | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of construct?.node.findAll() ?? []) {
    if (!CfnResource.isCfnResource(node)) continue;
    const type = node.cfnResourceType.replace(/^AWS::/, '');
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

const aFunction = { 'Logs::LogGroup': 1, 'IAM::Role': 1, 'IAM::Policy': 1, 'Lambda::Function': 1 };
const aRole = { 'IAM::Role': 1, 'IAM::Policy': 1, 'IAM::ManagedPolicy': 1 };
const expected: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  RekeyBus: { 'Events::EventBus': 1 },
  AuditLog: {
    ...aFunction,
    'KMS::Key': 1,
    'S3::Bucket': 2,
    'S3::BucketPolicy': 2,
    'SQS::Queue': 3,
    'SQS::QueuePolicy': 3,
    'Lambda::EventSourceMapping': 1,
    'Events::Rule': 1,
    'CloudWatch::Alarm': 7,
  },
  RotationFunction: { ...aFunction, 'Lambda::Permission': 1 },
  ContainmentFunction: aFunction,
  ForeignRotationFunction: {},
  RotatedSecret: { 'SecretsManager::RotationSchedule': 1, 'SSM::Parameter': 1 },
  RevocationWorkflow: {
    'DynamoDB::Table': 1,
    'S3::Bucket': 1,
    'S3::BucketPolicy': 1,
    'SQS::Queue': 1,
    'SQS::QueuePolicy': 1,
    'Logs::LogGroup': 8,
    'IAM::Role': 8,
    'IAM::Policy': 9,
    'Lambda::Function': 6,
    'Lambda::EventInvokeConfig': 2,
    'Lambda::Permission': 3,
    'StepFunctions::StateMachine': 2,
    'Events::Rule': 3,
    'CloudWatch::Alarm': 23,
  },
  SecretLifecycle: {
    ...aFunction,
    'SSM::Parameter': 1,
    'Lambda::EventInvokeConfig': 1,
    'Lambda::Permission': 1,
    'Events::Rule': 1,
    'CloudWatch::Alarm': 3,
  },
  Approvals: {
    'DynamoDB::Table': 1,
    'Logs::LogGroup': 3,
    'IAM::Role': 3,
    'IAM::Policy': 3,
    'Lambda::Function': 3,
    'CloudWatch::Alarm': 7,
  },
  Quarantine: {
    ...aFunction,
    'DynamoDB::Table': 1,
    'SQS::Queue': 1,
    'SQS::QueuePolicy': 1,
    'Lambda::EventInvokeConfig': 1,
    'Lambda::Permission': 1,
    'Events::Rule': 1,
    'CloudWatch::Alarm': 5,
  },
  RotationObserver: {
    ...aFunction,
    'SQS::Queue': 1,
    'SQS::QueuePolicy': 1,
    'Lambda::EventInvokeConfig': 1,
    'Lambda::Permission': 1,
    'Events::Rule': 1,
    'CloudWatch::Alarm': 5,
  },
  Fingerprints: {
    'KMS::Key': 1,
    'DynamoDB::Table': 2,
    'Logs::LogGroup': 2,
    'IAM::Role': 2,
    'IAM::Policy': 2,
    'Lambda::Function': 2,
    'Lambda::EventInvokeConfig': 1,
    'Lambda::Permission': 2,
    'Events::Rule': 2,
    'CloudWatch::Alarm': 6,
    'Custom::RekeyFingerprints': 1,
  },
  Signals: {
    'SQS::Queue': 1,
    'SQS::QueuePolicy': 1,
    'Logs::LogGroup': 2,
    'IAM::Role': 2,
    'IAM::Policy': 2,
    'Lambda::Function': 2,
    'Lambda::EventInvokeConfig': 1,
    'Lambda::Permission': 3,
    'Lambda::Url': 1,
    'Events::Rule': 1,
    'CloudWatch::Alarm': 8,
  },
  Trail: { 'CloudTrail::Trail': 1 },
  Attribution: {
    ...aFunction,
    'DynamoDB::Table': 1,
    'SQS::Queue': 2,
    'SQS::QueuePolicy': 2,
    'Lambda::EventSourceMapping': 1,
    'Events::Rule': 2,
    'CloudWatch::Alarm': 5,
  },
  HoneySecret: { 'SecretsManager::Secret': 1 },
  RunbookAlarm: { 'CloudWatch::Alarm': 1 },
  OperatorRole: aRole,
  ResponderRole: aRole,
  AuditorRole: aRole,
  PipelineRole: aRole,
  PolicyAuthorRole: aRole,
  ApproverRole: aRole,
  Network: { 'EC2::SecurityGroup': 1 },
  Notifier: {
    ...aFunction,
    'DynamoDB::Table': 1,
    'SQS::Queue': 2,
    'SQS::QueuePolicy': 2,
    'SSM::Parameter': 1,
    'Lambda::EventSourceMapping': 1,
    'Lambda::EventInvokeConfig': 1,
    'Lambda::Permission': 1,
    'Events::Rule': 2,
    'CloudWatch::Alarm': 4,
  },
  StandardFunction: { 'Lambda::Function': 1 },
};

test.each(Object.entries(expected))('%s makes these resources and no others', (name, resources) => {
  expect(resourcesOf(made[name])).toEqual(resources);
});

test('no exported construct is left out', () => {
  const constructs = Object.entries(index).flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof Construct ? [name] : [],
  );
  // All of an environment has tests of its own.
  expect(Object.keys(expected).sort()).toEqual(
    constructs.filter((name) => name !== 'RekeyEnvironment').sort(),
  );
});

test('an alarm says what is wrong, where to look and which page has more, and tells its topic', () => {
  const told = [{ Ref: Match.stringLikeRegexp('^Topic') }];
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmName: 'rekey-prod-rotation-failed',
    AlarmDescription: Match.stringLikeRegexp('Runbook: docs/runbooks/rotation-failed.md$'),
    Namespace: 'Mine',
    Threshold: 3,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'notBreaching',
    AlarmActions: told,
    OKActions: told,
  });
});

test("an observer hears of rotations on the account's own bus, and reads no value", () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventBusName: Match.absent(),
    EventPattern: { source: ['aws.secretsmanager'], 'detail-type': ['AWS Service Event via CloudTrail'] },
  });
  expect(allowedActions(statements(template, /^Observer/))).not.toContain('secretsmanager:GetSecretValue');
});

describe('a role of people', () => {
  test.each([
    ['Operator', 'secretsmanager:RotateSecret', 's3:GetObject'],
    ['Responder', 'states:ListExecutions', 'secretsmanager:RotateSecret'],
    ['Auditor', 's3:GetObjectRetention', 'events:PutEvents'],
    ['Pipeline', 'secretsmanager:DescribeSecret', 'secretsmanager:RotateSecret'],
    ['PolicyAuthor', 'cloudformation:CreateChangeSet', 'cloudformation:ExecuteChangeSet'],
    ['Approver', 'ssm:GetParametersByPath', 'events:PutEvents'],
  ])('%s may do its work, not that of others, and read no value', (id, own, foreign) => {
    const all = statements(template, new RegExp(`^${id}Role`));
    expect(allowedActions(all)).toContain(own);
    expect(allowedActions(all)).not.toContain(foreign);
    expect(all).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Action: ['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue'],
      }),
    );
    const [role] = Object.entries(template.findResources('AWS::IAM::Role')).flatMap(
      ([logicalId, resource]) => (logicalId.startsWith(`${id}Role`) ? [resource.Properties] : []),
    );
    expect(role).toMatchObject({
      Description: expect.stringMatching(/^Rekey prod: /),
      Tags: [{ Key: 'rekey:environment', Value: 'prod' }],
    });
  });
});
