import { SecretError } from '../../core/errors/rekey-error.ts';

const remedy = 'rotate again, which makes another one';
const shortest = 8;

/** Remedy for a pending credential that its target has issued: a rotation would keep it otherwise. */
export const giveUpPending = 'remove the AWSPENDING label and rotate again';

/**
 * Refuses a pending version that is of somebody or somewhere else than it must be.
 * @throws SecretError `IdentityMismatch`
 */
export function requireSame(
  what: string,
  is: string | number | undefined,
  must: string | number | undefined,
): void {
  if (is !== must) {
    throw new SecretError(
      'IdentityMismatch',
      `the pending version has ${what} "${is ?? ''}", it must be "${must ?? ''}"; ${remedy}`,
    );
  }
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** The rules of a target for passwords. */
export interface PasswordLimits {
  /** Most bytes. */
  readonly longest: number;
  /** Form of what the target stores in a password's place. It would take such a text for that. */
  readonly stored: RegExp;
  /** Name of the target for that form. */
  readonly storedName: string;
  /** Finds why else the target refuses a password; undefined when it takes it. The text must not hold the password. */
  readonly fault?: (password: string) => string | undefined;
}

/**
 * Refuses a pending password that must never reach a target.
 * @throws SecretError `PendingValueRefused`
 */
export function requireSoundPassword(next: Login, current: Login, limits: PasswordLimits): void {
  const fault = passwordFault(next, current, limits);
  if (fault !== undefined) {
    throw new SecretError(
      'PendingValueRefused',
      `the pending password of "${next.username}" is refused: ${fault}; ${remedy}`,
    );
  }
}

/**
 * Refuses a pending value that no consumer should be given. `what` names it, such as `pending value of "apiToken"`.
 * @param longest - in bytes
 * @throws SecretError `PendingValueRefused`
 */
export function requireSoundValue(what: string, next: string, current: string, longest: number): void {
  const fault = textFault(next, longest) ?? (next === current ? 'it is the current value' : undefined);
  if (fault !== undefined) {
    throw new SecretError('PendingValueRefused', `the ${what} is refused: ${fault}; ${remedy}`);
  }
}

function textFault(text: string, longest: number): string | undefined {
  if (text === '') return 'it is empty';
  if (text.trim() === '') return 'it is only white space';
  if ([...text].length < shortest) return `it is shorter than ${shortest} characters`;
  if (Buffer.byteLength(text) > longest) return `it is longer than ${longest} bytes`;
  if (text.includes('\0') || !text.isWellFormed()) return 'it holds NUL or is not valid Unicode';
  return undefined;
}

function passwordFault(
  { username, password }: Login,
  current: Login,
  { longest, stored, storedName, fault: further }: PasswordLimits,
): string | undefined {
  const fault = textFault(password, longest);
  if (fault !== undefined) return fault;
  if (password.toLowerCase() === username.toLowerCase()) return 'it is the user name';
  if (stored.test(password)) return `it is a ${storedName}, not a password`;
  if (password === current.password) return 'it is the current password';
  return further?.(password);
}
