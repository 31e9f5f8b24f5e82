import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

const orders = {
  type: 'postgresql' as const,
  strategy: 'alternating-users' as const,
  create: { name: 'orders', fields: { engine: 'postgres', username: 'orders', host: 'db.internal' } },
  owner: 'team-orders',
};
const token = {
  type: 'http' as const,
  strategy: 'dual-credential' as const,
  adopt: 'token',
  owner: 'team-orders',
};
const admin = { type: 'postgresql' as const, strategy: 'single-user' as const, adopt: 'admin', owner: 'dba' };

function templates(secrets: Record<string, object>): unknown[] {
  const { environments } = defineConfig({
    environments: {
      prod: {
        account: '111122223333',
        region: 'eu-central-1',
        audit: { retentionDays: 30 },
        access: { operators: ['111122223333'] },
        secrets: secrets as never,
      },
    },
  });
  const { prod: configuration } = environments;
  if (configuration === undefined) throw new Error('no environment');
  const { foundation, rotations, revocation, access } = new RekeyEnvironment(testApp(), 'prod', {
    configuration,
    directory: import.meta.dirname,
  });
  return [...rotations, foundation, revocation, access].map((stack) =>
    Template.fromStack(stack as never).toJSON(),
  );
}

describe('CloudFormation knows a secret by its name', () => {
  const before = templates({
    admin,
    orders: { ...orders, adminSecret: { secret: 'admin' } },
    token: { ...token, adminSecret: { secret: 'admin' } },
  });

  test('new keys in the configuration change nothing, those of admin secrets included', () => {
    const after = templates({
      'database-admin': admin,
      'orders-database': { ...orders, adminSecret: { secret: 'database-admin' } },
      'api-token': { ...token, adminSecret: { secret: 'database-admin' } },
    });
    expect(after).toEqual(before);
  });

  test('so does another order', () => {
    const after = templates({
      token: { ...token, adminSecret: { secret: 'admin' } },
      orders: { ...orders, adminSecret: { secret: 'admin' } },
      admin,
    });
    expect(after).toEqual(before);
  });

  test('its name and its full ARN are one secret to its schedule', () => {
    const scheduled = (adopt: string) =>
      templates({ admin: { ...admin, adopt } }).flatMap((template) =>
        Object.entries(
          (template as { Resources: Record<string, { Type: string; Properties: object }> }).Resources,
        )
          .filter(([, { Type }]) => Type === 'AWS::SecretsManager::RotationSchedule')
          .map(([id, { Properties }]) => [id, (Properties as { SecretId: unknown }).SecretId]),
      );
    const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin';
    expect(scheduled('admin')).toEqual([[expect.any(String), arn]]);
    expect(scheduled(`${arn}-AbCdEf`)).toEqual(scheduled('admin'));
    // A name that ends like a suffix is found by its full ARN alone.
    expect(scheduled(`${arn}-secret-AbCdEf`)[0]?.[1]).toBe(`${arn}-secret-AbCdEf`);
  });

  test('another name is another secret', () => {
    const ids = (all: unknown[]) => Object.keys((all[0] as { Resources: object }).Resources);
    const renamed = templates({
      orders: { ...orders, create: { ...orders.create, name: 'orders-2' }, adminSecret: { secret: 'admin' } },
      admin,
    });
    const same = ids(renamed).filter((id) => id.startsWith('Secret') && ids(before).includes(id));
    // The admin secret's own schedule and definition.
    expect(same.map((id) => id.replace(/[0-9A-F]{8}$/, '').replace(/[0-9a-f]{16}/, '')).sort()).toEqual([
      'SecretDefinition',
      'SecretSchedule',
    ]);
  });
});
