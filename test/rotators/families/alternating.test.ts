import { expect, test } from '@jest/globals';
import { pairOf } from '../../../core/secret/alternating-users.ts';
import { alternateOf } from '../../../rotators/families/alternating.ts';

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
