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
 * Reads a secret's text as a credential of one type; names the fields that are missing or of the wrong type.
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
 * Whether a JSON is what a secret that Rekey creates begins with: a random `password` that no target has been told yet, and
 * nothing about whose it is. Its first rotation adds what its definition says.
 */
export const isFirstValue = (json: SecretJson): boolean =>
  Object.keys(json).length === 1 && typeof json.password === 'string';

/**
 * The same for a version that may be a {@link isFirstValue}, which is no credential of most types: `undefined` then.
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

/** The same for a version that may hold anything: `undefined` when it is no credential of the type, and so of no use. */
export function credentialIn<S extends object>(schema: z.ZodType<S>, text: string): S | undefined {
  try {
    return parseCredential(schema, text, 'a version');
  } catch {
    return undefined;
  }
}
