import { describe, expect, test } from '@jest/globals';
import { isProxyHost } from '../../../core/secret/rds-proxy.ts';
import { check as checkMysql } from '../../../rotators/mysql/check.ts';
import { check as checkPostgres } from '../../../rotators/postgresql/check.ts';
import { check as checkMaster } from '../../../rotators/rds-admin/check.ts';

const region = 'eu-central-1.rds.amazonaws.com';

test.each([
  [`orders.proxy-c9akciq32.${region}`, true],
  [`readers.endpoint.proxy-c9akciq32.${region}`, true],
  [`Orders.Proxy-C9akciq32.${region.toUpperCase()}.`, true],
  ['orders.proxy-c9akciq32.cn-north-1.rds.amazonaws.com.cn', true],
  [`orders.c9akciq32.${region}`, false],
  [`orders.cluster-c9akciq32.${region}`, false],
  [`proxy-1.c9akciq32.${region}`, false],
  ['db.proxy-team.example', false],
])('%s is an endpoint of RDS Proxy: %s', (host, proxy) => {
  expect(isProxyHost(host)).toBe(proxy);
});

describe.each([
  ['postgresql', 'postgres', checkPostgres],
  ['mysql', 'mysql', checkMysql],
  ['rds-admin', 'postgres', checkMaster],
] as const)('%s', (_type, engine, check) => {
  const rotate = (host: string) => {
    const current = { engine, host, username: 'app', password: 'the first password' };
    return () =>
      check({ ...current, password: 'The-sec0nd-password' } as never, current as never, 'single-user');
  };

  test('nothing is rotated through a proxy, and the error says what to name', () => {
    expect(rotate(`orders.c9akciq32.${region}`)).not.toThrow();
    expect(rotate(`orders.proxy-c9akciq32.${region}`)).toThrow(
      expect.objectContaining({
        code: 'IdentityMismatch',
        message: expect.stringContaining('name the endpoint of the DB instance or cluster in host'),
      }),
    );
  });
});
