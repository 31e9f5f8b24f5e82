import * as z from 'zod';
import type { Notice } from '../notice.ts';

/** A request to a receiver, ready to be sent. */
export interface Outgoing {
  readonly method: 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The part of an answer that counts. */
export interface ReceiverAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The thing that a message does at its receiver; `tell` is for receivers without alerts, too. */
export type Deed = 'tell' | 'trigger' | 'acknowledge' | 'resolve';

/** The occasion of a message: what it does, the alert that it is about, and when it is sent. */
export interface Occasion {
  readonly deed: Deed;
  /** Key of the alert at receivers that keep alerts. */
  readonly alert: string;
  readonly now: Date;
}

/** A kind of receiver: what its secret holds, how a message is written for it, and which answers mean what. */
export interface Vendor<Credential extends object = object> {
  readonly credential: z.ZodType<Credential>;
  /** Writes a message. */
  write(notice: Notice, occasion: Occasion, credential: Credential): Outgoing;
  /** Tells whether a message was taken, by the status of the answer. */
  readonly taken: (status: number) => boolean;
  /** Tells whether the credential was refused, by the status; the secret is then read once more. */
  readonly refusesCredential: (status: number) => boolean;
}

/** Reads an HTTPS URL of a secret. A user or a fragment in it is refused. */
export const httpsUrl = z
  .string()
  .max(4_096)
  .transform((text, context) => {
    const url = URL.parse(text);
    if (
      url === null ||
      url.protocol !== 'https:' ||
      url.username !== '' ||
      url.password !== '' ||
      url.hash !== ''
    ) {
      context.addIssue({ code: 'custom', message: 'must be an https URL without user and fragment' });
      return z.NEVER;
    }
    return url;
  });

/** Reads a key that goes into a header or a field: visible ASCII alone, so that it ends no header. */
export const keyText = z
  .string()
  .regex(/^[\u0021-\u007e]{8,512}$/, 'must be 8 to 512 visible characters of ASCII');

/** Makes the request of a JSON document. */
export const jsonRequest = (
  url: URL,
  document: unknown,
  headers: Readonly<Record<string, string>> = {},
): Outgoing => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(document),
});

/** Longest time that a receiver may have messages wait: above it the dead letters are the better place. */
const longestWaitMs = 15 * 60_000;

/**
 * Reads from an answer how long to wait: seconds, or a date.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs({ headers }: ReceiverAnswer, now: Date): number | undefined {
  const given = headers['retry-after'];
  if (typeof given !== 'string') return undefined;
  const wait = /^\d{1,9}$/.test(given.trim()) ? Number(given) * 1_000 : Date.parse(given) - now.getTime();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestWaitMs);
}
