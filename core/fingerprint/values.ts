import { isGuessable } from './guessable.ts';

/** Name in the index of the whole text of a secret, beside the keys of its JSON. */
export const wholeSecret = 'the whole secret';

/** A value of a version that the index shall know, and where it stands. It lives in memory alone. */
export interface KnownValue {
  readonly value: string;
  /** Keys of the JSON that hold it, or {@link wholeSecret}. */
  readonly parts: readonly string[];
}

/** Names the keys of a secret's JSON that hold its credential. */
export type CredentialKeys = (secret: Readonly<Record<string, unknown>>) => readonly string[];

/** Parses the text of a secret; undefined where it is no JSON object. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds the values of one version that are indexed: those of the credential's keys, and the whole text. Values that anybody
 * would guess are left out, as are values that are no text.
 *
 * @param text - value of the version, as Secrets Manager keeps it
 * @param keysOf - keys of the credential, by the type of the secret
 */
export function valuesOf(text: string, keysOf: CredentialKeys): readonly KnownValue[] {
  const secret = objectIn(text);
  const held = [...new Set(secret === undefined ? [] : keysOf(secret))].flatMap((key) => {
    const value = secret?.[key];
    return typeof value === 'string' ? [{ part: key, value }] : [];
  });
  // What stands around a guessable value is known to many, so its whole text is guessed as fast.
  const whole = held.some(({ value }) => isGuessable(value)) ? [] : [{ part: wholeSecret, value: text }];
  const parts = new Map<string, string[]>();
  for (const { part, value } of [...held, ...whole]) {
    if (!isGuessable(value)) parts.set(value, [...(parts.get(value) ?? []), part]);
  }
  return [...parts].map(([value, of]) => ({ value, parts: of }));
}
