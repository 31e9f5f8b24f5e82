import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/**
 * Reads a signing key: `whsec_` and base64 of 24 to 64 bytes.
 * @returns undefined when it is none
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signingKey(text: string): Buffer | undefined {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : '';
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

/** A message to be signed: its id, the time of sending, and its body as it is sent. */
export interface SignedMessage {
  readonly id: string;
  readonly now: Date;
  readonly body: string;
}

/**
 * Makes the headers by which a receiver knows a message for genuine, unchanged and new. With several keys there are as many signatures, so that a key can be replaced without a gap.
 */
export function signatureHeaders(
  { id, now, body }: SignedMessage,
  keys: readonly Buffer[],
): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
