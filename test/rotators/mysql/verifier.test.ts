import { describe, expect, test } from '@jest/globals';
import { isVerified, sha256Crypt } from '../../../rotators/mysql/verifier.ts';

describe('what a server keeps of a password', () => {
  /** Made by crypt(3) of glibc 2.36. */
  test.each([
    ['a', 'x', '85aGabM7xSEYcp0wkefjwtqWAYi1Rrq3b01Gtllmmh7'],
    ['Hello world!', 'saltstring', '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    ['a password of 33 characters, real', './AZaz09', '.ZSkGMAaLvYTtxcRfKuJZhqTXMVy9rAhE8yd3GTarD9'],
    ['grüße 🙂', 'umlauts', 'PMQruBl1z6MhSb19ufPYr4.rCQzGhxrC2tIr6F/BawD'],
    ['x'.repeat(64), 'sixteencharssalt', 'jvJYbpJJzH90ux5sTkWBFyMlF1U02mScahu5IAtySD5'],
    ['y'.repeat(250), 'long', 'bfT.4zCHnBFw5uNlywz1cYZQDK4y9NzsD/BqL5CSme1'],
  ])('by SHA-crypt is what crypt makes of it: %#', (password, salt, digest) => {
    expect(sha256Crypt(password, salt, 5000)).toBe(digest);
    const kept = `$5$${salt}$${digest}`;
    expect([isVerified(kept, password), isVerified(kept, `${password}x`)]).toEqual([true, false]);
  });

  test('by SHA-crypt with another number of rounds likewise', () => {
    const kept = '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA';
    expect([isVerified(kept, 'Hello world!'), isVerified(kept, 'Hello world')]).toEqual([true, false]);
  });

  test('is compared in every form, and an unknown one says nothing', () => {
    const salt = 'twenty bytes of salt';
    const caching = `$A$005$${salt}${sha256Crypt('the password', salt, 5000)}`;
    const native = '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19';
    expect([isVerified(caching, 'the password'), isVerified(caching, 'another')]).toEqual([true, false]);
    expect([isVerified(native, 'password'), isVerified(native.toLowerCase(), 'password')]).toEqual([
      true,
      true,
    ]);
    expect(isVerified(native, 'Password')).toBe(false);
    expect([isVerified('', ''), isVerified('', 'any')]).toEqual([true, false]);
    for (const odd of ['invalid', '$A$', '$6$salt$x', '*12', 'auth_string'])
      expect(isVerified(odd, 'any')).toBeUndefined();
  });
});
