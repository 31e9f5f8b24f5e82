import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';
import { plain } from '../notification/text.ts';

/** The kinds of signals from outside, under the names that the configuration gives them. */
const signalKinds = [
  'health',
  'guardduty',
  'securityhub',
  'github',
  'githubPartner',
  'gitguardian',
  'gitlab',
  'webhook',
] as const;
export type SignalKind = (typeof signalKinds)[number];

/** The kinds that come over the default event bus of the account; the others come to a function's URL. */
export const eventKinds = ['health', 'guardduty', 'securityhub'] as const satisfies readonly SignalKind[];
export type EventKind = (typeof eventKinds)[number];
export type WebhookKind = Exclude<SignalKind, EventKind>;

/** Degrees of how bad the sender takes it to be. */
export const signalSeverities = ['critical', 'high', 'medium', 'low'] as const;
export type SignalSeverity = (typeof signalSeverities)[number];

/** The thing that a signal is about. It is an access key, a value by its SHA-256, or a secret by name or ARN. */
export type Subject =
  | { readonly accessKeyId: string }
  /** SHA-256 of a value that somebody found. It is looked up, and stands in no event, log or queue. */
  | { readonly fingerprint: string }
  | { readonly secret: string };

/** A message from outside that a credential is in the wrong hands, or may be. */
export interface Signal {
  readonly kind: SignalKind;
  /** Id of the matter at its sender. The same matter has the same id, however often it is told. */
  readonly id: string;
  /** Time at which the sender saw it, as an ISO 8601 text. */
  readonly time: string;
  readonly severity: SignalSeverity;
  /** Empty where the sender does not say which credential it is. */
  readonly subjects: readonly Subject[];
  /** Page of the sender about it, without its query. */
  readonly url?: string;
  /** Line of names and types, and never a value. */
  readonly evidence: string;
}

/** The result of reading a message: signals, or the reason for which it is none. */
export type Reading = { readonly signals: readonly Signal[] } | { readonly ignored: string };

const longestEvidence = 300;

/** Joins what a sender names to one bounded line. */
export const evidenceOf = (...parts: readonly (string | undefined)[]): string =>
  plain(parts.filter((part) => part !== undefined && part !== '').join(', '), longestEvidence);

/** Makes the id of a matter: one bounded line. */
export const idOf = (...parts: readonly (string | number)[]): string => plain(parts.join(' '), 200);

/**
 * Makes the address of a page that may be recorded. User, password and query go, since they may hold a token.
 * @returns undefined where the text is no such address
 */
export function linkOf(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length > 2_048 || !URL.canParse(text)) return undefined;
  const { protocol, host, pathname, hash } = new URL(text);
  return protocol === 'https:' ? `https://${host}${pathname}${hash}` : undefined;
}

/** Makes an ISO 8601 text of a time in any form that vendors write; undefined where it is none. */
export function timeOf(text: string | null | undefined): string | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/**
 * Reads a message by its schema.
 * @throws RekeyError `SignalMalformed`, which names places in the message, and nothing that stands there
 */
export function parsedSignal<Schema extends z.ZodType>(
  kind: SignalKind,
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const { data, error } = schema.safeParse(input);
  if (error === undefined) return data as z.output<Schema>;
  const places = [...new Set(error.issues.map(({ path }) => path.slice(0, 4).join('.') || 'the message'))];
  throw new RekeyError(
    'SignalMalformed',
    `the message of the kind ${kind} has fields that are missing or of another form than its sender documents: ${places.slice(0, 10).join(', ')}`,
  );
}

/** Id of an access key, of a user (AKIA) or a session (ASIA). */
export const accessKeyPattern = /^A(?:KI|SI)A[A-Z0-9]{12,124}$/;

/** Gives access keys as subjects, each once; what is no id of one is left out. */
export const keysOf = (ids: readonly (string | null | undefined)[]): readonly Subject[] =>
  [...new Set(ids)].flatMap((id) =>
    typeof id === 'string' && accessKeyPattern.test(id) ? [{ accessKeyId: id }] : [],
  );

/** Reads a time that may be missing or null. */
export const someTime = z.string().max(64).nullish();
