/** Tags of a secret in which the function of the lifecycle notes what it has recorded. It sets these and no others. */
export const lifecycleTags = {
  /** Owner that was recorded last, see {@link ownerMark}. */
  owner: 'rekey:recorded-owner',
  /** Reminder that was sent last: the date it was about, and which one it was. */
  reminded: 'rekey:reminded',
  /** Day on which the secret expired, and the version that was cut off. Rotations of a secret with it are refused. */
  expired: 'rekey:expired',
} as const;

/**
 * Writes an owner as the value of a tag, which takes letters, numbers, spaces and `_ . : / = + - @`.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html
 */
export const ownerMark = (owner: string): string =>
  /^[\p{L}\p{N} _.:/=+\-@]*$/u.test(owner) && !owner.startsWith('base64:')
    ? owner
    : `base64:${Buffer.from(owner).toString('base64url')}`;

/** Reads an owner out of the value of a tag. */
export const ownerOfMark = (mark: string): string =>
  mark.startsWith('base64:') ? Buffer.from(mark.slice('base64:'.length), 'base64url').toString() : mark;

/** Tells whether a secret has expired, by its tags. */
export const hasExpired = (tags: Readonly<Record<string, string>>): boolean =>
  (tags[lifecycleTags.expired] ?? '') !== '';

const uncut = ' pending';

/** Makes the value of {@link lifecycleTags.expired} of a secret that is about to be cut off. */
export const endingMark = (expires: string): string => `${expires}${uncut}`;

/** Gives the last day of a secret that has expired and was not cut off yet, by its tags. */
export function endingSince(tags: Readonly<Record<string, string>>): string | undefined {
  const mark = tags[lifecycleTags.expired] ?? '';
  return mark.endsWith(uncut) ? mark.slice(0, -uncut.length) : undefined;
}
