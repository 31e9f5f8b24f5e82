import { RekeyError } from '../../../core/errors/rekey-error.ts';
import type { PasswordPolicy } from '../../../core/secret/password.ts';

/** The rules of an AWS service for passwords. */
export interface PasswordRules {
  /** Name of the service whose rules they are, for messages. */
  readonly of: string;
  /** Fewest characters; all of them are of one byte. @default 8 */
  readonly shortest?: number;
  readonly longest: number;
  readonly forbidden: string;
  /** Kinds of characters of which there must be at least one each. */
  readonly needs: readonly Need[];
}

interface Need {
  readonly name: string;
  readonly characters: string;
}

/** Kinds of characters that services want which want a mixture. */
export const eachKind: readonly Need[] = [
  { name: 'an uppercase letter', characters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' },
  { name: 'a lowercase letter', characters: 'abcdefghijklmnopqrstuvwxyz' },
  { name: 'a digit', characters: '0123456789' },
];

const isPrintable = (character: string) => character > ' ' && character < '\x7f';

/**
 * Finds why the service would refuse the characters of a password; undefined when it would take them. The longest length is
 * looked at elsewhere.
 */
export function characterFault(
  password: string,
  { of, shortest = 8, forbidden, needs }: PasswordRules,
): string | undefined {
  if (password.length < shortest) return `${of} takes no password shorter than ${shortest} characters`;
  const taken = [...password].every((character) => isPrintable(character) && !forbidden.includes(character));
  if (!taken) {
    return `${of} takes printable ASCII characters except ${[...forbidden].filter((one) => one !== ' ').join(' ')} and the space`;
  }
  const missing = needs.find(({ characters }) => ![...characters].some((one) => password.includes(one)));
  return missing && `${of} wants at least ${missing.name}`;
}

/**
 * Narrows a policy to what the service takes: every password that it yields is one that the service takes.
 * @throws RekeyError `PasswordPolicyInvalid` when there is none
 */
export function narrow(
  policy: PasswordPolicy,
  { of, shortest = 8, longest, forbidden, needs }: PasswordRules,
): PasswordPolicy {
  const keep = (text: string, also: (character: string) => boolean) =>
    [...text].filter((one) => isPrintable(one) && !forbidden.includes(one) && also(one)).join('');
  const needed = needs.map(({ name, characters }) => {
    const left = keep(policy.alphabets.join(''), (one) => characters.includes(one));
    if (left === '') throw unusable(`${of} wants at least ${name}, which they exclude`);
    return left;
  });
  const covered = needs.map(({ characters }) => characters).join('');
  const rest = policy.alphabets.map((text) => keep(text, (one) => !covered.includes(one)));
  const alphabets = [...needed, ...rest].filter((text) => text !== '');
  if (alphabets.length === 0) throw unusable(`they leave nothing but characters that ${of} does not take`);
  return {
    length: Math.max(shortest, Math.min(policy.length, longest)),
    alphabets,
    requireEach: true,
  };
}

const unusable = (why: string) =>
  new RekeyError(
    'PasswordPolicyInvalid',
    `the password rules cannot be met: ${why}; change PASSWORD_LENGTH, EXCLUDE_CHARACTERS or the other rules of this secret`,
  );
