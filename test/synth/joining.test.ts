import { beforeEach, describe, expect, test } from '@jest/globals';
import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { HostedRotation } from 'aws-cdk-lib/aws-secretsmanager';
import { auditKeyParameter, deploymentParameters } from '../../core/deployed/names.ts';
import {
  AuditLog,
  ContainmentFunction,
  RekeyBus,
  RevocationWorkflow,
  RotatedSecret,
  RotationFunction,
} from '../../lib/index.ts';
import { testApp } from './support/app.ts';

let stack: Stack;
beforeEach(() => {
  const app = testApp({ flags: {} });
  stack = new Stack(app, 'app', { env: { account: '111122223333', region: 'eu-central-1' } });
});

const target = { type: 'postgresql', strategy: 'single-user' } as const;

describe('an app that joins an environment which another app deployed', () => {
  const join = () => {
    const bus = RekeyBus.fromEnvironment(stack, 'Bus', 'prod');
    const auditQueue = AuditLog.queueFromEnvironment(stack, 'AuditQueue', 'prod');
    const rotation = new RotationFunction(stack, 'Rotation', { ...target, bus, auditQueue });
    const containment = new ContainmentFunction(stack, 'Containment', { ...target, bus, auditQueue });
    const create = {
      name: '/prod/orders',
      encryptionKey: new Key(stack, 'Key'),
      fields: { engine: 'postgres', host: 'db.internal', username: 'orders' },
    };
    const secret = new RotatedSecret(stack, 'Orders', {
      secret: { create },
      adminSecret: { id: 'database-admin' },
      rotation,
      containment,
      owner: 'team-orders',
    });
    return { bus, secret };
  };

  test('brings a secret with its functions, and neither bus nor log', () => {
    join();
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::Events::EventBus', 0);
    template.resourceCountIs('AWS::SQS::Queue', 0);
    template.resourceCountIs('AWS::SecretsManager::RotationSchedule', 1);
    template.hasResourceProperties('AWS::SSM::Parameter', {
      Name: '/rekey/prod/secrets/.2fprod.2forders',
    });
  });

  test('its functions may publish on that bus, and send to that queue under its key', () => {
    join();
    const template = Template.fromStack(stack);
    const parameters = Object.values(
      template.findParameters('*', { Type: 'AWS::SSM::Parameter::Value<String>' }),
    );
    expect(
      parameters
        .map(({ Default }) => String(Default))
        .filter((name) => name.startsWith('/rekey/'))
        .toSorted(),
    ).toEqual(['/rekey/prod/deployment/audit-key-arn', '/rekey/prod/deployment/audit-queue-url']);
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(policies).toContain('event-bus/rekey-prod');
    expect(policies).toMatch(/"sqs:SendMessage","Effect":"Allow","Resource":\{"Fn::Join"/);
    expect(policies).toContain('"AuditQueueKey"');
  });

  test('runs targets for events of the environment', () => {
    const { secret } = join();
    secret.onRotationSucceeded('Told');
    Template.fromStack(stack).hasResourceProperties('AWS::Events::Rule', { EventBusName: 'rekey-prod' });
  });
});

test.each(['Prod', 'a name', '', 'x'.repeat(21)])('an environment called %p is refused', (environment) => {
  const message = `Bus: environment ${environment}: `;
  expect(() => new RekeyBus(stack, 'Bus', { environment })).toThrow(message);
  expect(() => RekeyBus.fromEnvironment(stack, 'Bus', environment)).toThrow(message);
});

test('an environment whose name is known at the deploy alone is refused', () => {
  const environment = Lazy.string({ produce: () => 'prod' });
  expect(() => new RekeyBus(stack, 'Bus', { environment })).toThrow('must be known at synth');
});

describe('a database of the CDK', () => {
  const made = (network: boolean) => {
    const vpc = new Vpc(stack, 'Vpc') as IVpc;
    const cluster = new DatabaseCluster(stack, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      vpc,
      writer: ClusterInstance.serverlessV2('Writer'),
    });
    const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
    const { queue: auditQueue } = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(365) });
    const common = { ...target, bus, auditQueue, ...(network && { network: { vpc } }) };
    const rotation = new RotationFunction(stack, 'Rotation', common);
    const containment = new ContainmentFunction(stack, 'Containment', common);
    return { cluster, rotation, containment, owner: 'team-orders' };
  };

  test('is adopted in one line, and lets both functions in', () => {
    const { cluster: database, ...props } = made(true);
    const orders = RotatedSecret.ofDatabase(stack, 'Orders', { database, ...props });
    expect(orders.secret).toBe(database.secret);
    const template = Template.fromStack(stack);
    const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'));
    expect(rules.map(({ Properties }) => Properties.SourceSecurityGroupId['Fn::GetAtt'][0])).toEqual([
      expect.stringMatching(/^RotationFunctionSecurityGroup/),
      expect.stringMatching(/^ContainmentFunctionSecurityGroup/),
    ]);
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Cluster'), 'Endpoint.Port'] },
    });
  });

  test('is adopted by functions without a network as well', () => {
    const { cluster: database, ...props } = made(false);
    RotatedSecret.ofDatabase(stack, 'Orders', { database, ...props });
    Template.fromStack(stack).resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  test.each<[string, ((database: DatabaseCluster) => unknown) | undefined]>([
    ['of the cluster', (database) => database.addRotationSingleUser()],
    [
      'of the secret itself',
      ({ secret }) =>
        secret?.addRotationSchedule('Other', { hostedRotation: HostedRotation.postgreSqlSingleUser() }),
    ],
    ['by another RotatedSecret', undefined],
  ])('is refused beside a rotation %s', (_, rotate) => {
    const { cluster: database, ...props } = made(true);
    RotatedSecret.ofDatabase(stack, 'Orders', { database, ...props });
    if (rotate === undefined) RotatedSecret.ofDatabase(stack, 'Again', { database, ...props });
    else rotate(database);
    expect(() => Template.fromStack(stack)).toThrow(
      /app\/Orders: its secret has another rotation schedule, app\/.*, and Secrets Manager keeps one of the two; take that one away/,
    );
  });

  test('without a secret is refused with what to do', () => {
    const { cluster, ...props } = made(false);
    const database = { connections: cluster.connections };
    expect(() => RotatedSecret.ofDatabase(stack, 'Orders', { database, ...props })).toThrow(
      'Orders: the database has no secret of the CDK',
    );
  });
});

test('two functions on the buses of two environments are refused', () => {
  const [one, other] = ['test', 'prod'].map(
    (environment) => new RekeyBus(stack, environment, { environment }),
  );
  if (one === undefined || other === undefined) throw new Error('two are made');
  const { queue: auditQueue } = new AuditLog(stack, 'AuditLog', { bus: one, retention: Duration.days(365) });
  const rotation = new RotationFunction(stack, 'Rotation', { ...target, bus: one, auditQueue });
  const containment = new ContainmentFunction(stack, 'Containment', { ...target, bus: other, auditQueue });
  expect(
    () =>
      new RotatedSecret(stack, 'Orders', {
        secret: { adopt: { id: 'orders' } },
        rotation,
        containment,
        owner: 'team-orders',
      }),
  ).toThrow(
    'Orders: its rotation function announces on the bus of test, and its containment function on that of prod',
  );
});

test('metrics are those that the functions emit', () => {
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  const log = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(365) });
  const workflow = new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue: log.queue, secrets: [] });
  const shown = [
    bus.metricRotationSucceeded(),
    bus.metricRotationFailed({ period: Duration.hours(1) }),
    bus.metricRotationDuration(),
    bus.metricRotationBraked(),
    workflow.metricSucceeded(),
    workflow.metricFailed(),
    workflow.metricUnproven(),
    workflow.metricRejected(),
    workflow.metricTimeToRefusal({ statistic: 'p99' }),
    log.metricRecordsWritten(),
    log.metricLogBroken(),
  ].map(({ metricName, dimensions, statistic, period }) => {
    const { environment, service } = dimensions ?? {};
    return `${environment} ${service} ${metricName} ${statistic} ${period.toMinutes()}`;
  });
  expect(shown).toEqual([
    'prod rotation RotationSucceeded Sum 5',
    'prod rotation RotationFailed Sum 60',
    'prod rotation RotationDuration Average 5',
    'prod rotation RotationBraked Sum 5',
    'prod revocation RevocationSucceeded Sum 5',
    'prod revocation RevocationFailed Sum 5',
    'prod revocation RevocationUnproven Sum 5',
    'prod revocation RevocationRejected Sum 5',
    'prod revocation TimeToRefusal p99 5',
    'prod audit AuditRecordsWritten Sum 5',
    'prod audit AuditLogBroken Sum 5',
  ]);
});

test('an environment that is put together from constructs is one that the CLI finds, with all that it asks for', () => {
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  const log = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(365) });
  new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue: log.queue, secrets: [] });
  const names = Object.values(Template.fromStack(stack).findResources('AWS::SSM::Parameter')).map(
    ({ Properties }) => Properties.Name,
  );
  // What an environment has only where its configuration asks for it is not among them.
  const {
    roles: _people,
    approvals: _approvals,
    fingerprintLookupFunction: _fingerprints,
    notifications: _notifications,
    parts: _parts,
    signalUrl: _signals,
    ...facts
  } = deploymentParameters;
  expect(names.toSorted()).toEqual(
    [...Object.values(facts), auditKeyParameter].map((fact) => `/rekey/prod/deployment/${fact}`).toSorted(),
  );
});

test('one stack may hold two environments', () => {
  for (const environment of ['test', 'prod']) new RekeyBus(stack, environment, { environment });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rekey/test/deployment/event-bus' });
  template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rekey/prod/deployment/event-bus' });
});
