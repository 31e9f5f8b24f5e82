import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { cloneSuffix, pairOf } from '../../core/secret/alternating-users.ts';

/**
 * Tells whether a user of a pair gets its password although the other user does not exist. A person may have made a version
 * current whose clone was never made. The user without the suffix, whom people grant to, has all that it needs.
 */
export const standsAlone = (username: string, exists: boolean): boolean =>
  exists && username === pairOf(username).base;

/** The longest user name that a product takes. */
export interface NameLimit {
  readonly longest: number;
  readonly unit: 'bytes' | 'characters';
  /** Name of the product, for errors. */
  readonly of: string;
}

const lengthIn = {
  bytes: (name: string) => Buffer.byteLength(name),
  characters: (name: string) => [...name].length,
};

/**
 * Gives the user that takes turns with `username`.
 * @throws SecretError `StrategyUnsupported` when there can be no such user
 */
export function alternateOf(username: string, { longest, unit, of }: NameLimit): string {
  const { base, clone } = pairOf(username);
  if (base === '') {
    throw new SecretError(
      'StrategyUnsupported',
      `user "${username}" has no name before "${cloneSuffix}"; alternating users need one`,
    );
  }
  const length = lengthIn[unit](clone);
  if (length > longest) {
    throw new SecretError(
      'StrategyUnsupported',
      `user "${clone}" would have ${length} ${unit}, ${of} allows ${longest}; ` +
        `alternating users need a name of at most ${longest - cloneSuffix.length} ${unit}`,
    );
  }
  return username === base ? clone : base;
}

/**
 * Gives the admin, who alone can give one of two users what the other has.
 * @throws SecretError `AdminSecretMissing`
 */
export async function requireAdmin<S extends { username: string }>(
  next: S,
  context: ApplyContext<S>,
): Promise<S> {
  const admin = await context.credentials.admin();
  if (admin !== undefined) return admin;
  throw new SecretError(
    'AdminSecretMissing',
    `alternating users need an admin: name its secret in "masterarn" of the secret of "${next.username}"`,
  );
}

/**
 * Refuses an admin that would change itself.
 * @throws SecretError `AdminSecretMismatch`
 */
export function requireOtherAdmin(admin: string, username: string): void {
  const { base, clone } = pairOf(username);
  if (admin === base || admin === clone) {
    throw new SecretError(
      'AdminSecretMismatch',
      `the admin "${admin}" is itself one of the alternating users`,
    );
  }
}

/** Notes that the current version failed to log in: somebody changed its password elsewhere. */
export function noteCurrentRefused<S extends { username: string }>(context: ApplyContext<S>): void {
  context.finding({
    code: 'CurrentCredentialRefused',
    message: `the server refused the current password of "${context.credentials.current.username}"`,
  });
}
