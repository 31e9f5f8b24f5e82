import { describe, expect, test } from '@jest/globals';
import { requireSame, requireSoundPassword, requireSoundValue } from '../../../rotators/families/pending.ts';

const messageOf = (work: () => void): string | undefined => {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(?:PendingValueRefused|IdentityMismatch)$/),
    });
    return (error as Error).message;
  }
  return undefined;
};

/** Texts that are no credential, and why; a limit of 16 bytes. */
const unsound = [
  ['', 'it is empty'],
  ['          ', 'it is only white space'],
  ['1234567', 'it is shorter than 8 characters'],
  // Seven characters, of two units each in JavaScript.
  ['🔑'.repeat(4), 'it is shorter than 8 characters'],
  ['12345678901234567', 'it is longer than 16 bytes'],
  ['ééééééééé', 'it is longer than 16 bytes'],
  ['12345678\0', 'it holds NUL or is not valid Unicode'],
  ['12345678\ud83d', 'it holds NUL or is not valid Unicode'],
] as const;
const sound = ['12345678', '1234567890123456', 'éééééééé', ' padded '] as const;

describe('a pending password', () => {
  const faultOf = (password: string, { username = 'orders-app', fault }: Given = {}) =>
    messageOf(() =>
      requireSoundPassword(
        { username, password },
        { username, password: 'the-current-one' },
        {
          longest: 16,
          stored: /^md5[0-9a-f]{5}$/,
          storedName: 'MD5 hash',
          ...(fault && { fault }),
        },
      ),
    );
  interface Given {
    readonly username?: string;
    readonly fault?: (password: string) => string | undefined;
  }
  const refusal = (why: string) =>
    `the pending password of "orders-app" is refused: ${why}; rotate again, which makes another one`;

  test.each(unsound)('%j is refused', (password, why) => {
    expect(faultOf(password)).toBe(refusal(why));
  });

  test.each(sound)('%j is taken', (password) => {
    expect(faultOf(password)).toBeUndefined();
  });

  test.each([
    ['ORDERS-app', 'it is the user name'],
    ['md5abcde', 'it is a MD5 hash, not a password'],
    ['the-current-one', 'it is the current password'],
  ])('%j is refused', (password, why) => {
    expect(faultOf(password)).toBe(refusal(why));
  });

  test('is held to further rules of its target', () => {
    const fault = (password: string) => (password.includes('"') ? 'it holds a quote' : undefined);
    expect(faultOf('quoted-"-', { fault })).toBe(refusal('it holds a quote'));
    expect(faultOf('unquoted-', { fault })).toBeUndefined();
  });
});

describe('a pending value', () => {
  const faultOf = (value: string, current = 'the-current-one') =>
    messageOf(() => requireSoundValue('pending value of "apiToken"', value, current, 16));
  const refusal = (why: string) =>
    `the pending value of "apiToken" is refused: ${why}; rotate again, which makes another one`;

  test.each(unsound)('%j is refused', (value, why) => {
    expect(faultOf(value)).toBe(refusal(why));
  });

  test.each(sound)('%j is taken', (value) => {
    expect(faultOf(value)).toBeUndefined();
  });

  test('is another one than the current value', () => {
    expect(faultOf('the-current-one')).toBe(refusal('it is the current value'));
  });
});

describe('a pending version', () => {
  test.each(['db.example', 5432, undefined])('may have what it must: %j', (same) => {
    expect(messageOf(() => requireSame('port', same, same))).toBeUndefined();
  });

  test.each([
    ['other', 'app', 'the pending version has user "other", it must be "app"'],
    [undefined, 'app', 'the pending version has user "", it must be "app"'],
    ['other', undefined, 'the pending version has user "other", it must be ""'],
    ['5432', 5432, 'the pending version has user "5432", it must be "5432"'],
  ])('of %j is refused where it must be of %j', (is, must, message) => {
    expect(messageOf(() => requireSame('user', is, must))).toBe(
      `${message}; rotate again, which makes another one`,
    );
  });
});
