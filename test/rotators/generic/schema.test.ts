import { describe, expect, test } from '@jest/globals';
import { parseCredential } from '../../../lambdas/rotation/secret-value.ts';
import { rotator as generic } from '../../../rotators/generic/rotator.ts';
import { genericSecretSchema } from '../../../rotators/generic/schema.ts';

const parse = (json: unknown) => parseCredential(genericSecretSchema, JSON.stringify(json), '/prod/token');
const problem = (json: unknown): string => {
  try {
    parse(json);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('was not refused');
};

describe('the JSON of a generic secret', () => {
  test.each([
    ['the default key', { password: 'x' }],
    ['a key of its own', { rotates: ['apiToken'], apiToken: 'x' }],
    ['several', { rotates: ['a', 'b'], a: 'x', b: '', password: 7 }],
    ['anything else beside', { password: 'x', list: [1], nested: { a: null } }],
  ])('%s', (_, json) => {
    expect(parse(json)).toEqual(json);
  });

  test.each([
    [
      'no key to replace',
      { token: 'x' },
      'password: must hold text, or "rotates" must name the keys that do',
    ],
    ['a password that is no text', { password: 7 }, 'password: must hold text'],
    [
      'a key that is not there',
      { rotates: ['apiToken'] },
      'rotates.0: must name a key of this JSON that holds text',
    ],
    ['a key that holds no text', { rotates: ['a', 'b'], a: 'x', b: {} }, 'rotates.1: must name a key'],
    ['a key of every object', { rotates: ['constructor'] }, 'rotates.0: must name a key'],
    ['the same key twice', { rotates: ['a', 'a'], a: 'x' }, 'rotates.1: must not name a key twice'],
    ['the list itself', { rotates: ['rotates'] }, 'rotates.0: must not name "rotates" or "masterarn"'],
    ['the admin secret', { rotates: ['masterarn'], masterarn: 'x' }, 'rotates.0: must not name "rotates"'],
    ['no key at all', { rotates: [], password: 'x' }, 'rotates: must name at least one key'],
    [
      'too many',
      { rotates: Array.from({ length: 21 }, (_, index) => `k${index}`) },
      'must name at most 20 keys',
    ],
    ['text in place of a list', { rotates: 'password', password: 'x' }, 'rotates: must be a list of keys'],
  ])('%s is refused', (_, json, message) => {
    expect(problem(json)).toContain(message);
  });

  test('a token in the wrong place is not quoted', () => {
    for (const json of [
      { rotates: 's3ntinel' },
      { rotates: ['s3ntinel'] },
      { rotates: ['a', 's3ntinel'], a: 's3ntinel' },
      { password: ['s3ntinel'] },
      { s3ntinel: 1 },
    ]) {
      expect(problem(json)).not.toContain('s3ntinel');
    }
  });

  test('is known by the names of its keys', () => {
    expect(generic.identity(parse({ password: 'x' }))).toBe('password');
    expect(generic.identity(parse({ rotates: ['a', 'b'], a: 'x', b: 'y' }))).toBe('a, b');
  });
});
