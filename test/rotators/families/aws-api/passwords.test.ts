import { describe, expect, test } from '@jest/globals';
import type { PasswordPolicy } from '../../../../core/secret/password.ts';
import {
  characterFault,
  eachKind,
  narrow,
  type PasswordRules,
} from '../../../../rotators/families/aws-api/passwords.ts';

const rules: PasswordRules = { of: 'Redshift', longest: 64, forbidden: `/"@ '\\`, needs: eachKind };
const policy = (length: number, ...alphabets: string[]): PasswordPolicy => ({
  length,
  alphabets,
  requireEach: false,
});
const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = lower.toUpperCase();
const digits = '0123456789';

describe('a password', () => {
  const faultOf = (password: string, change: Partial<PasswordRules> = {}) =>
    characterFault(password, { ...rules, ...change });

  test('has at least eight characters, or as many as the service says', () => {
    expect(faultOf('Abcde12')).toBe('Redshift takes no password shorter than 8 characters');
    expect(faultOf('Abcde123')).toBeUndefined();
    expect(faultOf('Abcde123', { shortest: 9 })).toBe('Redshift takes no password shorter than 9 characters');
    expect(faultOf('Abcde1234', { shortest: 9 })).toBeUndefined();
  });

  test.each([...`/"@ '\\`, '\t', '\x7f', 'é'])('holds no %j', (character) => {
    expect(faultOf(`Abcde123${character}`)).toMatch(/^Redshift takes printable ASCII .* and the space$/);
  });

  test('holds no space, even where the service names none', () => {
    expect(faultOf('Abcde 123', { forbidden: '/"@' })).toContain('and the space');
    expect(faultOf('Abcde-123', { forbidden: '/"@' })).toBeUndefined();
  });

  test('is refused with the characters that it must not hold', () => {
    expect(faultOf('Abcde12@', { of: 'RDS for db2', forbidden: '/"@ ' })).toBe(
      'RDS for db2 takes printable ASCII characters except / " @ and the space',
    );
  });

  test.each(['!', '~'])('may hold %j', (character) => {
    expect(faultOf(`Abcde123${character}`)).toBeUndefined();
  });

  test.each([
    ['abcde123', 'an uppercase letter'],
    ['ABCDE123', 'a lowercase letter'],
    ['Abcdefgh', 'a digit'],
  ])('such as %j lacks a kind that the service wants', (password, name) => {
    expect(faultOf(password)).toBe(`Redshift wants at least ${name}`);
    expect(faultOf(password, { needs: [] })).toBeUndefined();
  });
});

describe('a policy is narrowed', () => {
  test('to the characters that the service takes, of which each kind is drawn', () => {
    expect(narrow(policy(32, `${upper}${lower}`, `${digits} !/é"`), rules)).toEqual({
      length: 32,
      alphabets: [upper, lower, digits, '!'],
      requireEach: true,
    });
  });

  test('to what of a kind the rules of the configuration leave', () => {
    expect(narrow(policy(32, 'ABC', 'xyz', '7', '#'), rules).alphabets).toEqual(['ABC', 'xyz', '7', '#']);
    const free = { ...rules, needs: [] };
    expect(narrow(policy(32, 'ABC', '/" ', '7#/'), free).alphabets).toEqual(['ABC', '7#']);
  });

  test.each([
    [7, undefined, 8],
    [7, 16, 16],
    [32, 16, 32],
    [64, undefined, 64],
    [65, undefined, 64],
  ])('to the length that the service takes: %j, at least %j, is %j', (length, shortest, expected) => {
    const more = shortest === undefined ? {} : { shortest };
    expect(narrow(policy(length, upper, lower, digits), { ...rules, ...more }).length).toBe(expected);
  });

  test('to nothing where a kind is excluded that the service wants', () => {
    expect(() => narrow(policy(32, upper, digits), rules)).toThrow(
      expect.objectContaining({
        code: 'PasswordPolicyInvalid',
        message:
          'the password rules cannot be met: Redshift wants at least a lowercase letter, which they exclude; change ' +
          'PASSWORD_LENGTH, EXCLUDE_CHARACTERS or the other rules of this secret',
      }),
    );
  });

  test('to nothing where the service takes none of the characters', () => {
    expect(() => narrow(policy(32, '/" '), { ...rules, needs: [] })).toThrow(
      expect.objectContaining({
        code: 'PasswordPolicyInvalid',
        message: expect.stringContaining(
          'they leave nothing but characters that Redshift does not take; change PASSWORD_LENGTH',
        ),
      }),
    );
  });
});
