import { TargetError } from '../../core/errors.ts';

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
    return new TargetError('TlsRefused', `${where}: the server's certificate was not accepted (${code})`);
  }
  const at = { connect: 'while connecting', tls: 'during the TLS handshake', login: 'during the login' };
  return new TargetError(
    'TargetUnreachable',
    `${where}: connection failed ${at[phase]} (${code ?? 'closed by the server'})`,
  );
}

/** The server let the time for a connection pass. */
export function noAnswer(where: string, phase: Phase, timeoutMs: number): TargetError {
  const waited = { connect: 'a connection', tls: 'the TLS handshake', login: 'the answer to the login' };
  return new TargetError(
    'TargetUnreachable',
    `${where}: no answer within ${timeoutMs} ms; waited for ${waited[phase]}`,
  );
}
