import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { type LoginHindered, type LoginRefused, orDenied } from '../transport/login.ts';
import { databaseAuthorities } from '../transport/tls/authorities.ts';
import { loginError, serverError } from './errors.ts';
import { databaseOf, type PostgresSecret, portOf } from './schema.ts';
import { defaultIterations } from './scram.ts';
import { type Dialect, logIn, type PasswordForm, type Purpose, type ServerForm, Wire } from './wire.ts';

const dialect: Dialect = { authorities: databaseAuthorities, loginError };

/** A connection to the server. */
export class Session extends Wire {
  /**
   * Runs a statement within the open transaction so that its failure leaves the transaction usable.
   * @returns the SQLSTATE of the failure, if it failed
   */
  async attempt(statement: string, purpose: Purpose): Promise<string | undefined> {
    await this.run('SAVEPOINT attempt', purpose);
    try {
      await this.client.query(statement);
    } catch (error) {
      const answer = serverError(error);
      if (answer === undefined) throw this.explain(error, purpose);
      await this.run('ROLLBACK TO SAVEPOINT attempt', purpose);
      return answer.code;
    }
    await this.run('RELEASE SAVEPOINT attempt', purpose);
    return undefined;
  }

  /**
   * Runs `work` in a transaction that settings of the user, the role or the database cannot lead astray. Names resolve in
   * `pg_catalog` only. The user acts as itself even where `ALTER ROLE … SET role` makes it another. Defaults like
   * `default_transaction_read_only` do not apply, and the commit is durable. All of it ends with the transaction, so that a
   * connection pooler hands nothing of it to others. It runs again when another session changed the same roles meanwhile.
   * @param access - READ ONLY is all that a standby takes
   */
  async transaction<T>(
    work: (version: number) => Promise<T>,
    access: 'READ WRITE' | 'READ ONLY' = 'READ WRITE',
  ): Promise<T> {
    return await this.inTransaction(() => this.#begin(access), work);
  }

  /** Form in which the server keeps passwords that it gets as text; known once a transaction has begun. */
  get encryption(): PasswordForm {
    return this.#encryption;
  }
  #encryption: PasswordForm = 'scram';

  /** Number of times that SCRAM derives a password that the server gets as text. It is known once a transaction has begun. */
  get iterations(): number {
    return this.#iterations;
  }
  #iterations = defaultIterations;

  async #begin(access: string): Promise<number> {
    const limit = `'${Math.trunc(this.statementTimeoutMs)}'`;
    const [row] = await this.run<{ version: number; encryption: string; iterations: number }>(
      `BEGIN ${access};
       SELECT CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NULL THEN NULL
         ELSE pg_catalog.set_config('transaction_timeout', '0', true) END;
       SET LOCAL ROLE NONE;
       SELECT pg_catalog.set_config('search_path', 'pg_catalog', true);
       SELECT set_config('statement_timeout', ${limit}, true), set_config('lock_timeout', ${limit}, true),
         set_config('idle_in_transaction_session_timeout', ${limit}, true),
         set_config('synchronous_commit',
           CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
           true),
         current_setting('server_version_num')::int4 / 10000 AS version,
         coalesce(current_setting('scram_iterations', true), '${defaultIterations}')::int4 AS iterations,
         current_setting('password_encryption') AS encryption`,
      { doing: 'start a transaction' },
    );
    const version = row?.version ?? 0;
    if (version < 10) {
      // An older server would take a SCRAM verifier for the password itself.
      throw new TargetError(
        'TargetRefused',
        `${this.place.where}: the server is older than PostgreSQL 10 and knows no SCRAM-SHA-256; upgrade it`,
      );
    }
    this.#encryption = ['md5', 'on'].includes(row?.encryption ?? '') ? 'md5' : 'scram';
    this.#iterations = Math.max(row?.iterations ?? 0, defaultIterations);
    return version;
  }
}

/**
 * Connects and logs in with a secret. It uses TLS with the server's certificate and name verified unless the secret says
 * `"ssl": false`.
 *
 * @param database connects there instead of to the secret's own database
 * @param heard - takes note of how the server keeps the user's password
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function open(
  secret: PostgresSecret,
  context: TargetContext,
  database: string = databaseOf(secret),
  heard: ServerForm = {},
): Promise<Session> {
  return new Session(await logIn({ ...secret, port: portOf(secret), database }, context, dialect, heard));
}

/** Logs in, or returns why the server kept this credential out. Any other failure is thrown. */
export const tryOpen = (
  secret: PostgresSecret,
  context: TargetContext,
  heard?: ServerForm,
): Promise<Session | LoginRefused | LoginHindered> =>
  orDenied(open(secret, context, databaseOf(secret), heard));
