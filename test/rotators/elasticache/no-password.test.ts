import { expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import type { Finding } from '../../../core/findings/codes.ts';
import type { CacheUser, CacheUserApi } from '../../../rotators/elasticache/api.ts';
import { apply } from '../../../rotators/elasticache/apply.ts';
import type { CacheUserSecret } from '../../../rotators/elasticache/schema.ts';

/**
 * A user of `no-password-required` lets everybody in. Whoever logs in without a password is refused from the rotation on.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_AuthenticationMode.html
 */
test('a user without any password is not given one without a word', async () => {
  const user: CacheUser = {
    id: 'orders',
    what: 'ElastiCache user "orders"',
    username: 'orders',
    status: 'active',
    changing: false,
    passwordCount: 0,
    authentication: 'no-password',
  };
  let passwords: readonly string[] | undefined;
  const api = {
    find: async () => user,
    setPasswords: async (_user: CacheUser, wanted: readonly string[]) => {
      passwords = wanted;
      return user;
    },
  } as unknown as CacheUserApi;
  const current: CacheUserSecret = { username: 'orders', userId: 'orders', password: 'never set by anybody' };
  const findings: Finding[] = [];
  await apply(
    { ...current, password: 'the next password' },
    {
      connectTimeoutMs: 100,
      statementTimeoutMs: 100,
      finding: (finding) => findings.push(finding),
      strategy: 'single-user',
      random: systemRandom,
      credentials: {
        current,
        admin: async () => undefined,
        previous: async () => undefined,
        async *others() {},
        isAssigned: async () => true,
      },
    },
    { api, pace: { budgetMs: 1_000, pollMs: 1, settleMs: 1 } },
  );
  expect({ passwords, codes: findings.map(({ code }) => code) }).toEqual({
    passwords: ['the next password'],
    codes: ['PasswordlessLogin'],
  });
});
