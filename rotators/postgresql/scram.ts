import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** PostgreSQL's own default, see `scram_iterations`. */
export const defaultIterations = 4096;

// Characters that RFC 3454 maps to a space (C.1.2) or to nothing (B.1). The driver applies these and NFKC to every
// password, also to those for which SASLprep fails.
const mapped =
  /\u00A0|\u00AD|\u034F|\u1680|\u1806|[\u180B-\u180D]|[\u2000-\u200D]|\u202F|\u205F|\u2060|\u3000|[\uFE00-\uFE0F]|\uFEFF/u;

/**
 * Prepares a password as SCRAM does. That is SASLprep (RFC 4013), or nothing where SASLprep does not allow the password, as
 * PostgreSQL and libpq do. `portable` is false for the few passwords on which clients disagree.
 * @see https://www.postgresql.org/docs/current/sasl-authentication.html
 */
export async function prepare(password: string): Promise<{ text: string; portable: boolean }> {
  // ASCII needs no preparation; the tables are loaded for the passwords that do.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are ASCII too
  if (/^[\x00-\x7F]*$/.test(password)) {
    return { text: password, portable: true };
  }
  const { default: saslprep } = await import('@mongodb-js/saslprep');
  let text = '';
  try {
    text = saslprep(password);
  } catch {
    // Prohibited or unassigned characters: the password is used as it is.
  }
  return text === ''
    ? { text: password, portable: !mapped.test(password) && password.normalize('NFKC') === password }
    : { text, portable: true };
}

/**
 * Makes the SCRAM-SHA-256 verifier of a password in the form that `ALTER ROLE … PASSWORD` takes. So the server and its log never
 * see the password.
 * @see https://www.rfc-editor.org/rfc/rfc5802#section-3
 * @see https://www.rfc-editor.org/rfc/rfc7677
 * @see https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
export async function scramVerifier(
  password: string,
  salt: Uint8Array,
  iterations: number = defaultIterations,
): Promise<string> {
  const { text } = await prepare(password);
  const salted = await derive(text, salt, iterations, 32, 'sha256');
  const sign = (key: Buffer, message: string) => createHmac('sha256', key).update(message).digest();
  const storedKey = createHash('sha256').update(sign(salted, 'Client Key')).digest('base64');
  const serverKey = sign(salted, 'Server Key').toString('base64');
  const saltText = Buffer.from(salt).toString('base64');
  return `SCRAM-SHA-256$${iterations}:${saltText}$${storedKey}:${serverKey}`;
}
