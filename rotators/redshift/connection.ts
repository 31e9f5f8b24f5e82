import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import {
  type Place,
  loginError as postgresLoginError,
  type ServerError,
  serverError,
} from '../postgresql/errors.ts';
import { logIn, type Opened, type Purpose, Wire } from '../postgresql/wire.ts';
import { type LoginHindered, LoginRefused, orDenied } from '../transport/login.ts';
import { publicAuthorities } from '../transport/tls/authorities.ts';
import { answerDigest } from './digest.ts';
import type { ServerForm } from './password.ts';
import { databaseOf, portOf, type RedshiftSecret } from './schema.ts';

/** A connection to the cluster. */
export class Session extends Wire {
  /** Time at which the login was done, by this function's clock, in milliseconds since 1970. */
  readonly openedAt = Date.now();

  /**
   * Runs `work` in a transaction with the usual limit of time. It runs again when another session changed the same meanwhile.
   * Redshift has no savepoints: a statement that fails takes the transaction with it.
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    return await this.inTransaction(async () => {
      await this.run('BEGIN READ WRITE', { doing: 'start a transaction' });
      await this.run(`SET LOCAL statement_timeout TO ${Math.trunc(this.statementTimeoutMs)}`, {
        doing: 'limit the time of statements',
      });
    }, work);
  }

  protected override explain(error: unknown, purpose: Purpose): TargetError {
    // Elsewhere the sign of a read-only server; here of a feature that Redshift lacks.
    return serverError(error)?.code === '0A000'
      ? new TargetError(
          'TargetRefused',
          `${this.place.where}: the cluster does not support what it takes to ${purpose.doing} (0A000)`,
        )
      : super.explain(error, purpose);
  }
}

/**
 * Makes the error for the server's answer to a login. Redshift descends from PostgreSQL 8.0, which had no code of its own for a
 * refused password. It says 28000, as it does where it takes no connection like this one. Only the name of the function that
 * raised it tells the two apart.
 */
function loginError(answer: ServerError, place: Place): TargetError {
  const { where } = place;
  if (answer.code !== '28000') return postgresLoginError(answer, place);
  return answer.routine === 'auth_failed'
    ? new LoginRefused(`${where}: the server refused the password, or the user has none (28000)`)
    : new TargetError(
        'TargetRefused',
        `${where}: the cluster takes no such connection (28000); check whether it demands TLS (require_ssl) or IAM ` +
          'credentials from this user',
      );
}

/**
 * Connects and logs in with a secret. It uses TLS with the server's certificate and name verified unless the secret says
 * `"ssl": false`.
 *
 * @param heard - takes note of how the server keeps the user's password
 * @param database - connects there instead of to the secret's own database
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function open(
  secret: RedshiftSecret,
  context: TargetContext,
  heard: ServerForm = {},
  database: string = databaseOf(secret),
): Promise<Session> {
  const opened: Opened = await logIn({ ...secret, port: portOf(secret), database }, context, {
    authorities: publicAuthorities,
    loginError,
    adapt: (connection) => answerDigest(connection, secret.password, heard),
  });
  return new Session(opened);
}

/** Logs in, or returns why the server kept this credential out. Any other failure is thrown. */
export const tryOpen = (
  secret: RedshiftSecret,
  context: TargetContext,
  heard?: ServerForm,
): Promise<Session | LoginRefused | LoginHindered> => orDenied(open(secret, context, heard));
