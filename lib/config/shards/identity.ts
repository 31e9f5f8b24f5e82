import { createHash } from 'node:crypto';

/** Digits of an identity in a construct id: enough that two of one environment never meet. */
const digits = 16;

/**
 * Derives a short id from a value: the same for equal values, whatever the order of their keys.
 *
 * Values are written as JSON, so that no text in one field can pass for another field.
 */
export const identityOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, digits);

/** Writes a value as JSON with sorted keys; what is undefined is left out. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
