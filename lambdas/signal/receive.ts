import * as z from 'zod';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import { authenticate, type Delivery, type SenderKeys } from '../../core/signal/authenticity.ts';
import { readGitGuardian } from '../../core/signal/gitguardian.ts';
import { readGitHub, redeliveredForMs } from '../../core/signal/github.ts';
import { readGitHubPartner } from '../../core/signal/github-partner.ts';
import { readGitLab, revocableTypes } from '../../core/signal/gitlab.ts';
import type { Reading, WebhookKind } from '../../core/signal/signal.ts';
import { readWebhook } from '../../core/signal/webhook.ts';
import { type SignalDependencies, takeSignals } from './take-signals.ts';

export interface ReceiveDependencies extends SignalDependencies {
  /** Reads the shared secrets of a sender. @throws RekeyError `SignalSecretInvalid` */
  readonly secretsOf: (secretId: string) => Promise<readonly string[]>;
  /** Says whether one more message is looked at. */
  readonly admit: () => boolean;
  /** Says whether one more refusal is recorded: anybody may send what is refused. */
  readonly admitRecord: () => boolean;
  /** Takes note of a refusal, which is counted and alarmed. */
  readonly refused: (kind: WebhookKind, code: string, reason: string) => void;
  /** Notes a message that failed, by its kind and the time alone: a body may hold values. */
  readonly giveUp: (kind: WebhookKind, code: string) => Promise<void>;
}

/** The answer of the function to a sender. */
export interface SignalResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Bytes that a message may have. */
export const mostBytes = 512 * 1_024;

/**
 * A request to a function's URL, as far as it is looked at.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
const requestSchema = z.object({
  rawPath: z.string().max(256),
  headers: z.record(z.string(), z.string()),
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().optional(),
});

/** A place below the URL. */
interface Place {
  readonly kind: WebhookKind;
  readonly method: 'GET' | 'POST';
  /** Status of a message that was taken. */
  readonly taken: number;
}

const places: Readonly<Record<string, Place>> = {
  '/github': { kind: 'github', method: 'POST', taken: 202 },
  '/github-partner': { kind: 'githubPartner', method: 'POST', taken: 202 },
  '/gitguardian': { kind: 'gitguardian', method: 'POST', taken: 202 },
  '/gitlab/v1/revoke_tokens': { kind: 'gitlab', method: 'POST', taken: 204 },
  '/gitlab/v1/revocable_token_types': { kind: 'gitlab', method: 'GET', taken: 200 },
  '/webhook': { kind: 'webhook', method: 'POST', taken: 202 },
};

const respond = (
  statusCode: number,
  body = '',
  more: Readonly<Record<string, string>> = {},
): SignalResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...more },
  body,
});
const problem = (
  statusCode: number,
  error: string,
  more?: Readonly<Record<string, string>>,
): SignalResponse => respond(statusCode, JSON.stringify({ error }), more);

/** Codes that say of a message that it is refused for good. */
const refusals: Readonly<Record<string, number>> = {
  SignalForged: 401,
  SignalKeyUnknown: 401,
  SignalStale: 401,
  SignalMalformed: 400,
};

/**
 * Takes a message of a sender: bounded, then proven to be genuine, and only then read. It answers 2xx when all of it was handed
 * over, and 5xx where the sender should try again.
 */
export async function receive(input: unknown, dependencies: ReceiveDependencies): Promise<SignalResponse> {
  if (!dependencies.admit()) return problem(429, 'too many messages', { 'retry-after': '60' });
  const request = requestSchema.safeParse(input).data;
  const place = request === undefined ? undefined : places[request.rawPath.replace(/\/$/, '')];
  if (request === undefined || place === undefined || dependencies.policies[place.kind] === undefined) {
    return problem(404, 'nothing listens here');
  }
  if (request.requestContext.http.method !== place.method) return problem(405, `${place.method} alone`);
  const body = Buffer.from(request.body ?? '', request.isBase64Encoded === true ? 'base64' : 'utf8');
  if (body.length > mostBytes) return problem(413, `${mostBytes} bytes at most`);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  if (place.method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    return problem(415, 'application/json alone');
  }
  try {
    return await take(place, { headers, body }, dependencies);
  } catch (error) {
    return await refuse(place.kind, error, dependencies);
  }
}

async function take(
  place: Place,
  delivery: Delivery,
  dependencies: ReceiveDependencies,
): Promise<SignalResponse> {
  const { kind } = place;
  const now = dependencies.origin.clock.now();
  authenticate(kind, delivery, await keysOf(kind, dependencies), now);
  if (place.method === 'GET')
    return respond(place.taken, revocableTypes(dependencies.policies.gitlab?.types ?? []));
  const { headers, body } = delivery;
  // GitHub's first message only says that it can reach the address.
  if (kind === 'github' && headers['x-github-event'] === 'ping') return respond(place.taken);
  await takeSignals(readingOf(kind, delivery, jsonOf(body), now, dependencies), kind, dependencies);
  return respond(place.taken);
}

/** Gathers what a sender is known by. */
async function keysOf(kind: WebhookKind, { policies, secretsOf }: ReceiveDependencies): Promise<SenderKeys> {
  if (kind === 'githubPartner') return { secrets: [], publicKeys: policies.githubPartner?.publicKeys ?? {} };
  const secret = policies[kind]?.secret;
  return { secrets: secret === undefined ? [] : await secretsOf(secret), publicKeys: {} };
}

function readingOf(
  kind: WebhookKind,
  { headers }: Delivery,
  json: unknown,
  now: Date,
  { policies }: ReceiveDependencies,
): Reading {
  switch (kind) {
    case 'github':
      return fresh(readGitHub(json, headers['x-github-event'] ?? ''), now);
    case 'githubPartner':
      return readGitHubPartner(json, now);
    case 'gitguardian':
      return readGitGuardian(json, now);
    case 'gitlab':
      return readGitLab(json, now, policies.gitlab?.types ?? []);
    default:
      return readWebhook(json, headers['webhook-id'] ?? '', now);
  }
}

/**
 * Refuses alerts that are older than any that GitHub delivers. It signs no time, so a copy of an old message looks genuine.
 * @throws RekeyError `SignalStale`
 */
function fresh(reading: Reading, now: Date): Reading {
  const isStale =
    'signals' in reading &&
    reading.signals.some(({ time }) => now.getTime() - Date.parse(time) > redeliveredForMs);
  if (!isStale) return reading;
  throw new RekeyError(
    'SignalStale',
    `the alert is more than ${redeliveredForMs / 86_400_000} days old, and GitHub delivers none of those; if it is needed, look at it on its page`,
  );
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new RekeyError('SignalMalformed', 'the message is not JSON');
  }
}

async function refuse(
  kind: WebhookKind,
  error: unknown,
  { refused, records, origin, admitRecord, giveUp }: ReceiveDependencies,
): Promise<SignalResponse> {
  const summary = summarizeError(error);
  const status = refusals[summary.code];
  if (status === undefined) {
    await giveUp(kind, summary.code);
    throw error;
  }
  refused(kind, summary.code, summary.message);
  if (admitRecord()) {
    await records.publish([
      createEvent(origin, 'Signal Rejected', { kind, error: summary }, { correlationId: `signal:${kind}` }),
    ]);
  }
  return problem(status, summary.code);
}
