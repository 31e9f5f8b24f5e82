import { createHash } from 'node:crypto';
import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';

/**
 * The proof of who somebody is: a request to STS that its maker signs and its receiver sends. The request is `GetCallerIdentity`.
 * AWS checks the signature and answers whose it is. Vault's AWS login and the authenticator of EKS work the same way. A signed
 * header binds it to one deed, so it proves nothing else to anybody else. The maker chooses neither host, method, path nor body.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 * @see https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method
 */

/** Header that binds a proof to one deed. */
export const bindingHeader = 'x-rekey-binding';

/** Body of the one request that a proof can be. */
export const identityBody = 'Action=GetCallerIdentity&Version=2011-06-15';

/** Media type of that body. */
export const identityContentType = 'application/x-www-form-urlencoded; charset=utf-8';

/** Parts of the request that its maker chooses. */
export const identityProofSchema = z.strictObject({
  /** Header `authorization`, Signature Version 4. */
  authorization: z.string().min(1).max(1024),
  /** Header `x-amz-date`. */
  date: z.string().min(1).max(32),
  /** Header `x-amz-security-token`, of temporary credentials. */
  token: z.string().min(1).max(8192).optional(),
});
export type IdentityProof = z.output<typeof identityProofSchema>;

/** The deed that a proof is for. */
export type Deed =
  | { readonly act: 'ask'; readonly requestId: string; readonly digest: string }
  | {
      readonly act: 'answer';
      readonly requestId: string;
      readonly outcome: 'granted' | 'refused';
      readonly reason: string | undefined;
    };

/** Gives the value of {@link bindingHeader} for a deed in an environment of an account. */
export function bindingOf(place: { environment: string; account: string }, deed: Deed): string {
  const parts =
    deed.act === 'ask'
      ? [deed.act, deed.requestId, deed.digest]
      : [deed.act, deed.requestId, deed.outcome, deed.reason ?? null];
  return createHash('sha256')
    .update(JSON.stringify(['rekey', 1, place.account, place.environment, ...parts]))
    .digest('hex');
}

/** Longest time for which a proof counts, which is how long STS takes a signature. */
const proofMaximumAgeMs = 15 * 60_000;
/** Time by which the clock of its maker may run ahead. */
const proofSkewMs = 5 * 60_000;

const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}\/(\d{8})\/([a-z0-9-]+)\/sts\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/**
 * Checks the form of a proof, and gives the headers with which it is sent. All of them are signed, and no other is.
 * @param binding - what the signed header must say, by {@link bindingOf}
 * @throws RekeyError `IdentityUnproven`
 */
export function headersOf(
  proof: IdentityProof,
  { binding, region, now }: { readonly binding: string; readonly region: string; readonly now: Date },
): Readonly<Record<string, string>> {
  const { authorization, date, token } = proof;
  const refuse = (what: string) => new RekeyError('IdentityUnproven', `the proof of identity ${what}`);
  const [, day, signedRegion, signed] = authorizationForm.exec(authorization) ?? [];
  if (signed === undefined || day === undefined) {
    throw refuse('is no request to STS that is signed with Signature Version 4');
  }
  if (signedRegion !== region) throw refuse(`is for STS in ${signedRegion}, and this is ${region}`);
  const headers: Record<string, string> = {
    'content-type': identityContentType,
    'x-amz-date': date,
    [bindingHeader]: binding,
    ...(token !== undefined && { 'x-amz-security-token': token }),
  };
  if (signed !== [...Object.keys(headers), 'host'].sort().join(';')) {
    throw refuse(
      `must sign these headers and no other: ${[...Object.keys(headers), 'host'].sort().join(', ')}`,
    );
  }
  const at = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  const age =
    at === null
      ? Number.NaN
      : now.getTime() - Date.parse(`${at[1]}-${at[2]}-${at[3]}T${at[4]}:${at[5]}:${at[6]}Z`);
  if (Number.isNaN(age) || !date.startsWith(day))
    throw refuse('has no date, or another one than its signature');
  if (age > proofMaximumAgeMs) throw refuse('is older than 15 minutes: repeat the command');
  if (age < -proofSkewMs) throw refuse('is dated ahead by more than 5 minutes: set the clock right');
  return { ...headers, authorization };
}
