import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('SecretNeedless', () => {
  test('a database outside RDS is taken', () => {
    expect(ofSecret('SecretNeedless', {})).toMatchObject({ outcome: 'met' });
  });

  test('an access key is not', () => {
    expect(ofSecret('SecretNeedless', { type: 'iam-access-key', login: undefined })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('calls AWS'),
        fix: expect.stringContaining('OIDC'),
      },
    });
  });

  test('a login to Aurora is not', () => {
    expect(
      ofSecret('SecretNeedless', {
        login: { host: 'orders.cluster-abc.eu-central-1.rds.amazonaws.com', username: 'orders' },
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('RDS or Aurora'),
        fix: expect.stringContaining('IAM database authentication'),
      },
    });
  });

  test('a host that only sounds like RDS is taken', () => {
    expect(
      ofSecret('SecretNeedless', { login: { host: 'rds.amazonaws.com.evil.example', username: 'orders' } }),
    ).toMatchObject({ outcome: 'met' });
  });

  test('the user of a cache is not', () => {
    expect(ofSecret('SecretNeedless', { type: 'elasticache' })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('ElastiCache'),
        fix: expect.stringContaining('IAM authentication'),
      },
    });
  });
});
