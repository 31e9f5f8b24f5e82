import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../../adapters/system.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { check } from '../../../rotators/elasticache/check.ts';
import { rotator as elastiCache } from '../../../rotators/elasticache/rotator.ts';
import {
  asLogin,
  type CacheUserSecret,
  cacheUserSchema,
  userIdOf,
} from '../../../rotators/elasticache/schema.ts';
import { registry } from '../../../rotators/registry.ts';

const arn = 'arn:aws:elasticache:eu-central-1:111122223333:user:Orders-1';
const current: CacheUserSecret = {
  username: 'orders',
  password: 'The-first-password',
  user_arn: arn,
  host: 'cache.example',
};

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

describe('a pending password', () => {
  const refusal = (password: string) => codeOf(() => check({ ...current, password }, current));

  test('is held to the documented limits', () => {
    expect(refusal('x'.repeat(16))).toBeUndefined();
    expect(refusal('x'.repeat(128))).toBeUndefined();
    for (const wrong of ['x'.repeat(15), 'x'.repeat(129), 'a'.repeat(64)]) {
      expect([wrong, refusal(wrong)]).toEqual([wrong, 'PendingValueRefused']);
    }
    for (const character of [...',"/@ ü\n\x7f']) {
      expect([character, refusal(`long-enough-with-${character}`)]).toEqual([
        character,
        'PendingValueRefused',
      ]);
    }
  });

  test('that was proposed keeps to them, whatever the rules of the configuration', async () => {
    const rules = fc.record({
      PASSWORD_LENGTH: fc.integer({ min: 8, max: 300 }).map(String),
      EXCLUDE_CHARACTERS: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
      EXCLUDE_NUMBERS: fc.constantFrom('true', 'false'),
      REQUIRE_EACH_INCLUDED_TYPE: fc.constantFrom('true', 'false'),
    });
    await fc.assert(
      fc.asyncProperty(rules, async (environment) => {
        const context = { passwords: passwordPolicy(environment), random: systemRandom };
        const next = await elastiCache.propose(current, context as Parameters<typeof elastiCache.propose>[1]);
        expect(() => check(next, current)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    { username: 'other' },
    { host: 'other.example' },
    { port: 1 },
    { user_arn: `${arn}2` },
    { userId: 'other' },
  ])('of another user is refused: %j', (change) => {
    const next = { ...current, password: 'The-second-password', ...change };
    expect(codeOf(() => check(next, current))).toBe('IdentityMismatch');
  });
});

describe('a secret', () => {
  test('names the user by its id or its ARN, and keeps what it does not know', () => {
    const json = { ...current, port: '6380', userGroupId: 'all', team: { a: [1] } };
    expect(cacheUserSchema.parse(json)).toEqual(json);
    expect([userIdOf(current), userIdOf({ ...current, userId: 'Other' })]).toEqual(['orders-1', 'other']);
    expect(asLogin(current)).toMatchObject({ engine: 'redis', host: 'cache.example', username: 'orders' });
    expect(asLogin({ ...current, host: null })).toBeUndefined();
  });

  test.each([
    { user_arn: null },
    { user_arn: 'arn:aws:elasticache:eu-central-1:111122223333:usergroup:all' },
    { userId: 'with space' },
    { username: 'with space' },
    { host: '/run/redis.sock' },
    { engine: 'memcached' },
  ])('is refused with %j', (change) => {
    expect(cacheUserSchema.safeParse({ ...current, ...change }).success).toBe(false);
  });
});

test('resources are ARNs of users', () => {
  const { pattern, example } = registry.elasticache.aws.resources;
  for (const good of [example, arn]) expect([good, pattern.test(good)]).toEqual([good, true]);
  for (const bad of [`${arn}:x`, arn.replace(':user:', ':usergroup:'), `${arn}*`]) {
    expect([bad, pattern.test(bad)]).toEqual([bad, false]);
  }
});
