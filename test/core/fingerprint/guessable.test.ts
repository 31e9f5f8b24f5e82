import { expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { aliveBy } from '../../../core/fingerprint/alive.ts';
import { isGuessable } from '../../../core/fingerprint/guessable.ts';
import { valuesOf, wholeSecret } from '../../../core/fingerprint/values.ts';
import { generatePassword } from '../../../core/secret/password.ts';

test.each([
  ...['', 'hunter2', '1234567', 'password', 'Password1', 'P@ssw0rd!', 'p4ssword2024', 'aaaaaaaaaaaa'],
  ...['12345678', '87654321', 'abcdefghij', 'changeme!!', 'CHANGE-ME-1', 'postgres123', 'abababab1'],
])('%j is guessable', (value) => {
  expect(isGuessable(value)).toBe(true);
});

test.each(['kT7/first', 'x9$Lq2!f', 'correct-staple-battery', 'AKIAEXAMPLEEXAMPLE01', 'ghx_4f9c2bZ81kQm07'])(
  '%j is not',
  (value) => {
    expect(isGuessable(value)).toBe(false);
  },
);

test('hardly a generated password of 12 characters is', () => {
  const policy = { length: 12, alphabets: ['abcdefghijklmnopqrstuvwxyz', '0123456789'], requireEach: false };
  const refused = Array.from({ length: 500 }, () => generatePassword(policy, systemRandom)).filter(
    isGuessable,
  );
  expect(refused).toEqual([]);
});

test('one value under two keys is one value with two parts; others than texts are none', () => {
  const text = JSON.stringify({
    a: 'kT7/first-value',
    b: 'kT7/first-value',
    c: 1234567890,
    d: ['kT7/second'],
  });
  expect(valuesOf(text, () => ['a', 'b', 'c', 'd', 'e', 'a'])).toEqual([
    { value: 'kT7/first-value', parts: ['a', 'b'] },
    { value: text, parts: [wholeSecret] },
  ]);
});

test('the whole of a secret with a guessable part is as guessable', () => {
  const text = JSON.stringify({ token: 'kT7/first-value', password: 'password' });
  expect(valuesOf(text, () => ['token', 'password'])).toEqual([
    { value: 'kT7/first-value', parts: ['token'] },
  ]);
});

test.each([
  [{ labels: ['AWSCURRENT', 'AWSPENDING'] }, 'yes'],
  [{ labels: ['AWSPENDING'] }, 'perhaps'],
  [{ labels: ['AWSPREVIOUS'] }, 'perhaps'],
  [{ labels: ['mine'] }, 'perhaps'],
  [{ labels: [] }, 'no'],
  [{ labels: [], unverifiable: true }, 'perhaps'],
  [{ labels: ['AWSCURRENT'], goneBy: '2026-01-01T00:00:00Z' }, 'perhaps'],
  [{ labels: [], goneBy: '2026-01-01T00:00:00Z' }, 'perhaps'],
])('%j: alive, %s', (standing, alive) => {
  expect(aliveBy({ unverifiable: false, ...standing })).toBe(alive);
});
