import * as z from 'zod';

/** What every secret of a server that is reached by host and port holds, as AWS's own functions have it. */
export const endpointFields = {
  /** Host name or IP address; a Unix socket is not one. */
  host: z
    .string()
    .min(1)
    .refine((value) => !/[/\s\0]/.test(value), 'host must be a host name or an IP address'),
  password: z.string(),
  port: z.union([z.int().min(1).max(65535), z.stringFormat('port', /^[0-9]{1,5}$/)]).nullish(),
  /** `false` or `"false"`: plaintext. Anything else, or nothing: TLS with a verified certificate. */
  ssl: z.unknown().optional(),
};
