import { describe, expect, test } from '@jest/globals';
import { defineConfig } from '../../../lib/config/config.ts';
import { hasPolicy, policyFactsOf } from '../../../lib/config/policy-facts.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';

type Environment = ConfigurationInput['environments'][string];

const secret = {
  type: 'mysql',
  strategy: 'alternating-users',
  create: {
    name: 'orders/db',
    fields: { engine: 'mysql', host: 'db.internal', port: 3306, username: 'orders' },
  },
  adminSecret: { adopt: 'admin' },
  owner: 'team-orders',
} as const;

const factsOf = (
  environment: Partial<Environment> = {},
  changes: object = {},
  policy?: ConfigurationInput['policy'],
) => {
  const [facts] = policyFactsOf(
    defineConfig({
      ...(policy !== undefined && { policy }),
      environments: {
        prod: {
          audit: { retentionDays: 30 },
          secrets: { orders: { ...secret, ...changes } },
          ...environment,
        } as Environment,
      },
    }),
  );
  const [first] = facts?.secrets ?? [];
  if (facts === undefined || first === undefined) throw new Error('no facts');
  return { ...facts, secret: first };
};

describe('facts of a secret', () => {
  test('what is set nowhere comes from the defaults', () => {
    expect(factsOf().secret).toMatchObject({
      path: 'environments.prod.secrets.orders',
      name: '/prod/orders/db',
      schedule: { value: 'rate(30 days)', from: 'default' },
      rotatesWithinDays: 30,
      maximumAgeDays: { value: 45, from: 'default' },
      hasCustomerKey: true,
      login: { host: 'db.internal', port: 3306, username: 'orders' },
    });
  });

  test('what the environment sets is named there, and what the secret sets at the secret', () => {
    const rotation = { schedule: 'rate(10 days)', maximumAgeDays: 20 };
    expect(factsOf({ rotation }).secret).toMatchObject({
      schedule: { value: 'rate(10 days)', from: 'environments.prod.rotation.schedule' },
      maximumAgeDays: { value: 20, from: 'environments.prod.rotation.maximumAgeDays' },
    });
    expect(factsOf({ rotation }, { schedule: 'cron(0 4 1 * ? *)', maximumAgeDays: 40 }).secret).toMatchObject(
      {
        schedule: { from: 'environments.prod.secrets.orders.schedule' },
        rotatesWithinDays: 31,
        maximumAgeDays: { value: 40, from: 'environments.prod.secrets.orders.maximumAgeDays' },
      },
    );
  });

  test('bits are those of the rules that count', () => {
    const letters = { excludeNumbers: true, excludePunctuation: true, excludeUppercase: true };
    const own = factsOf({}, { passwords: { ...letters, length: 10 } }).secret.passwordBits;
    expect(own).toEqual({ value: 10 * Math.log2(26), from: 'environments.prod.secrets.orders.passwords' });
    const shared = factsOf({ passwords: { length: 200, ...letters } }).secret.passwordBits;
    expect(shared?.from).toBe('environments.prod.passwords');
    expect(shared?.value).toBe(200 * Math.log2(26));
  });

  test('an adopted secret has the key that it names, and the place of its identity', () => {
    const identity = { username: 'orders', host: 'db.internal' };
    const adopted = factsOf({}, { create: undefined, adopt: 'orders', identity }).secret;
    expect(adopted).toMatchObject({ origin: 'adopted', hasCustomerKey: false, login: identity, fields: {} });
  });

  test('only two credentials at a time overlap', () => {
    expect(factsOf().secret.overlapHours).toBeUndefined();
    expect(factsOf({}, { strategy: 'dual-credential' }).secret.overlapHours).toEqual({
      value: 24,
      from: 'default',
    });
  });
});

describe('the policy of an environment', () => {
  test('has the layers from the defaults to its own', () => {
    const { policy } = factsOf(
      { policy: { stage: 'staging', passwordBits: 128, severity: { BrakeOff: 'error' } } },
      {},
      { rotateWithinDays: 60 },
    );
    expect(policy.layers.map(({ from }) => from)).toEqual(['default', 'policy', 'environments.prod.policy']);
    expect(policy.stage).toEqual({ value: 'staging', from: 'environments.prod.policy.stage' });
    expect(policy.severities).toEqual([
      { from: 'environments.prod.policy.severity', by: { BrakeOff: 'error' } },
    ]);
  });

  test('is that of production where none is written', () => {
    expect(factsOf().policy).toMatchObject({ stage: { value: 'production', from: 'default' }, waivers: [] });
  });

  test('is in force where one is written, by the environment or the organization', () => {
    expect(hasPolicy({}, {})).toBe(false);
    expect(hasPolicy({ policy: {} }, {})).toBe(true);
    expect(hasPolicy({}, { policy: { stage: 'production', waivers: [] } })).toBe(true);
  });
});

test.each([
  ['a broken pattern', { detection: { names: ['('] } }, 'must be a regular expression'],
  ['an unknown rule', { severity: { Nothing: 'off' } }, 'environments.prod.policy.severity'],
  [
    'no day',
    { waivers: [{ rule: 'BrakeOff', reason: 'a load test', until: '2026-02-30' }] },
    'is no day of the calendar',
  ],
  [
    'a waiver without a reason',
    { waivers: [{ rule: 'BrakeOff', reason: '', until: '2026-02-20' }] },
    'waivers.0.reason',
  ],
])('%s is a problem', (_, policy, message) => {
  expect(() => factsOf({ policy: policy as never })).toThrow(message);
});
