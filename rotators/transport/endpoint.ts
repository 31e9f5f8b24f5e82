import * as z from 'zod';
import type { Bounds } from '../../core/rotator.ts';
import { transportOf } from './tls/transport.ts';

/** https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4, without the final dot */
const longestHost = 253;

/** Tells whether a text is a port, 1 to 65535, as the JSON of AWS's functions may hold it. */
const isPort = (text: string): boolean =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/** What every secret of a server that is reached by host and port holds, as AWS's own functions have it. */
export const endpointFields = {
  /** Host name or IP address; a Unix socket is not one. */
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

/** A name in a server that counts bytes and cuts longer ones off without a word, so they are refused here. */
export const nameField = (what: string, longestBytes: number) =>
  z
    .string()
    .min(1, `${what} must not be empty`)
    .refine(
      (value) => Buffer.byteLength(value) <= longestBytes,
      `${what} must be at most ${longestBytes} bytes`,
    )
    .refine((value) => value.isWellFormed() && !value.includes('\0'), `${what} must be text without NUL`);

/** What a login to such a server is bound to; see {@link Rotator.boundTo}. */
export const endpointBounds = (
  secret: { readonly username: string; readonly host: string; readonly ssl?: unknown },
  port: number,
): Bounds => ({ username: secret.username, host: secret.host, port, ssl: transportOf(secret) });
