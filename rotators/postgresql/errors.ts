import { TargetError } from '../../core/errors/rekey-error.ts';
import { floodOf } from '../transport/flood.ts';
import { LoginRefused, LoginWithoutSession } from '../transport/login.ts';
import { connectionFailure, NoTlsOffered, noAnswer, type Phase, textOf } from '../transport/tls/failures.ts';

/** The place in a connection where something went wrong, for messages. */
export interface Place {
  /** Name of the connection: `user "app" at db.example:5432/orders`. */
  readonly where: string;
  /** True if the connection is encrypted. */
  readonly encrypted: boolean;
  readonly database: string;
  readonly username: string;
  readonly host: string;
}

/** The fields of an error from the server that are free of the statement's text. */
export interface ServerError {
  readonly code: string;
  /** Name of the function in the server's source that raised it. It is the same in all languages, unlike the message. */
  readonly routine?: string;
  /** Words of a pooler. It names no function and translates nothing. */
  readonly pooler?: string;
}

/** Reads the server's own error answer. Its SQLSTATE and severity tell it from errors of the driver and the network. */
export function serverError(error: unknown): ServerError | undefined {
  const code = textOf(error, 'code');
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || textOf(error, 'severity') === undefined) {
    return undefined;
  }
  const routine = textOf(error, 'routine');
  return routine === undefined ? { code, pooler: textOf(error, 'message') ?? '' } : { code, routine };
}

/** Makes the error of a failed connection attempt. `meaning` knows the errors with which a server answers a login. */
export function connectError(
  error: unknown,
  place: Place,
  phase: Phase,
  timeoutMs: number,
  meaning: (answer: ServerError, place: Place) => TargetError,
): TargetError {
  const { where } = place;
  const answer = serverError(error);
  if (answer !== undefined) {
    return meaning(answer, place);
  }
  const flood = floodOf(error, where);
  if (flood !== undefined) return flood;
  const message = textOf(error, 'message') ?? '';
  if (message === 'timeout expired') return noAnswer(where, phase, timeoutMs);
  if (message === 'The server does not support SSL connections') return new NoTlsOffered(where);
  if (message.startsWith('SASL: SCRAM-SERVER-FINAL-MESSAGE')) {
    return new TargetError(
      'TargetRefused',
      `${where}: the server could not prove that it knows the password`,
    );
  }
  const code = textOf(error, 'code');
  if (message.startsWith('SASL: ') || code === 'AUTHENTICATION_UNSUPPORTED') {
    return new TargetError(
      'TargetRefused',
      `${where}: the server wants an authentication that is not supported`,
    );
  }
  return connectionFailure(where, phase, code);
}

/** The failure of a change because another session changed the same role at the same moment. It is to be tried again. */
export class ConcurrentChange extends TargetError {
  constructor(message: string) {
    super('TargetTimeout', message);
  }
}

/** The failure of a statement that the server cancelled. It took longer than the limit that was set for it. */
export class StatementCancelled extends TargetError {
  constructor(message: string) {
    super('TargetTimeout', message);
  }
}

/**
 * Makes the error for the server's answer to a login. Only 28P01, and 28000 raised while the role was looked up, say something
 * about the credential. 28000 is also what a server answers that has no rule for this client in `pg_hba.conf`.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function loginError(answer: ServerError, place: Place): TargetError {
  const { where } = place;
  switch (answer.code) {
    case '28P01':
      return new LoginRefused(`${where}: the server refused the password (28P01)`, false);
    case '28000':
      if (answer.routine === 'InitializeSessionUserId') {
        return new LoginRefused(`${where}: the role may not log in (28000)`, true);
      }
      // Of a password that the server keeps it says 28P01.
      if (answer.routine === 'auth_failed') {
        return new TargetError(
          'TargetRefused',
          `${where}: the server asks another authority than its own passwords about this user (28000): PAM, LDAP, GSSAPI, a ` +
            `certificate; on RDS, IAM, for members of rds_iam, which REVOKE rds_iam FROM "${place.username}" ends. ` +
            'Such a login has no password that could be rotated here',
        );
      }
      return new TargetError(
        'TargetRefused',
        `${where}: the server has no rule for this ${place.encrypted ? 'encrypted' : 'plaintext'} connection ` +
          '(28000); check pg_hba.conf or whether the server enforces TLS',
      );
    case '3D000':
      return new LoginWithoutSession(
        'DatabaseMissing',
        `${where}: there is no database "${place.database}" (3D000)`,
      );
    case '42501':
      return new LoginWithoutSession(
        'PermissionMissing',
        `${where}: the login works, but the user may not connect to the database (42501); ` +
          `GRANT CONNECT ON DATABASE "${place.database}" TO "${place.username}"`,
      );
    case '53300':
      // The limit of the role is looked at after its password; that of the server, before.
      return answer.routine === 'InitializeSessionUserId'
        ? new LoginWithoutSession(
            'TargetBusy',
            `${where}: the connection limit of the role is reached (53300)`,
          )
        : new TargetError('TargetBusy', `${where}: no connection is free (53300)`);
    case '57P01':
    case '57P02':
    case '57P03':
    case '57P05':
      return new TargetError(
        'TargetUnreachable',
        `${where}: the server is starting or stopping (${answer.code})`,
      );
    case '08P01':
      if (answer.pooler !== undefined) return poolerError(answer.pooler, where);
      return new TargetError('TargetRefused', `${where}: the server refused the connection (08P01)`);
    default:
      return new TargetError('TargetRefused', `${where}: the server refused the connection (${answer.code})`);
  }
}

/**
 * Makes the error for PgBouncer's answer to a login. It has one SQLSTATE for all of them, which PostgreSQL uses for none, and
 * words that it passes on from the server or has of its own.
 * @see https://github.com/pgbouncer/pgbouncer/blob/master/src/client.c
 */
function poolerError(words: string, where: string): TargetError {
  const proxy = `${where}: the pooler in front of the server`;
  // Of its own login, a while ago; what follows is the server's word on that one, and none on this credential.
  // https://www.pgbouncer.org/config.html#server_login_retry
  if (/login has been failing/.test(words)) {
    return new TargetError('TargetUnreachable', `${proxy} failed to log in itself a moment ago (08P01)`);
  }
  if (
    /SASL authentication failed|password authentication failed|no such user|auth(entication)? failed/.test(
      words,
    )
  ) {
    return new LoginRefused(`${proxy} refused the password, or knows no such user (08P01)`);
  }
  if (/is not permitted to log in/.test(words)) {
    return new LoginRefused(`${proxy} passes on that the role may not log in (08P01)`, true);
  }
  if (/no such database|database .* does not exist/.test(words)) {
    return new TargetError('DatabaseMissing', `${proxy} knows no such database (08P01)`);
  }
  if (/too many|no more connections|connection slots/.test(words)) {
    return new TargetError('TargetBusy', `${proxy} has no connection free (08P01)`);
  }
  if (/timeout|cannot connect|connect failed|starting up|shutting down/.test(words)) {
    return new TargetError('TargetUnreachable', `${proxy} has no connection to it (08P01)`);
  }
  return new TargetError('TargetRefused', `${proxy} refused the connection (08P01); its log says why`);
}

/**
 * Makes the error for a pooler that ends a connection after the login.
 * @see https://www.pgbouncer.org/config.html#query_wait_timeout
 */
const waitError = (words: string, where: string, doing: string): TargetError =>
  /query_wait_timeout/.test(words)
    ? new TargetError(
        'TargetBusy',
        `${where}: the pooler in front had no connection free to ${doing} (08P01)`,
      )
    : new TargetError(
        'TargetUnreachable',
        `${where}: ended by the pooler in front while trying to ${doing} (08P01)`,
      );

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
    const message = textOf(error, 'message') ?? '';
    return message === 'Query read timeout'
      ? new TargetError('TargetTimeout', `${where}: no answer in time to: ${doing}`)
      : new TargetError('TargetUnreachable', `${where}: the connection was lost while trying to ${doing}`);
  }
  switch (answer.code) {
    case '42501':
      return new TargetError('PermissionMissing', `${where}: may not ${doing} (42501); ${missing}`);
    case '57014':
      return new StatementCancelled(`${where}: took too long to ${doing} (57014)`);
    case '55P03':
      return new TargetError('TargetTimeout', `${where}: took too long to ${doing} (${answer.code})`);
    case 'XX000':
    case '40001':
    case '40P01':
    case '23505':
    case '42710':
      return new ConcurrentChange(
        `${where}: another session changed the same at once: ${doing} (${answer.code})`,
      );
    // What passwordcheck and credcheck answer. They see a SCRAM verifier, and may refuse that it is one.
    case '22023':
    case '28000':
      return new TargetError(
        'PolicyRefused',
        `${where}: a rule of the server forbids to ${doing} (${answer.code}); look at shared_preload_libraries for passwordcheck or credcheck, which must accept passwords that come as SCRAM verifiers`,
      );
    case '25006':
    case '0A000':
      return new TargetError(
        'TargetRefused',
        `${where}: cannot ${doing} on a read-only server, such as a standby (${answer.code}); name the primary in the secret, or an admin secret that names it`,
      );
    case '25P03':
    case '25P04':
      return new TargetError(
        'TargetTimeout',
        `${where}: the server ended the connection because of a limit of time that the user brings (${answer.code}): ${doing}`,
      );
    case '57P01':
    case '57P02':
    case '57P03':
    case '57P05':
      return new TargetError('TargetUnreachable', `${where}: ended by the server while trying to ${doing}`);
    case '08P01':
      // The login was the pooler's own; its first statement waits for a connection to the server.
      if (answer.pooler !== undefined) return waitError(answer.pooler, where, doing);
      return new TargetError('TargetRefused', `${where}: could not ${doing} (08P01)`);
    default:
      return new TargetError('TargetRefused', `${where}: could not ${doing} (${answer.code})`);
  }
}
