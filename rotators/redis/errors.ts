import { TargetError } from '../../core/errors/rekey-error.ts';
import { floodOf } from '../transport/flood.ts';
import { LoginRefused } from '../transport/login.ts';
import { isNetworkCode, textOf } from '../transport/tls/failures.ts';

/** The refusal of a change of a user who is no longer as it was just read. */
export class ConcurrentChange extends TargetError {
  constructor(message: string) {
    super('TargetRefused', message);
  }
}

/** The server's own error reply. */
export interface ReplyError {
  /** First word: `WRONGPASS`, `NOPERM`, `ERR`. */
  readonly word: string;
  /** Text that may quote what was sent; for comparing, never for showing. */
  readonly text: string;
}

/** Tells the server's error replies from those of the driver and the network. The latter do not begin with a word in capitals. */
export function replyError(error: unknown): ReplyError | undefined {
  if (!(error instanceof Error) || 'code' in error) return undefined;
  const word = /^([A-Z][A-Z0-9]*)(?: |$)/.exec(error.message)?.[1];
  return word === undefined ? undefined : { word, text: error.message };
}

/** Makes the error for a connection that failed. */
export function connectError(error: unknown, where: string): TargetError {
  const flood = floodOf(error, where);
  if (flood !== undefined) return flood;
  const code = textOf(error, 'code');
  if (code !== undefined && !isNetworkCode(code)) {
    return new TargetError(
      'TlsRefused',
      `${where}: no TLS connection (${code}); either the server's certificate was not accepted, or it offers no TLS at this port`,
    );
  }
  return new TargetError('TargetUnreachable', `${where}: no connection${code ? ` (${code})` : ''}`);
}

/** Makes the error for an error reply to AUTH. Only WRONGPASS says something about the credential. */
export function loginError({ word, text }: ReplyError, where: string): TargetError {
  switch (word) {
    case 'WRONGPASS':
      return new LoginRefused(
        `${where}: the server refused the password, or the user is off or unknown (WRONGPASS)`,
      );
    case 'LOADING':
    case 'BUSY':
    case 'MASTERDOWN':
      return new TargetError('TargetUnreachable', `${where}: the server is not ready (${word})`);
    case 'DENIED':
      return new TargetError('TargetRefused', `${where}: the server is in protected mode (DENIED)`);
  }
  if (text.includes('max number of clients')) {
    return new TargetError('TargetBusy', `${where}: no connection is free (maxclients)`);
  }
  return new TargetError(
    'TargetRefused',
    `${where}: the server takes no login with a user name (${word}); it must be Redis 6, Valkey 7.2 or later`,
  );
}

/**
 * Makes the error for a command that failed. The server's text is left out: it may quote what was sent.
 *
 * @param doing what the command was for, in words
 * @param missing the ACL rule that permits it
 */
export function commandError(
  { word }: ReplyError,
  where: string,
  doing: string,
  missing: string,
): TargetError {
  switch (word) {
    case 'NOPERM':
      return new TargetError('PermissionMissing', `${where}: may not ${doing} (NOPERM); it needs ${missing}`);
    case 'LOADING':
    case 'BUSY':
    case 'MASTERDOWN':
      return new TargetError('TargetUnreachable', `${where}: the server is not ready to ${doing} (${word})`);
    default:
      return new TargetError('TargetRefused', `${where}: could not ${doing} (${word})`);
  }
}
