import { beforeEach, describe, expect, test } from '@jest/globals';
import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import {
  AuditLog,
  ContainmentFunction,
  RekeyBus,
  RotatedSecret,
  type RotatedSecretProps,
  RotationFunction,
} from '../../lib/index.ts';
import { testApp } from './support/app.ts';

const environment = 'prod';
/** ARNs of secrets begin so in the tests' account. */
const arnStart = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';
const common = { type: 'postgresql', strategy: 'single-user' } as const;

let stack: Stack;
let auditQueue: Queue;
let parts: Pick<RotatedSecretProps, 'rotation' | 'containment' | 'owner'>;

beforeEach(() => {
  const app = testApp({ flags: {} });
  stack = new Stack(app, 'app', { env: { account: '111122223333', region: 'eu-central-1' } });
  const bus = new RekeyBus(stack, 'Bus', { environment });
  auditQueue = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(365) }).queue;
  parts = {
    rotation: new RotationFunction(stack, 'Rotation', { ...common, bus, auditQueue }),
    containment: new ContainmentFunction(stack, 'Containment', { ...common, bus, auditQueue }),
    owner: 'team-orders',
  };
});

/** What the role of a function may do with which resources, by statement. */
const resourcesOf = (template: Template, role: RegExp, action: string): unknown[] =>
  Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => role.test(id))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => [Action].flat().includes(action))
    .flatMap(({ Resource }) => Resource);

const scheduleOf = (template: Template) =>
  Object.values(template.findResources('AWS::SecretsManager::RotationSchedule'))[0]?.Properties;

describe('a secret of the CDK is adopted', () => {
  test('one of the same app, under the ARN that it gets at the deploy', () => {
    const secretsKey = new Key(stack, 'SecretsKey');
    const secret = new Secret(stack, 'Own', { encryptionKey: secretsKey }) as ISecret;
    const rotated = new RotatedSecret(stack, 'Orders', { ...parts, secret: { adopt: secret } });
    const template = Template.fromStack(stack);
    const ref = { Ref: stack.getLogicalId(secret.node.defaultChild as never) };
    expect(scheduleOf(template).SecretId).toEqual(ref);
    expect(resourcesOf(template, /^Rotation/, 'secretsmanager:PutSecretValue')).toEqual([ref]);
    expect(resourcesOf(template, /^Containment/, 'secretsmanager:GetSecretValue')).toEqual([ref]);
    expect(JSON.stringify(resourcesOf(template, /^Rotation/, 'kms:GenerateDataKey'))).toContain(
      stack.getLogicalId(secretsKey.node.defaultChild as never),
    );
    expect(rotated.secret).toBe(secret);
    expect(rotated.inNamespace).toBe(false);
  });

  test('that of a cluster, in one line, and as the admin of another', () => {
    const vpc = new Vpc(stack, 'Vpc') as IVpc;
    const cluster = new DatabaseCluster(stack, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      vpc,
      writer: ClusterInstance.serverlessV2('Writer'),
    });
    const admin = cluster.secret;
    if (admin === undefined) throw new Error('the cluster has no secret');
    new RotatedSecret(stack, 'Orders', { ...parts, secret: { adopt: { id: 'orders' } }, adminSecret: admin });
    const template = Template.fromStack(stack);
    const arns = resourcesOf(template, /^Rotation/, 'secretsmanager:GetSecretValue');
    expect(arns).toContainEqual({ Ref: expect.stringMatching(/^ClusterSecretAttachment/) });
  });

  test.each(['alone', 'beside its admin'])('a created user of a cluster is let in by it, %s', (which) => {
    const vpc = new Vpc(stack, 'Vpc') as IVpc;
    const database = new DatabaseCluster(stack, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      vpc,
      writer: ClusterInstance.serverlessV2('Writer'),
    });
    const inside = { ...common, bus: parts.containment.bus, auditQueue, network: { vpc } };
    const rotation = new RotationFunction(stack, 'Inside', inside);
    const containment = new ContainmentFunction(stack, 'ContainmentInside', inside);
    const made = { rotation, containment, owner: 'team-orders', database };
    const create = {
      name: '/prod/orders/db',
      fields: { engine: 'postgres', host: database.clusterEndpoint.hostname, username: 'orders' },
      encryptionKey: new Key(stack, 'SecretsKey'),
    };
    new RotatedSecret(stack, 'Orders', {
      ...made,
      secret: { create },
      adminSecret: { id: 'database-admin' },
    });
    if (which === 'beside its admin') RotatedSecret.ofDatabase(stack, 'Admin', made);
    const rules = Template.fromStack(stack).findResources('AWS::EC2::SecurityGroupIngress');
    const opened = Object.values(rules).map(({ Properties }) =>
      JSON.stringify(Properties.SourceSecurityGroupId),
    );
    expect(opened.sort()).toEqual([
      expect.stringMatching(/"ContainmentInside/),
      expect.stringMatching(/"Inside/),
    ]);
  });

  test.each([
    ['by name', () => Secret.fromSecretNameV2(stack, 'Known', 'orders')],
    [
      'by ARN',
      () =>
        Secret.fromSecretCompleteArn(
          stack,
          'Known',
          'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf',
        ),
    ],
  ])('an imported one, %s, as its name or ARN would be', (_, known) => {
    const secret = known();
    new RotatedSecret(stack, 'Orders', { ...parts, secret: { adopt: secret } });
    const template = Template.fromStack(stack);
    const text = JSON.stringify(scheduleOf(template).SecretId);
    expect(text).toMatch(/:secret:orders"/);
    const [resource] = resourcesOf(template, /^Rotation/, 'secretsmanager:PutSecretValue');
    expect(JSON.stringify(resource)).toMatch(/:secret:orders-(?:\?{6}|AbCdEf)/);
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rekey/prod/secrets/orders' });
  });

  test.each([
    ['by name', () => Secret.fromSecretNameV2(stack, 'Known', 'orders-abc123')],
    ['by partial ARN', () => Secret.fromSecretPartialArn(stack, 'Known', `${arnStart}orders-abc123`)],
  ])('an imported one, %s, that looks like the end of an ARN is refused', (_, known) => {
    expect(() => new RotatedSecret(stack, 'Orders', { ...parts, secret: { adopt: known() } })).toThrow(
      'secret orders-abc123: its name ends in a hyphen and six characters',
    );
  });

  test('a full ARN whose name looks so keeps its suffix in the schedule', () => {
    const known = Secret.fromSecretCompleteArn(stack, 'Known', `${arnStart}orders-abc123-AbCdEf`);
    new RotatedSecret(stack, 'Orders', { ...parts, secret: { adopt: known } });
    expect(scheduleOf(Template.fromStack(stack)).SecretId).toBe(`${arnStart}orders-abc123-AbCdEf`);
  });
});

test('a schedule and a maximum age are those of the CDK', () => {
  const secret = { adopt: { id: 'orders' } };
  new RotatedSecret(stack, 'Orders', {
    ...parts,
    secret,
    schedule: Schedule.rate(Duration.days(7)),
    maximumAge: Duration.days(10),
  });
  const template = Template.fromStack(stack);
  expect(scheduleOf(template).RotationRules).toEqual({ ScheduleExpression: 'rate(7 days)' });
  const definitions = JSON.stringify(template.findResources('AWS::SSM::Parameter')).replaceAll('\\', '');
  expect(definitions).toContain('"maximumAgeDays":10,');
});

test.each(['rate(3 hours)', 'rate(1 days)', 'cron(* * * * ? *)', 'every day'])(
  'the schedule %s is refused as in a configuration',
  (expression) => {
    const given = { schedule: Schedule.expression(expression), secret: { adopt: { id: 'orders' } } };
    expect(() => new RotatedSecret(stack, 'Orders', { ...parts, ...given })).toThrow(
      `Orders: schedule ${expression}: `,
    );
  },
);

describe('events of a secret', () => {
  test.each([
    ['onRotationSucceeded', ['Secret Rotation Succeeded']],
    ['onRotationFailed', ['Secret Rotation Failed']],
    [
      'onRevocationEnded',
      ['Secret Revocation Succeeded', 'Secret Revocation Failed', 'Secret Revocation Unproven'],
    ],
  ] as const)(
    '%s runs a target on the bus of the environment, and never for a replay',
    (method, detailTypes) => {
      const rotated = new RotatedSecret(stack, 'Orders', { ...parts, secret: { adopt: { id: 'orders' } } });
      rotated[method]('Told', { target: new SqsQueue(new Queue(stack, 'Mine')) });
      Template.fromStack(stack).hasResourceProperties('AWS::Events::Rule', {
        EventBusName: { Ref: Match.stringLikeRegexp('^Bus') },
        EventPattern: {
          'detail-type': detailTypes,
          detail: { data: { secretName: ['orders'] } },
          'replay-name': [{ exists: false }],
        },
        Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Mine'), 'Arn'] } })],
      });
    },
  );
});
