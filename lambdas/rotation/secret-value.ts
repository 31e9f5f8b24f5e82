import type { z } from 'zod';
import { SecretError } from '../../core/errors/rekey-error.ts';
import { parseExactly } from '../../core/secret/exact-json.ts';

/** A secret's JSON, unknown keys included. */
export type SecretJson = Record<string, unknown>;

/**
 * Reads a secret's text as a JSON object. The error never quotes the text.
 * @throws SecretError `SecretValueInvalid`
 */
export function parseSecretJson(text: string, secret: string): SecretJson {
  let json: unknown;
  try {
    json = parseExactly(text);
  } catch {
    // The parser's own message quotes the text.
    throw new SecretError('SecretValueInvalid', `the value of ${secret} is not JSON; store a JSON object`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SecretError(
      'SecretValueInvalid',
      `the value of ${secret} is JSON but not an object; store a JSON object`,
    );
  }
  return json as SecretJson;
}

/**
 * Reads a secret's text as a credential of one type. The error names the fields that are missing or of the wrong type.
 * @throws SecretError `SecretValueInvalid`
 */
export function parseCredential<S extends object>(schema: z.ZodType<S>, text: string, secret: string): S {
  const parsed = schema.safeParse(parseSecretJson(text, secret));
  if (!parsed.success) {
    const problems = parsed.error.issues
      .map(({ path, message }) => `${path.join('.') || 'value'}: ${message}`)
      .join('; ');
    throw new SecretError('SecretValueInvalid', `the value of ${secret} does not fit its type: ${problems}`);
  }
  return parsed.data;
}

/**
 * Tells whether a JSON is the first value of a secret that Rekey creates. That is a random `password` alone, which no target has
 * been told yet. Its first rotation adds what its definition says.
 */
export const isFirstValue = (json: SecretJson): boolean =>
  Object.keys(json).length === 1 && typeof json.password === 'string';

/**
 * Reads a secret's text as a credential, and gives `undefined` for a {@link isFirstValue}. A first value is no credential of most
 * types.
 * @throws SecretError `SecretValueInvalid`
 */
export function parseUnlessFirst<S extends object>(
  schema: z.ZodType<S>,
  text: string,
  secret: string,
): S | undefined {
  const credential = credentialIn(schema, text);
  if (credential === undefined && isFirstValue(parseSecretJson(text, secret))) return undefined;
  return credential ?? parseCredential(schema, text, secret);
}

/** Reads a text as a credential, and gives `undefined` when it is none of the type. The version may hold anything. */
export function credentialIn<S extends object>(schema: z.ZodType<S>, text: string): S | undefined {
  try {
    return parseCredential(schema, text, 'a version');
  } catch {
    return undefined;
  }
}
