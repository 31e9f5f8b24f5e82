import { TargetError } from '../../core/errors/rekey-error.ts';
import { floodOf } from '../transport/flood.ts';
import { LoginHindered, LoginRefused, LoginWithoutSession } from '../transport/login.ts';
import { connectionFailure, NoTlsOffered, type Phase, textOf } from '../transport/tls/failures.ts';

/** The place where something went wrong, for messages. */
export interface Place {
  /** Name of the connection: `user "app" at db.example:3306/orders`. */
  readonly where: string;
  readonly encrypted: boolean;
  /** True if the server can do TLS, as its first words say; undefined before them. */
  readonly tlsOffered?: boolean;
  readonly database: string | undefined;
  readonly username: string;
  readonly host: string;
}

/** Reads the number of the server's own error answer; undefined for errors of the driver and the network. */
export function serverError(error: unknown): number | undefined {
  const number: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'errno') : undefined;
  return typeof number === 'number' && number >= 1000 && textOf(error, 'sqlState') !== undefined
    ? number
    : undefined;
}

/** Makes the error of a failed connection attempt. The server's text is left out. */
export function connectError(error: unknown, place: Place, phase: Phase): TargetError {
  const { where } = place;
  const answer = serverError(error);
  if (answer !== undefined) return loginError(answer, place);
  const flood = floodOf(error, where);
  if (flood !== undefined) return flood;
  const code = textOf(error, 'code');
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return new NoTlsOffered(where);
  if (phase !== 'tls' && (code?.startsWith('AUTH_SWITCH') || code === 'PROTOCOL_ERROR')) {
    return new TargetError(
      'TargetRefused',
      `${where}: the server wants an authentication that is not supported`,
    );
  }
  return connectionFailure(where, phase, code === 'PROTOCOL_CONNECTION_LOST' ? undefined : code);
}

/**
 * The refusal of a plaintext login. The server answers a right password so, too, where the account demands TLS, or all of MariaDB
 * does: it looks at that first.
 * @see https://dev.mysql.com/doc/refman/8.4/en/create-user.html#create-user-tls
 */
export class RefusedWithoutTls extends LoginRefused {
  constructor(where: string) {
    super(
      `${where}: the server refused the password or knows no such account (1045), or it lets the user in over TLS alone, which "ssl": false in the secret rules out`,
    );
  }
}

const refused = (where: string, answer: number): LoginRefused =>
  new LoginRefused(`${where}: the server refused the password or knows no such account (${answer})`);

/**
 * Makes the error for the server's answer to a login.
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
function loginError(answer: number, place: Place): TargetError {
  const { where, database, username } = place;
  switch (answer) {
    case 1045:
      if (!place.encrypted && place.tlsOffered) return new RefusedWithoutTls(where);
      return refused(where, answer);
    case 1698:
      return refused(where, answer);
    case 3118:
    case 4151:
      return new LoginRefused(`${where}: the account is locked (${answer})`, true);
    case 1044:
      return new TargetError(
        'PermissionMissing',
        `${where}: the login works, but the user may not use the database (1044); ` +
          `GRANT a privilege ON \`${database}\`.* TO the accounts of "${username}"`,
      );
    case 1049:
      return new TargetError('DatabaseMissing', `${where}: there is no database "${database}" (1049)`);
    case 1040:
      return new TargetError('TargetBusy', `${where}: no connection is free (1040)`);
    // Looked at after the password.
    case 1203:
    case 1226:
      return new LoginWithoutSession(
        'TargetBusy',
        `${where}: no connection is free for this user (${answer})`,
      );
    case 1053:
    case 1152:
    case 1158:
    case 1159:
    case 1160:
    case 1161:
    case 1927:
      return new TargetError('TargetUnreachable', `${where}: ended by the server (${answer})`);
    // Offline mode, which Group Replication uses as well, and a node of Galera that is not in its cluster.
    case 1047:
    case 3032:
      return new TargetError('TargetUnreachable', `${where}: the server takes no logins now (${answer})`);
    case 3159:
      return new TargetError(
        'TargetRefused',
        `${where}: the server demands TLS (3159), and "ssl": false in the secret rules it out; remove that key`,
      );
    case 1129:
    case 1130:
      return new TargetError(
        'TargetRefused',
        `${where}: the server takes no connections from this address (${answer}); check the host part of the account`,
      );
    // Told to those alone who know the password.
    case 1820:
    case 1862:
      return new LoginHindered(
        `${where}: the password has expired (${answer}); an admin secret in "masterarn" can replace it`,
        true,
      );
    case 3955:
    case 4150:
      return new LoginHindered(
        `${where}: the server takes no password of this user for now, because too many wrong ones came before (${answer}); ` +
          'an admin secret in "masterarn" can unblock it',
      );
    default:
      return new TargetError('TargetRefused', `${where}: the server refused the connection (${answer})`);
  }
}

/**
 * Makes the error of a failed statement. The server's text is left out: it may quote the statement.
 *
 * @param doing what the statement was for, in words: `set the password of "app"`
 * @param missing what to grant when the permission is missing
 */
export function statementError(error: unknown, place: Place, doing: string, missing: string): TargetError {
  const { where } = place;
  const answer = serverError(error);
  if (answer === undefined) {
    const flood = floodOf(error, where);
    if (flood !== undefined) return flood;
    return textOf(error, 'code') === 'PROTOCOL_SEQUENCE_TIMEOUT'
      ? new TargetError('TargetTimeout', `${where}: no answer in time to: ${doing}`)
      : new TargetError('TargetUnreachable', `${where}: the connection was lost while trying to ${doing}`);
  }
  switch (answer) {
    case 1044:
    case 1045:
    case 1142:
    case 1143:
    case 1227:
    case 1370:
    case 1410:
    case 1698:
    case 1959:
    case 3530:
      return new TargetError('PermissionMissing', `${where}: may not ${doing} (${answer}); ${missing}`);
    case 1205:
    case 1317:
    case 1969:
    case 3024:
      return new TargetError('TargetTimeout', `${where}: took too long to ${doing} (${answer})`);
    case 1047:
    case 3032:
      return new TargetError(
        'TargetUnreachable',
        `${where}: the server does nothing for now: ${doing} (${answer})`,
      );
    case 1213:
    case 1614:
      return new TargetError(
        'TargetTimeout',
        `${where}: another session changed the same at once: ${doing} (${answer})`,
      );
    case 1290:
    case 1792:
    case 1836:
      return new TargetError(
        'TargetRefused',
        `${where}: an option of the server forbids to ${doing} (${answer}), mostly read_only, where an admin secret that names ` +
          'the primary helps',
      );
    case 1819:
      return new TargetError(
        'PolicyRefused',
        `${where}: the server's password policy forbids to ${doing} (1819); SHOW VARIABLES LIKE '%password%' says what it wants`,
      );
    case 1820:
      return new TargetError(
        'TargetRefused',
        `${where}: the password has expired (1820); an admin secret in "masterarn" can replace it`,
      );
    case 1053:
    case 1927:
      return new TargetError('TargetUnreachable', `${where}: ended by the server while trying to ${doing}`);
    default:
      return new TargetError('TargetRefused', `${where}: could not ${doing} (${answer})`);
  }
}
