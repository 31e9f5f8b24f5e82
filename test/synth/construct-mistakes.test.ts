import { beforeEach, describe, expect, test } from '@jest/globals';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Port, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import {
  AuditLog,
  ContainmentFunction,
  ForeignRotationFunction,
  RekeyBus,
  RevocationWorkflow,
  RotatedSecret,
  type RotatedSecretProps,
  RotationFunction,
  type RotationFunctionProps,
} from '../../lib/index.ts';
import { testApp } from './support/app.ts';

/** What a construct says of a mistake: its id, the prop, the value and what to do. */

let app: App;
let stack: Stack;
let bus: RekeyBus;
let log: AuditLog;
beforeEach(() => {
  app = testApp({ flags: {} });
  stack = new Stack(app, 'app', { env: { account: '111122223333', region: 'eu-central-1' } });
  bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  log = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(365) });
});

const target = (more: Partial<RotationFunctionProps> = {}): RotationFunctionProps => ({
  type: 'postgresql',
  strategy: 'single-user',
  bus,
  auditQueue: log.queue,
  ...more,
});
const rotation = (more: Partial<RotationFunctionProps> = {}) =>
  new RotationFunction(stack, 'Rotation', target(more));
const containment = (more: Partial<RotationFunctionProps> = {}) =>
  new ContainmentFunction(stack, 'Containment', target(more));
const orders = (more: Partial<RotatedSecretProps> = {}) =>
  new RotatedSecret(stack, 'Orders', {
    secret: { adopt: { id: 'orders' } },
    rotation: more.rotation ?? rotation(),
    containment: more.containment ?? containment(),
    owner: 'team-orders',
    ...more,
  });
const create = (): RotatedSecretProps['secret'] => ({
  create: {
    name: '/prod/orders',
    fields: { engine: 'postgres', host: 'db.internal', username: 'orders' },
    encryptionKey: new Key(stack, 'Key'),
  },
});

describe('two functions of one secret', () => {
  test('are of the same type', () => {
    const made = () => orders({ containment: containment({ type: 'mysql' }) });
    expect(made).toThrow(
      'Orders: containment: its functions differ: postgresql with single-user rotates, and mysql with single-user contains; give both the same type and strategy',
    );
  });

  test('and of the same strategy', () => {
    const made = () => orders({ rotation: rotation({ strategy: 'alternating-users' }) });
    expect(made).toThrow(
      'postgresql with alternating-users rotates, and postgresql with single-user contains',
    );
  });

  test('where another function rotates, of the type that says so', () => {
    const foreign = new ForeignRotationFunction(stack, 'Foreign', {
      functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:theirs',
      strategy: 'dual-credential',
    });
    expect(() => orders({ rotation: foreign })).toThrow('external with dual-credential rotates');
  });
});

describe('what a secret says of itself', () => {
  test.each<[string, Partial<RotatedSecretProps>, string]>([
    ['an owner without a name', { owner: '' }, 'Orders: owner: must not be empty'],
    ['a network without a name', { networkName: 7 as never }, 'Orders: networkName: '],
    ['a consumer that is no text', { consumers: [7 as never] }, 'Orders: consumers.0: '],
    [
      'a user without a name',
      { identity: { username: '', host: 'db.internal' }, adminSecret: { id: 'admin' } },
      'Orders: identity.username: must not be empty',
    ],
    [
      'half a day of age',
      { maximumAge: Duration.hours(36) },
      'Orders: maximumAge: 1 day 12 hours is not a whole number of days',
    ],
    ['no age at all', { maximumAge: Duration.days(0) }, 'Orders: maximumAge: 0 days is too short'],
  ])('%s', (_name, more, message) => {
    expect(() => orders(more)).toThrow(
      expect.objectContaining({ code: 'ConstructInvalid', message: expect.stringContaining(message) }),
    );
  });
});

describe('times in whole units', () => {
  test('of an audit log', () => {
    const made = (more: object) => () =>
      new AuditLog(new Stack(), 'Other', { bus, retention: Duration.days(1), ...more });
    expect(made({ retention: Duration.hours(36) })).toThrow(
      'Other: retention: 1 day 12 hours is not a whole number of days; give it as Duration.days(…)',
    );
    expect(made({ retention: Duration.days(0) })).toThrow(
      'Other: retention: 0 days is too short; the least is Duration.days(1)',
    );
    expect(made({ accessLogRetention: Duration.minutes(90) })).toThrow(
      'Other: accessLogRetention: 1 hour 30 minutes is not',
    );
  });

  test('of a bus', () => {
    const archive = { archiveRetention: Duration.hours(36) };
    const made = () => new RekeyBus(stack, 'Other', { environment: 'dev', ...archive });
    expect(made).toThrow('Other: archiveRetention: 1 day 12 hours is not a whole number of days');
  });

  test('of a rotation function', () => {
    const dual = { type: 'redis', strategy: 'dual-credential' } as const;
    expect(() => rotation({ ...dual, overlap: Duration.minutes(90) })).toThrow(
      'Rotation: overlap: 1 hour 30 minutes is not a whole number of hours; give it as Duration.hours(…)',
    );
    expect(() => rotation({ ...dual, grace: Duration.minutes(1) })).toThrow(
      'Rotation: grace: 1 minute is not',
    );
  });

  test('of a revocation', () => {
    const request = { maximumRequestAge: Duration.minutes(90) };
    const made = () =>
      new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue: log.queue, secrets: [], ...request });
    expect(made).toThrow('Revocation: maximumRequestAge: 1 hour 30 minutes is not');
  });
});

test('a function in no network has no connections, and says how it gets some', () => {
  const made = rotation();
  expect(() => made.connections).toThrow(
    'app/Rotation: it is in no network, and so has no security groups; give it network: { vpc }',
  );
  const attached = new RotationFunction(
    stack,
    'Attached',
    target({ network: { vpc: new Vpc(stack, 'Vpc') } }),
  );
  attached.connections.allowToAnyIpv4(Port.tcp(5432));
});

describe('a first password that nobody could set is a warning', () => {
  const warning = Match.stringLikeRegexp('no server knows the first password');

  test('where a created login has no admin', () => {
    orders({ secret: create() });
    Annotations.fromStack(stack).hasWarning('/app/Orders', warning);
  });

  test.each<[string, () => Partial<RotatedSecretProps>]>([
    ['an admin sets it', () => ({ secret: create(), adminSecret: { id: 'database-admin' } })],
    ['it is not to rotate at once', () => ({ secret: create(), rotateOnDeploy: false })],
    [
      'something of the same app may give it to the user',
      () => ({ secret: create(), rotateAfter: [new Construct(stack, 'User')] }),
    ],
    ['its owner stored it', () => ({})],
  ])('and none where %s', (_name, more) => {
    orders(more());
    Annotations.fromStack(stack).hasNoWarning('/app/Orders', warning);
  });

  test('and none for a type that no server is asked about', () => {
    const generic = { type: 'generic', strategy: 'single-user' } as const;
    orders({ secret: create(), rotation: rotation(generic), containment: containment(generic) });
    Annotations.fromStack(stack).hasNoWarning('/app/Orders', warning);
  });
});

describe('an adopted secret that the revocation does not list is a warning', () => {
  const warning = Match.stringLikeRegexp('the revocation .* may not replace it');
  const revocation = (secrets: RotatedSecret[]) =>
    new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue: log.queue, secrets });

  test('also one that is made after the workflow', () => {
    revocation([]);
    orders();
    app.synth();
    Annotations.fromStack(stack).hasWarning('/app/Orders', warning);
  });

  test('and none where it lists the secret', () => {
    revocation([orders()]);
    app.synth();
    Annotations.fromStack(stack).hasNoWarning('/app/Orders', warning);
  });

  test('none where it is told by its tag, since Rekey created it', () => {
    revocation([]);
    orders({ secret: create(), adminSecret: { id: 'admin' } });
    app.synth();
    Annotations.fromStack(stack).hasNoWarning('/app/Orders', warning);
  });

  test('none where another environment, or none, has a workflow', () => {
    orders();
    const other = new RekeyBus(stack, 'Other', { environment: 'dev' });
    new RevocationWorkflow(stack, 'Revocation', { bus: other, auditQueue: log.queue, secrets: [] });
    Template.fromStack(stack);
    Annotations.fromStack(stack).hasNoWarning('/app/Orders', warning);
  });
});
