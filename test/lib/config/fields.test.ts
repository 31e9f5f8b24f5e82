import { describe, expect, test } from '@jest/globals';
import { type ConfigurationError, defineConfig } from '../../../lib/config/config.ts';
import { contentChanges } from '../../../lib/config/content-changes.ts';
import { checkFields } from '../../../lib/config/fields.ts';
import type { SecretConfiguration } from '../../../lib/config/schema.ts';

const login = { engine: 'postgres', username: 'orders', host: 'db.internal' };

/** Fields that each type takes. */
const right: Readonly<Record<keyof typeof contentChanges, Record<string, string | number>>> = {
  postgresql: login,
  mysql: { ...login, engine: 'mysql', port: 3306 },
  redshift: { ...login, engine: 'redshift' },
  redis: { ...login, engine: 'redis' },
  elasticache: { username: 'orders', userId: 'orders-1' },
  'rds-admin': login,
  'iam-access-key': { username: 'orders' },
  generic: {},
};

const problems = (type: string, fields: object, more: object = {}) =>
  checkFields({ type, create: { name: 'orders', fields }, ...more } as SecretConfiguration).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

describe.each(Object.keys(contentChanges))('the fields of a created %s secret', (type) => {
  const fields = right[type as keyof typeof contentChanges];

  test('pass as its functions would read them', () => {
    expect(problems(type, fields)).toEqual([]);
  });

  test('are refused where one is missing that its first rotation needs', () => {
    for (const field of Object.keys(fields).filter((key) => key !== 'port')) {
      const { [field]: _, ...others } = fields;
      expect({ field, found: problems(type, others) }).toEqual({
        field,
        found: [expect.stringMatching(new RegExp(`create.fields.${field}: `))],
      });
      expect(problems(type, others, { rotateOnDeploy: false })).toEqual([]);
    }
  });
});

test.each([
  ['another product', { ...login, engine: 'mysql' }, 'create.fields.engine: Invalid option'],
  [
    'a URL in place of a host',
    { ...login, host: 'postgres://db/orders' },
    'create.fields.host: host must be a host name',
  ],
  ['a port that is none', { ...login, port: 123_456 }, 'create.fields.port: '],
  ['a name that is too long', { ...login, username: 'u'.repeat(64) }, 'must be at most 63 bytes'],
])('%s is refused, also where the rotation comes later', (_, fields, message) => {
  for (const more of [{}, { rotateOnDeploy: false }]) {
    expect(problems('postgresql', fields, more)).toEqual([expect.stringContaining(message)]);
  }
});

test('the error names the place and not what stands there', () => {
  const define = () =>
    defineConfig({
      environments: {
        dev: {
          audit: { retentionDays: 1 },
          secrets: {
            orders: {
              type: 'postgresql',
              strategy: 'single-user',
              owner: 'team-orders',
              create: { name: 'orders', fields: { ...login, host: 'a/secret value' } },
            },
          },
        },
      },
    });
  expect(define).toThrow('environments.dev.secrets.orders.create.fields.host: host must be');
  try {
    define();
  } catch (error) {
    expect((error as ConfigurationError).message).not.toContain('secret value');
  }
});
