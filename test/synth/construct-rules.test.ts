import { beforeEach, describe, expect, test } from '@jest/globals';
import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  AuditLog,
  ContainmentFunction,
  RekeyBus,
  RotatedSecret,
  type RotatedSecretProps,
  RotationFunction,
  type RotationFunctionProps,
} from '../../lib/index.ts';
import { testApp } from './support/app.ts';

let stack: Stack;
beforeEach(() => {
  const app = testApp({ flags: {} });
  stack = new Stack(app, 'app', { env: { account: '111122223333', region: 'eu-central-1' } });
});

interface Made extends Partial<Omit<RotatedSecretProps, 'rotation' | 'containment' | 'owner'>> {
  readonly type?: RotationFunctionProps['type'];
  readonly strategy?: RotationFunctionProps['strategy'];
  /** Fields of a secret that Rekey creates. */
  readonly fields?: Record<string, string | number | boolean>;
}

/** Synthesizes one secret, and says what the app is refused with. */
function refusal({ type = 'postgresql', strategy = 'single-user', fields, ...props }: Made): string {
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  const { queue: auditQueue } = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(365) });
  const common = { type, strategy, bus, auditQueue };
  const create = { name: '/prod/orders', fields: fields ?? {}, encryptionKey: new Key(stack, 'Key') };
  new RotatedSecret(stack, 'Orders', {
    rotation: new RotationFunction(stack, 'Rotation', common),
    containment: new ContainmentFunction(stack, 'Containment', common),
    owner: 'team-orders',
    secret: fields === undefined ? { adopt: { id: 'orders' } } : { create },
    ...props,
  });
  try {
    Template.fromStack(stack);
    return 'accepted';
  } catch (error) {
    return String(error);
  }
}

const login = { engine: 'postgres', host: 'db.internal', username: 'orders' };

describe('a construct refuses what the configuration refuses', () => {
  test.each<[string, Made, RegExp]>([
    ['a wrong engine', { fields: { ...login, engine: 'mysql' } }, /\[app\/Orders\] create\.fields\.engine: /],
    ['a port that is none', { fields: { ...login, port: 70_000 } }, /create\.fields\.port: /],
    [
      'a missing host',
      { fields: { engine: 'postgres', username: 'orders' } },
      /create\.fields\.host: is missing/,
    ],
    [
      'a password in the template',
      { type: 'iam-access-key', strategy: 'dual-credential', fields: { username: 'x', accessKeyId: 'AKIA' } },
      /accessKeyId: is of the credential/,
    ],
    [
      'no admin where one is needed',
      { strategy: 'alternating-users', fields: login },
      /adminSecret: postgresql with alternating-users needs/,
    ],
    [
      'resources of a type that has none',
      { resources: ['arn:aws:rds:eu-central-1:111122223333:db:x'], fields: login },
      /resources: postgresql is not reached/,
    ],
    [
      'no resources of a type that needs some',
      { type: 'iam-access-key', strategy: 'dual-credential', fields: { username: 'x' } },
      /resources: must name/,
    ],
    [
      'a secret that a service manages',
      { secret: { adopt: { id: 'rds!db-1234' } } },
      /adopt: is managed by rds/,
    ],
    [
      'a user for whom nobody acts',
      { identity: { username: 'orders', host: 'db.internal' } },
      /identity: says for whom/,
    ],
  ])('%s', (_name, made, message) => {
    expect(refusal(made)).toMatch(message);
  });

  test('and takes what is right, and what the deploy alone knows', () => {
    const late = (value: string) => Lazy.string({ produce: () => value });
    expect(refusal({ fields: { ...login, host: late('db.internal'), dbname: late('orders') } })).toBe(
      'accepted',
    );
  });
});
