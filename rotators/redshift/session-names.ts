/**
 * Length in bytes that is shown of a name. `STV_SESSIONS` shows 50 bytes, filled up with spaces; a character that is cut through
 * counts as none.
 */
const shownBytes = 47;

/** Tells whether `STV_SESSIONS` shows a name whole. */
export const isShort = (name: string): boolean => Buffer.byteLength(name) < shownBytes;

/** Tells whether a session that is shown with the name `cut` can be one of `username`. */
export function isShownAs(cut: string, username: string): boolean {
  const name = cut.trimEnd();
  return isShort(name) ? name === username.trimEnd() : username.startsWith(name.replace(/\ufffd+$/, ''));
}

/** Tells whether the sessions of two users may be shown with the same name. */
export function areAlike(one: string, other: string): boolean {
  if (one === other) return false;
  const beginning = (name: string) => Buffer.from(name).subarray(0, shownBytes);
  return (
    one.trimEnd() === other.trimEnd() ||
    (!isShort(one) && !isShort(other) && beginning(one).equals(beginning(other)))
  );
}
