import { couldBeSecret, credentialIn, namesSecret } from '../secret/secret-words.ts';
import type { Detection } from './demands.ts';

/** A named text that may be the value of a secret. */
export interface NamedText {
  readonly name: string;
  readonly value: string;
}

/**
 * Tells whether a text looks like the value of a secret, by name, known form or entropy.
 *
 * @example
 * isSecretLike({ name: 'DB_PASSWORD', value: 'hunter22' }, usualDetection); // true
 * isSecretLike({ name: 'host', value: 'orders.prod.internal' }, usualDetection); // false
 */
export function isSecretLike({ name, value }: NamedText, detection: Detection): boolean {
  if (credentialIn(value) !== undefined) return true;
  if (!couldBeSecret(value)) return false;
  const isNamed = namesSecret(name) || detection.names.some((pattern) => new RegExp(pattern, 'i').test(name));
  return isNamed || isRandom(value, detection);
}

/**
 * Tells whether a text is long, of one piece, and of as many different characters as a generated value. Words with separators
 * between them, numbers and ids of AWS are not.
 */
function isRandom(value: string, { entropyBits, minimumLength }: Detection): boolean {
  return (
    value.length >= minimumLength &&
    /^[\x21-\x7e]+$/.test(value) &&
    /[a-z]/i.test(value) &&
    /\d/.test(value) &&
    !looksLikeName(value) &&
    bitsPerCharacter(value) >= entropyBits
  );
}

/** Recognizes host names, paths, UUIDs and ids of AWS resources, whose pieces name things. */
const looksLikeName = (value: string): boolean =>
  /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(value) ||
  /^[a-z]+-[\da-f]{8,17}$/.test(value) ||
  /^(?:[a-z\d_]+[.:/@-])+[a-z\d_]*$/.test(value);

/** Gives the entropy of a text's own characters, by Shannon. */
export function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  const total = [...value].length;
  return [...counts.values()].reduce((bits, count) => bits - (count / total) * Math.log2(count / total), 0);
}
