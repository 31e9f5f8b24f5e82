import { expect, test } from '@jest/globals';
import { systemRandom } from '../../adapters/system.ts';
import { generatePassword, passwordPolicy } from '../../core/secret/password.ts';

test('passwords hold nothing by default that a URL, a quoted text or .pgpass would take for its own', () => {
  const policy = passwordPolicy({});
  expect([...policy.alphabets.join('')].filter((character) => ':/@"\'\\'.includes(character))).toEqual([]);
  expect(generatePassword(policy, systemRandom)).toHaveLength(32);
  expect(passwordPolicy({ EXCLUDE_CHARACTERS: '' }).alphabets.join('')).toContain(':');
});
