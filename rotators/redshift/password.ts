import { createHash } from 'node:crypto';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Random } from '../../core/ports.ts';
import type { PasswordPolicy } from '../../core/secret/password.ts';

/**
 * Longest password that Redshift takes in clear text. It takes 8 to 64 characters of ASCII 33 to 126 without `' " \ / @`, with an
 * upper-case letter, a lower-case letter and a digit.
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
 */
const longest = 64;
const forbidden = /[^\x21-\x7e]|['"\\/@]/;

/** Finds why Redshift would refuse a password in clear text; undefined when it would take it. */
export function redshiftFault(password: string): string | undefined {
  if (password.length > longest) return `it is longer than ${longest} characters`;
  if (forbidden.test(password)) {
    return 'it holds a character that Redshift does not take: spaces, quotes, \\, / and @, and all outside of ASCII';
  }
  if (!/[a-z]/.test(password) || !/[A-Z]/.test(password) || !/[0-9]/.test(password)) {
    return 'it lacks an upper-case letter, a lower-case letter or a digit';
  }
  return undefined;
}

/**
 * Narrows the configured rules to those of Redshift: shorter, without its forbidden characters, one of each kind.
 * @throws RekeyError `PasswordPolicyInvalid` when the configuration excludes what Redshift demands
 */
export function redshiftPolicy({ length, alphabets }: PasswordPolicy): PasswordPolicy {
  // The colon stands in older editions of the rules, and AWS's functions leave it out.
  const allowed = alphabets
    .map((alphabet) => [...alphabet].filter((one) => one !== ':' && !forbidden.test(one)).join(''))
    .filter((alphabet) => alphabet !== '');
  const all = allowed.join('');
  if (!/[a-z]/.test(all) || !/[A-Z]/.test(all) || !/[0-9]/.test(all)) {
    throw new RekeyError(
      'PasswordPolicyInvalid',
      'password rules exclude upper-case letters, lower-case letters or digits; Redshift demands one of each, so allow them',
    );
  }
  return { length: Math.min(length, longest), alphabets: allowed, requireEach: true };
}

/** The facts that a server has shown of how it keeps a user's password. */
export interface ServerForm {
  /** Length in bytes of the salt that it sent; undefined when it asked for MD5, or nothing yet. */
  saltBytes?: number;
}

/**
 * Makes the form of a password that Redshift shall keep, as `ALTER USER … PASSWORD` takes it. So neither the server nor its log
 * sees the password. It is MD5 with the user name, which Redshift makes of clear text as well, and which every driver of
 * PostgreSQL speaks. It is SHA-256 only where the user has that already, since only AWS's own drivers can log in with it.
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
 */
export function keptForm(
  username: string,
  password: string,
  { saltBytes }: ServerForm,
  random: Random,
): string {
  if (saltBytes === undefined) {
    return `md5${createHash('md5').update(password).update(username).digest('hex')}`;
  }
  const salt = Buffer.from(random.bytes(32));
  const text = salt.toString('hex');
  // The digest is over the salt as the server hands it to clients: bytes, or as many again in hexadecimal.
  const digest = createHash('sha256')
    .update(password)
    .update(saltBytes === text.length ? text : salt)
    .digest('hex');
  return `sha256|${digest}|${text}`;
}
