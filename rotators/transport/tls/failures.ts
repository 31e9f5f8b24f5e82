import { TargetError } from '../../../core/errors/rekey-error.ts';
import { coversRegion, rdsRegionOf } from './rds/regions.ts';

/** How far a connection had come when it failed. */
export type Phase = 'connect' | 'tls' | 'login';

/** The server answered that it does not do TLS; the only case in which a plaintext fallback is thinkable. */
export class NoTlsOffered extends TargetError {
  constructor(where: string) {
    super(
      'TlsRefused',
      `${where}: the server offers no TLS; turn it on there, or set "ssl": false in the secret to accept plaintext`,
    );
  }
}

/** A property of whatever was thrown; `instanceof` would fail for errors of another realm, as in a test's sandbox. */
export function textOf(error: unknown, property: string): string | undefined {
  const value: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, property) : undefined;
  return typeof value === 'string' ? value : undefined;
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EADDRNOTAVAIL',
]);

/** Whether the code of an error is of the network, rather than of TLS or of a driver. */
export const isNetworkCode = (code: string): boolean => networkCodes.has(code);

/** What a connection means that was not made, for no reason that the server gave. */
export function connectionFailure(where: string, phase: Phase, code: string | undefined): TargetError {
  if (phase === 'tls' && code !== undefined && !isNetworkCode(code)) {
    return new TargetError(
      'TlsRefused',
      `${where}: the server's certificate was not accepted (${code})${remedy(where, code)}`,
    );
  }
  const at = { connect: 'while connecting', tls: 'during the TLS handshake', login: 'during the login' };
  return new TargetError(
    'TargetUnreachable',
    `${where}: connection failed ${at[phase]} (${code ?? 'closed by the server'})`,
  );
}

/** What OpenSSL says where nobody whom the function trusts has signed. */
const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What to do where the authority is unknown; nothing for other refusals, which speak for themselves. */
function remedy(where: string, code: string): string {
  if (!unknownAuthority.has(code)) return '';
  const region = rdsRegionOf(where);
  if (region !== undefined && !coversRegion(region)) {
    return `; Rekey brings no authorities of RDS in ${region}: give AWS's bundle of that region in certificateAuthority, and deploy`;
  }
  return region === undefined
    ? '; nobody whom Rekey trusts has signed it: give its authority in certificateAuthority, and deploy'
    : `; it is none of the authorities of RDS in ${region} that Rekey knows: update them with npm run authorities, or give AWS's bundle in certificateAuthority, and deploy`;
}

/** The server let the time for a connection pass. */
export function noAnswer(where: string, phase: Phase, timeoutMs: number): TargetError {
  const waited = { connect: 'a connection', tls: 'the TLS handshake', login: 'the answer to the login' };
  return new TargetError(
    'TargetUnreachable',
    `${where}: no answer within ${timeoutMs} ms; waited for ${waited[phase]}`,
  );
}
