import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';

/**
 * The link by which a person answers who was sent it. It proves that somebody reads that person's mail, and no more. It is bound
 * to one request, one person and a time, and KMS knows the key.
 */
const linkSchema = z.strictObject({
  /** Id of the request. */
  requestId: z.string().min(1).max(128),
  /** Name of the person who was sent it. */
  approver: z.string().min(1).max(64),
  /** Time at which it ends: that of the request. */
  expiresAt: z.iso.datetime(),
});
export type ApprovalLink = z.output<typeof linkSchema>;

/** A key that makes and checks codes of messages (HMAC). */
export interface LinkKey {
  make(message: Uint8Array): Promise<Uint8Array>;
  verify(message: Uint8Array, code: Uint8Array): Promise<boolean>;
}

/** Longest token; a longer one is none. */
const longestToken = 1_024;

const messageOf = (environment: string, body: string): Uint8Array =>
  new TextEncoder().encode(`rekey approval link 1\n${environment}\n${body}`);

/** Makes the token of a link. */
export async function signLink(
  link: ApprovalLink,
  environment: string,
  key: Pick<LinkKey, 'make'>,
): Promise<string> {
  const body = Buffer.from(JSON.stringify(link)).toString('base64url');
  const code = await key.make(messageOf(environment, body));
  return `${body}.${Buffer.from(code).toString('base64url')}`;
}

/**
 * Reads the token of a link. The key is asked only about a token of the right form.
 * @throws RekeyError `LinkInvalid`
 */
export async function readLink(
  token: string,
  environment: string,
  key: Pick<LinkKey, 'verify'>,
): Promise<ApprovalLink> {
  const invalid = new RekeyError('LinkInvalid', 'the link is incomplete, or was changed');
  const [, body, code] = token.length > longestToken ? [] : (/^([\w-]+)\.([\w-]{43})$/.exec(token) ?? []);
  if (body === undefined || code === undefined) throw invalid;
  const known = await key.verify(messageOf(environment, body), Buffer.from(code, 'base64url'));
  if (!known) throw invalid;
  return linkSchema.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
}
