import * as z from 'zod';
import type { Bounds } from '../../core/rotator.ts';
import { transportOf } from './tls/transport.ts';

/** Longest host name, without the final dot: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4. */
const longestHost = 253;

/** Tells whether a text is a port, 1 to 65535, as the JSON of AWS's functions may hold it. */
const isPort = (text: string): boolean =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/** Fields of the secret of every server that is reached by host and port, as AWS's own functions have them. */
export const endpointFields = {
  /** Host name or IP address; a Unix socket is refused. */
  host: z
    .string()
    .min(1)
    .max(longestHost, `host must have at most ${longestHost} characters`)
    .refine((value) => !/[/\s\0]/.test(value), 'host must be a host name or an IP address'),
  password: z.string(),
  port: z.union([z.int().min(1).max(65535), z.stringFormat('port', isPort)]).nullish(),
  /** `false` or `"false"`: plaintext. Anything else, or nothing: TLS with a verified certificate. */
  ssl: z.unknown().optional(),
};

/**
 * Makes the schema of a name in a server that counts bytes. Such a server cuts longer names off without a word, so they are
 * refused here.
 */
export const nameField = (what: string, longestBytes: number) =>
  z
    .string()
    .min(1, `${what} must not be empty`)
    .refine(
      (value) => Buffer.byteLength(value) <= longestBytes,
      `${what} must be at most ${longestBytes} bytes`,
    )
    .refine((value) => value.isWellFormed() && !value.includes('\0'), `${what} must be text without NUL`);

/** Gives the keys and values that a login to such a server is bound to; see {@link Rotator.boundTo}. */
export const endpointBounds = (
  secret: { readonly username: string; readonly host: string; readonly ssl?: unknown },
  port: number,
): Bounds => ({ username: secret.username, host: secret.host, port, ssl: transportOf(secret) });
