import { expect, test } from '@jest/globals';
import { partitionOf } from '../../lib/config/arn-places.ts';
import { defineConfig } from '../../lib/config/config.ts';

/** What AWS would refuse at the deploy, or the first rotation would fail on, and synth says already. */
function said(settings: object): string {
  try {
    defineConfig({ environments: { dev: { audit: { retentionDays: 30 }, ...settings } as never } });
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

const here = { account: '111122223333', region: 'eu-central-1' };
const base = { type: 'postgresql', strategy: 'single-user', owner: 'team-orders' };
const secret = (settings: object, environment: object = here) =>
  said({ ...environment, secrets: { orders: { ...base, ...settings } } });
const at = 'environments.dev.secrets.orders';

const arn = (account: string, region: string, partition = 'aws') =>
  `arn:${partition}:secretsmanager:${region}:${account}:secret:orders-AbCdEf`;
const own = arn('111122223333', 'eu-central-1');
const key = (account: string, region: string) => `arn:aws:kms:${region}:${account}:key/1234`;

test.each([
  [
    'a secret of another account',
    secret({ adopt: arn('999988887777', 'eu-central-1') }),
    `${at}.adopt: "arn:aws:secretsmanager:eu-central-1:999988887777:secret:orders-AbCdEf": must be in the environment's account 111122223333`,
  ],
  [
    'a secret of another region',
    secret({ adopt: arn('111122223333', 'us-east-1') }),
    "must be in the environment's region eu-central-1",
  ],
  [
    'a secret of another partition',
    secret({ adopt: arn('111122223333', 'us-gov-west-1', 'aws-us-gov') }),
    "must be in the environment's partition aws, where eu-central-1 is",
  ],
  [
    'a secret of the usual partition in China',
    secret({ adopt: arn('111122223333', 'cn-north-1') }, { region: 'cn-north-1' }),
    "must be in the environment's partition aws-cn",
  ],
  [
    'a key of another region',
    secret({ adopt: own, encryptionKey: key('111122223333', 'us-east-1') }),
    `${at}.encryptionKey: "arn:aws:kms:us-east-1:111122223333:key/1234": must be in the environment's region`,
  ],
  [
    'an admin secret of another account',
    secret({ adopt: own, adminSecret: { adopt: arn('999988887777', 'eu-central-1') } }),
    `${at}.adminSecret.adopt: `,
  ],
  [
    'a function of another account',
    secret({
      type: 'external',
      adopt: own,
      rotationFunction: 'arn:aws:lambda:eu-central-1:999988887777:function:oracle',
    }),
    `${at}.rotationFunction: `,
  ],
  [
    'a database of another region',
    secret({
      type: 'rds-admin',
      adopt: own,
      resources: ['arn:aws:rds:us-east-1:111122223333:cluster:orders'],
    }),
    `${at}.resources.0: "arn:aws:rds:us-east-1:111122223333:cluster:orders": must be in the environment's region`,
  ],
  [
    'a user of another account',
    secret({
      type: 'iam-access-key',
      strategy: 'dual-credential',
      adopt: own,
      resources: ['arn:aws:iam::999988887777:user/app'],
    }),
    `${at}.resources.0: "arn:aws:iam::999988887777:user/app": must be in the environment's account`,
  ],
  [
    'a topic of another region',
    said({ ...here, notifications: { topicArn: 'arn:aws:sns:us-east-1:111122223333:ops' } }),
    'environments.dev.notifications.topicArn: "arn:aws:sns:us-east-1:111122223333:ops": must be in the environment\'s region',
  ],
  [
    'a role of another partition',
    said({ ...here, access: { operators: ['arn:aws-cn:iam::111122223333:role/operator'] } }),
    'environments.dev.access.operators.0: "arn:aws-cn:iam::111122223333:role/operator": must be in the environment\'s partition aws',
  ],
  [
    'a secret that RDS manages',
    secret({ adopt: 'rds!cluster-5a4f6e2c-1b3d' }),
    `${at}.adopt: "rds!cluster-5a4f6e2c-1b3d": is managed by rds, which alone may rotate it: leave its rotation to rds and name it as an adminSecret`,
  ],
  [
    'a secret that Redshift manages, by its ARN',
    secret({ adopt: own.replace('orders-', 'redshift!orders-admin-') }),
    'is managed by redshift',
  ],
  [
    'a schedule of every hour',
    secret({ adopt: own, schedule: 'cron(0 * * * ? *)' }),
    'at most every 4 hours',
  ],
  [
    'a schedule of every 3 hours',
    secret({ adopt: own, schedule: 'cron(0 0/3 * * ? *)' }),
    'runs within 3 hours',
  ],
  [
    'an hour that is none',
    secret({ adopt: own, schedule: 'cron(0 99 * * ? *)' }),
    'hours 99 must be from 0 to 23',
  ],
  ['a day that never comes', secret({ adopt: own, schedule: 'cron(0 8 31 2 ? *)' }), 'never runs'],
  ['a leap day', secret({ adopt: own, schedule: 'cron(0 8 29 2 ? *)' }), 'leaves 1461 days without a run'],
  ['a rate in the wrong number', secret({ adopt: own, schedule: 'rate(1 days)' }), 'a rate says 1 day'],
  [
    'a yearly schedule with a maximum age of 45 days',
    secret({ adopt: own, schedule: 'cron(0 8 1 1 ? *)' }),
    `${at}.schedule: "cron(0 8 1 1 ? *)": every 366 days is rarer than the maximum age of 45 days`,
  ],
  [
    "an environment's schedule that is too rare for a secret",
    secret({ adopt: own, maximumAgeDays: 7 }),
    `${at}.schedule: the environment's rate(30 days): every 30 days is rarer than the maximum age of 7 days`,
  ],
  [
    'a user whose clone PostgreSQL has no room for',
    secret({
      strategy: 'alternating-users',
      create: {
        name: 'orders',
        fields: { engine: 'postgres', username: 'u'.repeat(58), host: 'db.internal' },
      },
      adminSecret: { adopt: 'admin' },
    }),
    `${at}.create.fields.username: user "${'u'.repeat(58)}_clone" would have 64 bytes, PostgreSQL allows 63`,
  ],
  [
    'a user whose clone MySQL has no room for',
    secret({
      type: 'mysql',
      strategy: 'alternating-users',
      create: { name: 'orders', fields: { engine: 'mysql', username: 'u'.repeat(27), host: 'db.internal' } },
      adminSecret: { adopt: 'admin' },
    }),
    'would have 33 characters, mysql allows 32',
  ],
  [
    'passwords that MySQL would not take',
    secret({ type: 'mysql', adopt: own }, { ...here, passwords: { length: 300 } }),
    `${at}.type: "mysql": MySQL takes passwords of at most 256 characters: lower passwords.length of the environment, now 300`,
  ],
  [
    'a database in a region whose authorities are not known',
    secret({ adopt: 'orders' }, { region: 'us-gov-west-1' }),
    `${at}.certificateAuthority: Rekey brings no authorities of RDS in us-gov-west-1: download AWS's bundle of the region and name the file here`,
  ],
  [
    'an endpoint of RDS in such a region',
    secret({
      create: {
        name: 'orders',
        fields: { engine: 'postgres', host: 'orders.c1x2.me-west-1.rds.amazonaws.com', username: 'orders' },
      },
    }),
    'Rekey brings no authorities of RDS in me-west-1',
  ],
])('%s is refused', (_, message, expected) => {
  expect(message).toContain(expected);
});

const gov = { region: 'us-gov-west-1' };
const created = (fields: object) => ({
  create: {
    name: 'orders',
    fields: { engine: 'postgres', username: 'orders', host: 'db.internal', ...fields },
  },
});

test.each([
  [
    'a key of another account, whose policy may let this one use it',
    secret({ adopt: own, encryptionKey: key('999988887777', 'eu-central-1') }),
  ],
  [
    'an admin secret that RDS manages',
    secret({ adopt: own, adminSecret: { adopt: 'rds!cluster-5a4f6e2c-1b3d' } }),
  ],
  [
    'anything where account and region are those of the CLI',
    secret({ adopt: arn('999988887777', 'us-east-1') }, {}),
  ],
  ['a schedule of every four hours', secret({ adopt: own, schedule: 'cron(0 0/4 * * ? *)' })],
  ['the first of each month', secret({ adopt: own, schedule: 'cron(0 8 1 * ? *)' })],
  ['one rate of a day', secret({ adopt: own, schedule: 'rate(1 day)' })],
  [
    "MariaDB's longer names",
    secret({
      type: 'mysql',
      strategy: 'alternating-users',
      create: {
        name: 'orders',
        fields: { engine: 'mariadb', username: 'u'.repeat(27), host: 'db.internal' },
      },
      adminSecret: { adopt: 'admin' },
    }),
  ],
  [
    'a database with its authority in such a region',
    secret({ adopt: 'orders', certificateAuthority: 'gov.pem' }, gov),
  ],
  ['a database elsewhere in such a region', secret(created({ host: 'db.example.com' }), gov)],
  [
    'a database without TLS in such a region',
    secret(created({ host: 'db.c1.us-gov-west-1.rds.amazonaws.com', ssl: false }), gov),
  ],
  ['a Redis in such a region', secret({ type: 'redis', adopt: 'cache' }, gov)],
])('%s is accepted', (_, message) => {
  expect(message).toBe('accepted');
});

test('regions have their partitions', () => {
  expect(
    [
      'eu-central-1',
      'us-gov-east-1',
      'cn-northwest-1',
      'us-iso-east-1',
      'us-isob-east-1',
      'eusc-de-east-1',
    ].map(partitionOf),
  ).toEqual(['aws', 'aws-us-gov', 'aws-cn', 'aws-iso', 'aws-iso-b', 'aws-eusc']);
});
