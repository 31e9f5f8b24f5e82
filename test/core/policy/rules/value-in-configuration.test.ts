import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('ValueInConfiguration', () => {
  test('names, hosts and ids are taken', () => {
    expect(
      ofSecret('ValueInConfiguration', {
        fields: {
          engine: 'postgres',
          host: 'orders-db-1.cluster-c1a2b3d4e5f6.eu-central-1.rds.amazonaws.com',
          dbname: 'orders_2026',
          vpc: 'vpc-0d1e2f3a4b5c60718',
          request: '0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b',
          secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf',
          port: 5432,
          ssl: true,
        },
      }),
    ).toMatchObject({ outcome: 'met' });
  });

  test('a name that stands for a secret is not', () => {
    expect(ofSecret('ValueInConfiguration', { fields: { api_key: 'abcd1234' } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('api_key'),
        fix: expect.stringContaining('environments.prod.secrets.orders.create.fields.api_key'),
      },
    });
  });

  test('a text of high entropy is not, whatever its name', () => {
    expect(ofSecret('ValueInConfiguration', { fields: { note: 'q8Zr-2LxW0_vTn5KpYd7Hj' } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('note'),
        fix: expect.stringContaining('replace that credential'),
      },
    });
  });

  test('the message holds no value', () => {
    expect(
      JSON.stringify(ofSecret('ValueInConfiguration', { fields: { token: 'tk_live_veryprivate' } })),
    ).not.toContain('veryprivate');
  });
});
