/** Suffix that AWS's functions give the name of the second user. */
export const cloneSuffix = '_clone';

/** Names the two users that take turns: the one without, and the one with the suffix of AWS's functions. */
export function pairOf(username: string): { base: string; clone: string } {
  const base = username.endsWith(cloneSuffix) ? username.slice(0, -cloneSuffix.length) : username;
  return { base, clone: `${base}${cloneSuffix}` };
}
