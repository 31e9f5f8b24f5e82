import { describe, expect, test } from '@jest/globals';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { adopted, dev, environment, functionArn, messageOf, secret, withSecret } from './support/settings.ts';

describe('what a configuration may not say', () => {
  test.each<[string, ConfigurationInput, string]>([
    [
      'an external secret without the function that rotates it',
      withSecret({ type: 'external' }),
      'environments.dev.secrets.orders.rotationFunction: external needs the ARN of the function that rotates the secret',
    ],
    [
      'a rotation function for a type that has its own',
      withSecret({ rotationFunction: functionArn }),
      `secrets.orders.rotationFunction: ${JSON.stringify(functionArn)}: postgresql is rotated by a function of Rekey's own; leave it out, or choose external`,
    ],
    [
      'a rotation function with an alias',
      withSecret({ type: 'external', rotationFunction: `${functionArn}:live` }),
      'must be the ARN of a Lambda function, without version or alias',
    ],
    [
      'a rotation function in another account',
      dev({
        account: '999988887777',
        secrets: { orders: { ...adopted, type: 'external', rotationFunction: functionArn } },
      }),
      "must be in the environment's account 999988887777",
    ],
    [
      'a rotation function in another region',
      dev({
        region: 'us-east-1',
        secrets: { orders: { ...adopted, type: 'external', rotationFunction: functionArn } },
      }),
      "must be in the environment's region us-east-1",
    ],
    [
      'a new secret for a function that is there already',
      withSecret({ type: 'external', rotationFunction: functionArn }),
      'environments.dev.secrets.orders.create: external: store the secret first, under a key that its function may use, and adopt it',
    ],
    [
      'a network for a type that reaches no target',
      dev({
        networks: { own: { create: {} } },
        secrets: { orders: { ...secret, type: 'generic', network: 'own' } },
      }),
      'environments.dev.secrets.orders.network: "own": generic: Rekey logs in to nothing for this type; leave it out',
    ],
    [
      'an admin for a value that has no target',
      withSecret({ type: 'generic', adminSecret: { adopt: 'admin' } }),
      'environments.dev.secrets.orders.adminSecret: generic: Rekey logs in to nothing for this type; leave it out',
    ],
    ['no environment', { environments: {} }, 'environments: must name at least one environment'],
    [
      'an environment with a name that fits no resource',
      { environments: { Dev_1: environment } },
      'environments.Dev_1: must start with a small letter and hold only small letters, digits and -',
    ],
    [
      'a setting that does not exist',
      dev({ retention: 3 }),
      'environments.dev.retention: 3: is not a setting; check the spelling',
    ],
    [
      'no retention',
      { environments: { dev: {} } } as unknown as ConfigurationInput,
      'environments.dev.audit: Invalid input: expected object, received undefined',
    ],
    [
      'a retention of no days',
      dev({ audit: { retentionDays: 0 } }),
      'environments.dev.audit.retentionDays: 0: Too small: expected number to be >=1',
    ],
    [
      'a retention of more than a hundred years',
      dev({ audit: { retentionDays: 36_501 } }),
      'environments.dev.audit.retentionDays: 36501: Too big: expected number to be <=36500',
    ],
    [
      'an account of eleven digits',
      dev({ account: '12345678901' }),
      'environments.dev.account: "12345678901": must be 12 digits',
    ],
    [
      'a region that is none',
      dev({ region: 'Frankfurt' }),
      'environments.dev.region: "Frankfurt": must be a region',
    ],
    [
      'a rate above what Secrets Manager allows',
      dev({ rotation: { schedule: 'rate(1 hour)' } }),
      'environments.dev.rotation.schedule: "rate(1 hour)": Secrets Manager takes rates from 4 hours to 999 days',
    ],
    [
      'a rate below what Secrets Manager allows',
      withSecret({ schedule: 'rate(1000 days)' }),
      'environments.dev.secrets.orders.schedule: "rate(1000 days)": Secrets Manager takes rates from 4 hours',
    ],
    [
      'a schedule in minutes',
      withSecret({ schedule: 'rate(300 minutes)' }),
      'must be rate(<n> hours), rate(<n> days) or cron(',
    ],
    [
      'a cron with five fields',
      withSecret({ schedule: 'cron(0 3 * * ?)' }),
      'cron takes 6 fields, this has 5',
    ],
    [
      'a cron at minute 30',
      withSecret({ schedule: 'cron(30 3 * * ? *)' }),
      'the minutes of a rotation cron must be 0',
    ],
    [
      'a cron in one year',
      withSecret({ schedule: 'cron(0 3 * * ? 2027)' }),
      'the year of a rotation cron must be *',
    ],
    [
      'a cron by day of month and of week',
      withSecret({ schedule: 'cron(0 3 1 * 2 *)' }),
      'exactly one of day-of-month',
    ],
    [
      'a schedule rarer than the maximum age',
      withSecret({ schedule: 'rate(60 days)' }),
      'environments.dev.secrets.orders.schedule: "rate(60 days)": every 60 days is rarer than the maximum age of 45 days',
    ],
    [
      'passwords of seven characters',
      dev({ passwords: { length: 7 } }),
      'environments.dev.passwords.length: 7: Too small: expected number to be >=8',
    ],
    [
      'passwords of no characters',
      dev({
        passwords: {
          excludeNumbers: true,
          excludePunctuation: true,
          excludeUppercase: true,
          excludeLowercase: true,
        },
      }),
      'environments.dev.passwords: password rules exclude every character',
    ],
    [
      'passwords of no characters, the secret and the environment taken together',
      dev({
        passwords: { excludeNumbers: true, excludePunctuation: true },
        secrets: {
          orders: {
            type: 'postgresql',
            strategy: 'single-user',
            adopt: 'orders',
            owner: 'team',
            passwords: { excludeUppercase: true, excludeLowercase: true },
          },
        },
      }),
      'environments.dev.secrets.orders.passwords: password rules exclude every character',
    ],
    [
      'password rules for what has no generated password',
      dev({
        secrets: {
          token: {
            type: 'http',
            strategy: 'single-user',
            adopt: 'token',
            owner: 'team',
            passwords: { length: 40 },
          },
        },
      }),
      'environments.dev.secrets.token.passwords: http: Rekey generates no password for this type; leave it out',
    ],
    [
      'an address that is none',
      dev({ notifications: { emails: ['nobody'] } }),
      'environments.dev.notifications.emails.0: "nobody": ',
    ],
    [
      'addresses beside a topic of their own',
      dev({
        notifications: { emails: ['a@example.com'], topicArn: 'arn:aws:sns:eu-central-1:111122223333:ops' },
      }),
      'environments.dev.notifications.emails: must be empty with `topicArn`',
    ],
    [
      'a principal that is a name',
      dev({ access: { operators: ['alice'] } }),
      'environments.dev.access.operators.0: "alice": must be an account id of 12 digits or the ARN of an IAM role or user',
    ],
    [
      'a network that is neither created nor existing',
      dev({ networks: { db: {} } }),
      'environments.dev.networks.db: must have exactly one of `existing` and `create`',
    ],
    [
      'a subnet that is none',
      dev({ networks: { db: { existing: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['private'] } } } }),
      'environments.dev.networks.db.existing.subnetIds.0: "private": must be the id of a subnet, subnet-…',
    ],
    [
      'a target port out of range',
      dev({
        networks: {
          db: {
            existing: {
              vpcId: 'vpc-0a1b2c3d',
              subnetIds: ['subnet-0a1b2c3d'],
              egress: [{ to: '10.0.0.0/8', port: 70_000 }],
            },
          },
        },
      }),
      'environments.dev.networks.db.existing.egress.0.port: 70000: Too big: expected number to be <=65535',
    ],
    [
      'a type that is unknown',
      withSecret({ type: 'oracle' }),
      'environments.dev.secrets.orders.type: "oracle": Invalid',
    ],
    [
      'a strategy that the type does not support',
      withSecret({ strategy: 'dual-credential' }),
      'environments.dev.secrets.orders.strategy: "dual-credential": postgresql supports single-user, alternating-users',
    ],
    [
      'a strategy that the environment does not allow',
      dev({ strategies: ['alternating-users'], secrets: { orders: secret } }),
      'environments.dev.secrets.orders.strategy: "single-user": this environment allows alternating-users',
    ],
    [
      'a secret both created and adopted',
      withSecret({ adopt: 'orders' }),
      'environments.dev.secrets.orders: must have exactly one of `create` and `adopt`',
    ],
    [
      'a secret neither created nor adopted',
      withSecret({ create: undefined }),
      'environments.dev.secrets.orders: must have exactly one of `create` and `adopt`',
    ],
    [
      'a name that looks like an ARN with its suffix',
      withSecret({ create: { ...secret.create, name: 'orders-master' } }),
      'environments.dev.secrets.orders.create.name: "orders-master": must not end in a hyphen and six characters',
    ],
    [
      'a name with a space',
      withSecret({ create: { ...secret.create, name: 'the orders' } }),
      'environments.dev.secrets.orders.create.name: "the orders": may hold letters, digits and / _ + = . @ -',
    ],
    [
      'the ARN of a secret without its suffix',
      withSecret({
        create: undefined,
        adopt: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders',
      }),
      'must be the name of a secret, or its full ARN with the six-character suffix',
    ],
    ...['app-secret', 'orders-master', '/prod/db-reader', 'x-a1b2c3'].flatMap(
      (name): [string, ReturnType<typeof withSecret>, string][] => [
        [
          `the name ${name}, whose partial ARN would look like a full one`,
          withSecret({ create: undefined, adopt: name }),
          `environments.dev.secrets.orders.adopt: "${name}": ends in a hyphen and six characters, as an ARN does, so Secrets Manager would not find it; give the full ARN instead`,
        ],
        [
          `the same for an admin secret, ${name}`,
          withSecret({ adminSecret: { adopt: name } }),
          'ends in a hyphen and six characters, as an ARN does',
        ],
      ],
    ),
    [
      'a key for a created secret',
      withSecret({ encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/1234' }),
      'environments.dev.secrets.orders.encryptionKey: "arn:aws:kms:eu-central-1:111122223333:key/1234": is only for adopted',
    ],
    [
      'a network that is not there',
      withSecret({ network: 'databse' }),
      'environments.dev.secrets.orders.network: "databse": no such network; there are: none',
    ],
    [
      'two passwords of an ElastiCache user that can be tried nowhere',
      dev({
        secrets: {
          orders: {
            type: 'elasticache',
            strategy: 'dual-credential',
            owner: 'team-orders',
            create: { name: 'orders', fields: { username: 'orders', userId: 'orders-1' } },
            resources: ['arn:aws:elasticache:eu-central-1:111122223333:user:orders-1'],
          },
        },
      }),
      'environments.dev.secrets.orders.create.fields.host: elasticache with dual-credential needs one',
    ],
    [
      'the user of a created secret, said twice',
      withSecret({ identity: { username: 'orders', host: 'db.internal' } }),
      'environments.dev.secrets.orders.identity: is only for adopted secrets',
    ],
    [
      'an API token that nobody has made yet',
      withSecret({ type: 'http', strategy: 'dual-credential' }),
      'environments.dev.secrets.orders.create: http: store a secret with a credential that works first, and adopt it',
    ],
    [
      'resources of a target that no AWS API changes',
      withSecret({ resources: ['arn:aws:iam::111122223333:user/app'] }),
      'environments.dev.secrets.orders.resources: postgresql is not reached through an AWS API; leave it out',
    ],
    [
      'an overlap of less than nothing',
      dev({ rotation: { overlapHours: -1 } }),
      'environments.dev.rotation.overlapHours: -1: Too small',
    ],
    [
      'one secret twice',
      dev({ secrets: { one: secret, two: secret } }),
      'environments.dev.secrets.two: names the same secret as secrets.one: /dev/orders',
    ],
    [
      'a proxy as host',
      withSecret({
        create: {
          ...secret.create,
          fields: { ...secret.create.fields, host: 'x.proxy-c9akciq32.eu-central-1.rds.amazonaws.com' },
        },
      }),
      'environments.dev.secrets.orders.create.fields.host: is an RDS Proxy',
    ],
    ['no owner', withSecret({ owner: '' }), 'environments.dev.secrets.orders.owner: "": Too small'],
  ])('%s', (_, input, expected) => {
    expect(messageOf(input)).toContain(expected);
  });

  test('a password in the fields, whose value the message does not show', () => {
    const message = messageOf(
      withSecret({
        create: { name: 'orders', fields: { ...secret.create.fields, password: 'hunter2hunter2' } },
      }),
    );
    expect(message).toContain(
      'environments.dev.secrets.orders.create.fields.password: must not hold `password`',
    );
    expect(message).not.toContain('hunter2');
  });

  test('several things at once are all named', () => {
    const message = messageOf(dev({ account: '1', region: 'x', audit: { retentionDays: 0.5 } }));
    expect(message).toMatch(/^the configuration has 3 problems:/);
  });
});
