import { describe, expect, test } from '@jest/globals';
import { defineConfig } from '../../lib/config/config.ts';
import type { SecretInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

/** How many pairs of functions two secrets need. */
function pairsOf(first: object, second: object): number {
  const existing = { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] };
  const secrets = { first, second } as unknown as Record<string, SecretInput>;
  const { environments } = defineConfig({
    environments: {
      prod: {
        account: '111122223333',
        region: 'eu-central-1',
        audit: { retentionDays: 30 },
        networks: { plaintext: { existing }, private: { existing } },
        secrets,
      },
    },
  });
  const { prod: configuration } = environments;
  if (configuration === undefined) throw new Error('no environment');
  const stacks = new RekeyEnvironment(testApp(), 'prod', { configuration, directory: import.meta.dirname });
  return stacks.rotations.flatMap((stack) => stack.functions).length;
}

const named = (name: string, more: object) => ({ adopt: name, owner: 'team', ...more });
const user = (name: string) => ({
  type: 'iam-access-key',
  strategy: 'dual-credential',
  resources: [`arn:aws:iam::111122223333:user/${name}`],
});
const token = (admin: string) => ({
  type: 'http',
  strategy: 'dual-credential',
  adminSecret: { adopt: admin },
});
const login = (admin: string) => ({
  type: 'postgresql',
  strategy: 'single-user',
  adminSecret: { adopt: admin },
});

const database = (more: object) => ({ type: 'postgresql', strategy: 'single-user', ...more });
const api = (more: object) => ({ ...token('gitlab'), ...more });

describe('a name in the configuration never passes for a setting', () => {
  test.each([
    ['a network that is called plaintext', database({ network: 'plaintext' }), { allowPlaintext: true }],
    ['a network that is called private', api({ network: 'private' }), { allowPrivateAddresses: true }],
  ])('%s', (_name, first, trust) => {
    const { network: _, ...without } = first as { network?: string };
    expect(pairsOf(named('one', first), named('two', { ...without, ...trust }))).toBe(2);
  });
});

describe('whoever may write one secret reaches the target of another only where the target itself asks for proof', () => {
  test.each([
    ['users of IAM', user('orders'), user('billing'), 2],
    ['one user of IAM', user('orders'), user('orders'), 1],
    ['tokens of different admins', token('gitlab-orders-admin'), token('gitlab-billing'), 2],
    ['tokens of one admin', token('gitlab'), token('gitlab'), 1],
    ['logins of different admins, which a login proves', login('orders-admin'), login('billing-admin'), 1],
  ])('%s', (_name, first, second, pairs) => {
    expect(pairsOf(named('one', first), named('two', second))).toBe(pairs);
  });
});

test.each([
  ['none of its own', {}, {}, 1],
  ['rules of its own', {}, { passwords: { excludePunctuation: true } }, 2],
  [
    'the same rules of its own',
    { passwords: { excludePunctuation: true, length: 40 } },
    { passwords: { length: 40, excludePunctuation: true } },
    1,
  ],
])('a secret with %s for its passwords', (_name, first, second, pairs) => {
  expect(pairsOf(named('one', database(first)), named('two', database(second)))).toBe(pairs);
});
