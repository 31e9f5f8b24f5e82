import { TargetError } from '../../../core/errors/rekey-error.ts';
import { coversRegion, rdsRegionOf } from './rds/regions.ts';

/** Stage that a connection had reached when it failed. */
export type Phase = 'connect' | 'tls' | 'login';

/** The server's answer that it does not do TLS. Only in this case is a plaintext fallback thinkable. */
export class NoTlsOffered extends TargetError {
  constructor(where: string) {
    super(
      'TlsRefused',
      `${where}: the server offers no TLS; turn it on there, or set "ssl": false in the secret to accept plaintext`,
    );
  }
}

/**
 * Reads a text property of whatever was thrown. A test by `instanceof` would fail for errors of another realm, as in a test's
 * sandbox.
 */
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

/** Tells whether the code of an error is of the network, rather than of TLS or of a driver. */
export const isNetworkCode = (code: string): boolean => networkCodes.has(code);

/** Makes the error for a connection that failed without a reason from the server. */
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

/** Codes of OpenSSL for a certificate that an unknown authority has signed. */
const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Gives the remedy where the authority is unknown. Other refusals speak for themselves, so it is empty for them. */
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

/** Makes the error for a server that let the time for a connection pass. */
export function noAnswer(where: string, phase: Phase, timeoutMs: number): TargetError {
  const waited = { connect: 'a connection', tls: 'the TLS handshake', login: 'the answer to the login' };
  return new TargetError(
    'TargetUnreachable',
    `${where}: no answer within ${timeoutMs} ms; waited for ${waited[phase]}`,
  );
}
