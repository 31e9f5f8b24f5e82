import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';
import type { Random } from '../ports.ts';

/**
 * The environment variables of AWS's own rotation functions, with their defaults.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
 */
const passwordEnvironmentSchema = z.object({
  PASSWORD_LENGTH: z.coerce.number().int().min(8).max(4096).default(32),
  // The colon ends a password in .pgpass and in a URL. AWS's functions leave it out for PostgreSQL and Redshift alone.
  EXCLUDE_CHARACTERS: z.string().max(4096).default(':/@"\'\\'),
  EXCLUDE_NUMBERS: z.stringbool().default(false),
  EXCLUDE_PUNCTUATION: z.stringbool().default(false),
  EXCLUDE_UPPERCASE: z.stringbool().default(false),
  EXCLUDE_LOWERCASE: z.stringbool().default(false),
  REQUIRE_EACH_INCLUDED_TYPE: z.stringbool().default(true),
});

/** The rules for generated passwords. */
export interface PasswordPolicy {
  /** Number of characters. */
  readonly length: number;
  /** Alphabets to draw from, one per character type, exclusions already taken out. */
  readonly alphabets: readonly string[];
  /** True if a password holds at least one character of each alphabet. */
  readonly requireEach: boolean;
}

const types = {
  EXCLUDE_LOWERCASE: 'abcdefghijklmnopqrstuvwxyz',
  EXCLUDE_UPPERCASE: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  EXCLUDE_NUMBERS: '0123456789',
  EXCLUDE_PUNCTUATION: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
} as const;

/**
 * Reads the policy from environment variables with the names and defaults of AWS's rotation functions.
 *
 * @throws RekeyError `PasswordPolicyInvalid` when a value is out of range or everything is excluded
 * @example
 * passwordPolicy({ PASSWORD_LENGTH: '40', EXCLUDE_PUNCTUATION: 'true' });
 */
export function passwordPolicy(environment: Readonly<Record<string, string | undefined>>): PasswordPolicy {
  const parsed = passwordEnvironmentSchema.safeParse(environment);
  if (!parsed.success) {
    throw new RekeyError('PasswordPolicyInvalid', `password rules: ${z.prettifyError(parsed.error)}`);
  }
  const rules = parsed.data;
  const excluded = new Set(rules.EXCLUDE_CHARACTERS);
  const alphabets = Object.entries(types)
    .filter(([variable]) => !rules[variable as keyof typeof types])
    .map(([, alphabet]) => [...alphabet].filter((character) => !excluded.has(character)).join(''))
    .filter((alphabet) => alphabet.length > 0);
  if (alphabets.length === 0) {
    throw new RekeyError(
      'PasswordPolicyInvalid',
      'password rules exclude every character; allow at least one character type',
    );
  }
  return { length: rules.PASSWORD_LENGTH, alphabets, requireEach: rules.REQUIRE_EACH_INCLUDED_TYPE };
}

/**
 * Draws a password. Every password that the policy allows is possible; with `requireEach`, draws that miss a type are
 * thrown away, which keeps the rest uniformly distributed.
 */
export function generatePassword(policy: PasswordPolicy, random: Random): string {
  const characters = policy.alphabets.join('');
  for (;;) {
    const password = Array.from(
      { length: policy.length },
      () => characters[random.integer(characters.length)],
    ).join('');
    const complete = policy.alphabets.every((alphabet) =>
      [...alphabet].some((character) => password.includes(character)),
    );
    if (!policy.requireEach || complete) {
      return password;
    }
  }
}
