import { describe, expect, test } from '@jest/globals';
import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

type Environment = ConfigurationInput['environments'][string];

const settings: Environment = {
  audit: { retentionDays: 1 },
  secrets: {
    orders: {
      type: 'generic',
      strategy: 'single-user',
      create: { name: 'orders', fields: {} },
      owner: 'team-orders',
    },
  },
};

function build(changes: Partial<Environment>, rest: Partial<ConfigurationInput> = {}, others: object = {}) {
  const within = defineConfig({ ...rest, environments: { dev: { ...settings, ...changes }, ...others } });
  const configuration = within.environments.dev;
  if (configuration === undefined) throw new Error('no environment');
  return new RekeyEnvironment(testApp(), 'dev', { configuration, within, directory: import.meta.dirname });
}

describe('an environment at synth', () => {
  test('without a policy asks for nothing', () => {
    expect(() => build({})).not.toThrow();
  });

  test('stops at the errors of its policy, all in one message', () => {
    const broken = () => build({ policy: { stage: 'production' } });
    expect(broken).toThrow(
      /^dev breaks rules of its policy in 4 places:\n {2}AuditRetentionTooShort: environments\.dev: /,
    );
    expect(broken).toThrow('NobodyNotified: environments.dev: notifications has no address');
    expect(broken).not.toThrow('PurposeMissing');
    expect(broken).toThrow(expect.objectContaining({ code: 'PolicyBroken' }));
  });

  test('stops at those of the organization', () => {
    expect(() => build({}, { policy: { rotateWithinDays: 7 } })).toThrow(
      'dev breaks rules of its policy in 5 places',
    );
  });

  test('shows warnings, and goes on', () => {
    const environment = build({ policy: { stage: 'development', require: { purpose: true } } });
    expect(environment.node.metadata.map(({ type, data }) => [type, data])).toEqual([
      [
        'aws:cdk:warning',
        'environments.dev.secrets.orders: it has no purpose. Say in environments.dev.secrets.orders.purpose what it is for, in a sentence. [ack: rekey:PurposeMissing]',
      ],
    ]);
  });

  test('is compared with the other environments of its configuration', () => {
    const secrets = {
      shared: { type: 'generic', strategy: 'single-user', adopt: 'shared', owner: 'team-orders' },
    } as const;
    const policy = { stage: 'development' } as const;
    expect(() => build({ secrets, policy })).not.toThrow();
    expect(() => build({ secrets, policy }, {}, { other: { ...settings, secrets } })).toThrow(
      'SecretShared: environments.dev.secrets.shared: environments.other.secrets.shared is the same secret (shared)',
    );
  });
});
