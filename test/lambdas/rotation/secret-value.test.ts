import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { isFirstValue, parseCredential, parseUnlessFirst } from '../../../lambdas/rotation/secret-value.ts';
import { rotator as generic } from '../../../rotators/generic/rotator.ts';

const schema = z.looseObject({ username: z.string(), password: z.string() });

describe('the error about a value names the secret and what is wrong, and quotes nothing', () => {
  test.each([
    ['hunter2', 'the value of orders is not JSON; store a JSON object'],
    ['', 'the value of orders is not JSON; store a JSON object'],
    ['"hunter2"', 'the value of orders is JSON but not an object; store a JSON object'],
    ['["hunter2"]', 'the value of orders is JSON but not an object; store a JSON object'],
    ['null', 'the value of orders is JSON but not an object; store a JSON object'],
    ['17', 'the value of orders is JSON but not an object; store a JSON object'],
    ['{"password":17}', /^the value of orders does not fit its type: username: [^;]+; password: [^;]+$/],
  ])('%s', (text, message) => {
    const parse = () => parseCredential(schema, text, 'orders');
    expect(parse).toThrow(expect.objectContaining({ code: 'SecretValueInvalid' }));
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('hunter2');
  });

  test('and calls it the value where no key alone is wrong', () => {
    const paired = schema.refine(({ username, password }) => username !== password, 'must not repeat itself');
    expect(() => parseCredential(paired, '{"username":"a","password":"a"}', 'orders')).toThrow(
      'does not fit its type: value: must not repeat itself',
    );
  });
});

test.each([
  [{ password: 'random' }, true],
  [{ password: 17 }, false],
  [{ token: 'random' }, false],
  [{ password: 'random', username: 'app' }, false],
  [{}, false],
])('the first value of a created secret is a password alone: %j', (json, is) => {
  expect(isFirstValue(json)).toBe(is);
});

describe('a value that may be the first one', () => {
  const first = '{"password":"random"}';

  test('is none where it is a credential of the type', () => {
    const credential = { username: 'app', password: 'p' };
    expect(parseUnlessFirst(schema, JSON.stringify(credential), 'orders')).toEqual(credential);
    expect(parseUnlessFirst(generic.schema, first, 'orders')).toEqual({ password: 'random' });
  });

  test('is one where it is a password alone and the type has more', () => {
    expect(parseUnlessFirst(schema, first, 'orders')).toBeUndefined();
  });

  test('is neither where it does not fit the type', () => {
    expect(() => parseUnlessFirst(schema, '{"username":"app"}', 'orders')).toThrow(
      'the value of orders does not fit its type: password',
    );
  });
});
