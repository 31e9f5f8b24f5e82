import { describe, expect, test } from '@jest/globals';
import { pairOf } from '../../../core/secret/alternating-users.ts';
import {
  alternateOf,
  noteCurrentRefused,
  requireAdmin,
  requireOtherAdmin,
  standsAlone,
} from '../../../rotators/families/alternating.ts';
import { account, atHand } from './at-hand.ts';

const limit = { longest: 12, unit: 'bytes', of: 'PostgreSQL' } as const;

test('a pair is the same from either side', () => {
  expect(pairOf('app')).toEqual({ base: 'app', clone: 'app_clone' });
  expect(pairOf('app_clone')).toEqual({ base: 'app', clone: 'app_clone' });
  expect([alternateOf('app', limit), alternateOf('app_clone', limit)]).toEqual(['app_clone', 'app']);
});

test.each([
  ['_clone', limit, 'no name before "_clone"'],
  [
    'seven77',
    limit,
    'would have 13 bytes, PostgreSQL allows 12; alternating users need a name of at most 6 bytes',
  ],
  ['éééé', limit, 'would have 14 bytes'],
  ['seven77', { ...limit, unit: 'characters' }, '13 characters'],
] as const)('%j can have no other user', (username, of, message) => {
  expect(() => alternateOf(username, of)).toThrow(
    expect.objectContaining({ code: 'StrategyUnsupported', message: expect.stringContaining(message) }),
  );
});

test('characters are counted, not bytes, where the server counts so', () => {
  expect(alternateOf('éééééé', { ...limit, unit: 'characters' })).toBe('éééééé_clone');
});

test('only the user without the suffix gets its password while the other one does not exist', () => {
  expect(standsAlone('app', true)).toBe(true);
  expect(standsAlone('app', false)).toBe(false);
  expect(standsAlone('app_clone', true)).toBe(false);
});

describe('the admin', () => {
  test('is the one of the secret', async () => {
    const admin = account('of the admin', 'root');
    expect(await requireAdmin(account('the next one'), atHand({ admin }).context)).toBe(admin);
  });

  test('must be named, and the error says where', async () => {
    await expect(requireAdmin(account('the next one'), atHand({}).context)).rejects.toMatchObject({
      code: 'AdminSecretMissing',
      message: 'alternating users need an admin: name its secret in "masterarn" of the secret of "app"',
    });
  });

  test.each([
    ['app', 'app'],
    ['app_clone', 'app'],
    ['app', 'app_clone'],
    ['app_clone', 'app_clone'],
  ])('"%s" does not change itself for the secret of "%s"', (admin, username) => {
    expect(() => requireOtherAdmin(admin, username)).toThrow(
      expect.objectContaining({
        code: 'AdminSecretMismatch',
        message: `the admin "${admin}" is itself one of the alternating users`,
      }),
    );
  });

  test('may be anybody else', () => {
    expect(() => requireOtherAdmin('root', 'app')).not.toThrow();
  });
});

test('a current password that the server refused is a finding that names the user', () => {
  const { context, findings } = atHand({ current: account('the current one', 'app_clone') });
  noteCurrentRefused(context);
  expect(findings).toEqual([
    {
      code: 'CurrentCredentialRefused',
      message: 'the server refused the current password of "app_clone"',
    },
  ]);
});
