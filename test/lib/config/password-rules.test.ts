import { expect, test } from '@jest/globals';
import { messageOf, withSecret } from '../../synth/support/settings.ts';

const punctuation = "!#$%&'()*+-.;<=>?[]^_`{|}~";

/**
 * Rules for passwords that the target can never meet: each rotation of the secret would fail with `PasswordPolicyInvalid`, the
 * one after the deploy and the one of an emergency. What the configuration alone tells is refused at synth, as the length is for MySQL.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html: one upper-case letter, one lower-case letter, one digit
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
 */
test.each<[string, object]>([
  [
    'Redshift without digits',
    {
      type: 'redshift',
      create: {
        name: 'orders',
        fields: { engine: 'redshift', host: 'dwh.internal', username: 'orders' },
      },
      passwords: { excludeNumbers: true },
    },
  ],
  [
    'the master password of Redshift without upper-case letters',
    {
      type: 'rds-admin',
      create: undefined,
      adopt: 'dwh/main',
      resources: ['arn:aws:redshift:eu-central-1:111122223333:cluster:dwh'],
      passwords: { excludeUppercase: true },
    },
  ],
  [
    'ElastiCache with nothing left but what it does not take',
    {
      type: 'elasticache',
      create: { name: 'orders', fields: { username: 'orders', userId: 'orders' } },
      resources: ['arn:aws:elasticache:eu-central-1:111122223333:user:orders'],
      passwords: {
        excludeNumbers: true,
        excludeUppercase: true,
        excludeLowercase: true,
        excludeCharacters: `${punctuation}:\\@`,
      },
    },
  ],
])('%s', (_name, settings) => {
  expect(messageOf(withSecret(settings))).toMatch(/passwords/);
});

test('rules that leave something are taken, and an engine that nobody knows is said to be that', () => {
  const master = (engine: string) => ({
    type: 'rds-admin',
    create: { name: 'main', fields: { engine, host: 'db.internal', username: 'main' } },
    resources: ['arn:aws:rds:eu-central-1:111122223333:db:main'],
    passwords: { excludePunctuation: true },
  });
  expect(messageOf(withSecret(master('postgres')))).not.toMatch(/passwords/);
  expect(messageOf(withSecret(master('access')))).toMatch(/engine/);
});
