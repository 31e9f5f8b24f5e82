import { bindingOf, type Deed, type IdentityProof } from '../../../core/approval/proof.ts';
import { account } from './world.ts';

/** A proof of the right form; who signed it is what the STS of the test says. */
export function proofFor(
  at: Date,
  change: { region?: string; headers?: string; service?: string } = {},
): IdentityProof {
  const date = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${change.region ?? 'eu-central-1'}/${change.service ?? 'sts'}/aws4_request`;
  const signed = change.headers ?? 'content-type;host;x-amz-date;x-amz-security-token;x-rekey-binding';
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=ASIAAAAAAAAAAAAAAAAA/${scope}, SignedHeaders=${signed}, Signature=${'a'.repeat(64)}`,
    date,
    token: 'session token',
  };
}

export const bindingFor = (deed: Deed): string => bindingOf({ environment: 'test', account }, deed);
