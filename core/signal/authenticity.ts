import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { RekeyError } from '../errors/rekey-error.ts';
import { signatureHeaders, signingKey } from '../notification/signature.ts';
import type { WebhookKind } from './signal.ts';

/** A message as it came, before anything of it is read. */
export interface Delivery {
  /** Headers by their names in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Body, byte by byte. */
  readonly body: Buffer;
}

/** The means by which a sender is known. */
export interface SenderKeys {
  /** Shared secrets, the former one among them while it is being replaced. */
  readonly secrets: readonly string[];
  /** Public keys in PEM, by the id that GitHub gives them. */
  readonly publicKeys: Readonly<Record<string, string>>;
}

/** Milliseconds by which the time of a message may differ from now. */
const messageWindowMs = 5 * 60_000;

const forged = (why: string): RekeyError =>
  new RekeyError('SignalForged', `${why}; nothing of the message was read`);

/** Compares two texts in a time that tells nothing of where they differ. */
function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Refuses a message whose time is missing, too old or too far ahead. */
function requireFresh(at: number, now: Date): void {
  if (Number.isNaN(at)) throw forged('the message says no time that its signature covers');
  if (Math.abs(now.getTime() - at) > messageWindowMs) {
    throw new RekeyError(
      'SignalStale',
      `the message was signed more than ${messageWindowMs / 60_000} minutes before or after now; a copy of an old one is refused, and a clock must be right`,
    );
  }
}

/** Checks a signature of GitHub. @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
function checkGitHub({ headers, body }: Delivery, { secrets }: SenderKeys): void {
  const given = headers['x-hub-signature-256'] ?? '';
  const isGenuine = secrets.some((secret) =>
    same(given, `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`),
  );
  if (!isGenuine) throw forged('x-hub-signature-256 is not of the shared secret');
}

/** Checks a signature of GitHub's partner program: ECDSA over the body, by a key that the configuration names. */
function checkGitHubPartner({ headers, body }: Delivery, { publicKeys }: SenderKeys): void {
  const id = headers['github-public-key-identifier'] ?? '';
  const pem = Object.hasOwn(publicKeys, id) ? publicKeys[id] : undefined;
  if (pem === undefined) {
    throw new RekeyError(
      'SignalKeyUnknown',
      'the message names a public key that the configuration does not; if GitHub has a new one, add it and deploy',
    );
  }
  const signature = Buffer.from(headers['github-public-key-signature'] ?? '', 'base64');
  const isGenuine = signature.length > 0 && verify('sha256', body, createPublicKey(pem), signature);
  if (!isGenuine) throw forged('github-public-key-signature is not of the key that it names');
}

/** Checks a signature of GitGuardian, whose key is the time and the shared token in a row. */
function checkGitGuardian({ headers, body }: Delivery, { secrets }: SenderKeys, now: Date): void {
  const [given, timestamp] = [headers['gitguardian-signature'] ?? '', headers.timestamp ?? ''];
  const isGenuine = secrets.some((secret) =>
    same(
      given,
      `sha256=${createHmac('sha256', timestamp + secret)
        .update(body)
        .digest('hex')}`,
    ),
  );
  if (!isGenuine) throw forged('gitguardian-signature is not of the shared token');
  // Seconds of Unix, or a time in words.
  requireFresh(/^\d+(\.\d+)?$/.test(timestamp) ? Number(timestamp) * 1_000 : Date.parse(timestamp), now);
}

/** Checks the token that GitLab sends along; nothing is signed, so TLS alone keeps it. */
function checkGitLab({ headers }: Delivery, { secrets }: SenderKeys): void {
  const given = (headers.authorization ?? '').replace(/^Bearer /i, '');
  const isGenuine = secrets.filter((secret) => same(given, secret)).length > 0;
  if (!isGenuine) throw forged('the header authorization does not hold the shared token');
}

/** Checks a signature as Rekey's own webhooks have it. @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function checkWebhook({ headers, body }: Delivery, { secrets }: SenderKeys, now: Date): void {
  const [id, timestamp] = [headers['webhook-id'] ?? '', headers['webhook-timestamp'] ?? ''];
  const keys = secrets.flatMap((secret) => signingKey(secret) ?? []);
  const at = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1_000 : Number.NaN;
  if (id === '' || id.length > 256 || Number.isNaN(at))
    throw forged('webhook-id or webhook-timestamp is missing');
  const expected = signatureHeaders({ id, now: new Date(at), body: body.toString('utf8') }, keys);
  const valid = (expected['webhook-signature'] ?? '').split(' ');
  const given = (headers['webhook-signature'] ?? '').split(' ').slice(0, 10);
  if (!given.some((one) => one !== '' && valid.some((other) => same(one, other)))) {
    throw forged('webhook-signature is not of the signing key');
  }
  requireFresh(at, now);
}

const checks: Readonly<Record<WebhookKind, (delivery: Delivery, keys: SenderKeys, now: Date) => void>> = {
  github: checkGitHub,
  githubPartner: checkGitHubPartner,
  gitguardian: checkGitGuardian,
  gitlab: checkGitLab,
  webhook: checkWebhook,
};

/**
 * Makes sure that a message is of its sender, unchanged, and new where the sender signs the time.
 * @throws RekeyError `SignalForged` | `SignalStale` | `SignalKeyUnknown`
 */
export function authenticate(kind: WebhookKind, delivery: Delivery, keys: SenderKeys, now: Date): void {
  checks[kind](delivery, keys, now);
}
