import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { TargetError } from '../../core/errors.ts';
import { type LoginRefused, orRefused } from '../login.ts';
import type { TargetContext } from '../rotator.ts';
import { databaseAuthorities, trust } from '../tls/authorities.ts';
import type { Phase } from '../tls/failures.ts';
import { overTransport } from '../tls/transport.ts';
import { ConcurrentChange, connectError, type Place, serverError, statementError } from './errors.ts';
import { databaseOf, type PostgresSecret, portOf } from './schema.ts';

type Row = Record<string, unknown>;

/** What a statement is for; both end up in the error if it fails, so neither may hold a value of a secret. */
export interface Purpose {
  /** In words: `set the password of "app"`. */
  readonly doing: string;
  /** What to grant when the server answers that the permission is missing. */
  readonly missing?: string;
}

/** The driver reports what happened before the login only through its connection object. */
type Phases = {
  connection: { on(event: 'connect' | 'sslconnect', listener: () => void): void; stream: Stream };
};
type Stream = { once(event: 'secureConnect', listener: () => void): void; destroy(): void };

/** One connection to the server. */
export class Session {
  readonly place: Place;
  readonly #client: pg.Client;
  readonly #statementTimeoutMs: number;

  constructor(client: pg.Client, place: Place, statementTimeoutMs: number) {
    this.#client = client;
    this.place = place;
    this.#statementTimeoutMs = statementTimeoutMs;
  }

  /**
   * Runs one statement, with parameters if it takes any, and returns its rows.
   * @throws TargetError
   */
  async run<R extends Row = Row>(
    statement: string,
    purpose: Purpose,
    values?: readonly unknown[],
  ): Promise<R[]> {
    try {
      const result: pg.QueryResult<R> | pg.QueryResult<R>[] = await this.#client.query<R>(
        statement,
        values === undefined ? undefined : [...values],
      );
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    } catch (error) {
      throw this.#explain(error, purpose);
    }
  }

  /**
   * Runs a statement within the open transaction in such a way that its failure leaves the transaction usable.
   * @returns the SQLSTATE of the failure, if it failed
   */
  async attempt(statement: string, purpose: Purpose): Promise<string | undefined> {
    await this.run('SAVEPOINT attempt', purpose);
    try {
      await this.#client.query(statement);
    } catch (error) {
      const answer = serverError(error);
      if (answer === undefined) throw this.#explain(error, purpose);
      await this.run('ROLLBACK TO SAVEPOINT attempt', purpose);
      return answer.code;
    }
    await this.run('RELEASE SAVEPOINT attempt', purpose);
    return undefined;
  }

  /**
   * Runs `work` in a transaction in which nothing that the user, the role or the database has set can lead our
   * statements astray: names resolve in `pg_catalog` only, the user acts as itself even where
   * `ALTER ROLE … SET role` makes it another, defaults like `default_transaction_read_only` do not apply, and the
   * commit is durable. All of it ends with the transaction, so that a connection pooler hands nothing of it to others.
   * Runs it again when another session changed the same roles meanwhile.
   */
  async transaction<T>(work: (version: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await work(await this.#begin());
        await this.run('COMMIT', { doing: 'commit' });
        return result;
      } catch (error) {
        if (!(error instanceof ConcurrentChange) || attempt === 5) throw error;
        await this.run('ROLLBACK', { doing: 'roll back' });
        await sleep(attempt * (5 + Math.random() * 20));
      }
    }
  }

  async #begin(): Promise<number> {
    const limit = `'${Math.trunc(this.#statementTimeoutMs)}'`;
    const [row] = await this.run<{ version: number }>(
      `BEGIN READ WRITE;
       SET LOCAL ROLE NONE;
       SELECT pg_catalog.set_config('search_path', 'pg_catalog', true);
       SELECT set_config('statement_timeout', ${limit}, true), set_config('lock_timeout', ${limit}, true),
         set_config('synchronous_commit',
           CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
           true),
         current_setting('server_version_num')::int4 / 10000 AS version`,
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
    return version;
  }

  #explain(error: unknown, { doing, missing }: Purpose): TargetError {
    return statementError(
      error,
      this.place,
      doing,
      missing ?? 'ask the owner of the database for the permission',
    );
  }

  /** Closes the connection, politely if the server still listens, in any case within half a second. */
  async end(): Promise<void> {
    await close(this.#client);
  }
}

const socketOf = (client: pg.Client): Stream => (client as unknown as Phases).connection.stream;

async function close(client: pg.Client): Promise<void> {
  const force = setTimeout(() => socketOf(client).destroy(), 500);
  try {
    await client.end();
  } catch {
    // The connection is gone already.
  } finally {
    clearTimeout(force);
    socketOf(client).destroy();
  }
}

/**
 * Connects and logs in with a secret, over TLS with the server's certificate and name verified unless the secret says
 * `"ssl": false`.
 *
 * @param database connects there instead of to the secret's own database
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function open(
  secret: PostgresSecret,
  context: TargetContext,
  database: string = databaseOf(secret),
): Promise<Session> {
  return await overTransport({ ...secret, port: portOf(secret) }, context, (encrypted) =>
    connect(secret, context, database, encrypted),
  );
}

async function connect(
  secret: PostgresSecret,
  context: TargetContext,
  database: string,
  encrypted: boolean,
): Promise<Session> {
  const { host, username } = secret;
  const port = portOf(secret);
  const where = `user "${username}" at ${host}:${port}/${database}`;
  const place: Place = { where, encrypted, database, username, host };
  const secureContext = encrypted
    ? await trust(context.certificateAuthorities, where, databaseAuthorities)
    : undefined;
  const config: pg.ClientConfig & { scramMaxIterations: number } = {
    host,
    port,
    user: username,
    // A function, because the driver would look for a ~/.pgpass instead of an empty password.
    password: () => secret.password,
    database,
    ssl: secureContext === undefined ? false : { secureContext },
    application_name: 'rekey',
    connectionTimeoutMillis: context.connectTimeoutMs,
    query_timeout: context.statementTimeoutMs + 250,
    // High counts are a choice that an administrator may make; the time is bounded by the connect timeout.
    scramMaxIterations: 4_000_000,
  };
  const client = new pg.Client(config);
  // Without a listener, a connection that the server ends between two statements would end the process.
  client.on('error', () => {});
  let phase: Phase = 'connect';
  const { connection } = client as unknown as Phases;
  connection.on('connect', () => {
    phase = encrypted ? 'tls' : 'login';
  });
  connection.on('sslconnect', () => {
    connection.stream.once('secureConnect', () => {
      phase = 'login';
    });
  });
  try {
    await client.connect();
  } catch (error) {
    socketOf(client).destroy();
    throw connectError(error, place, phase, context.connectTimeoutMs);
  }
  return new Session(client, place, context.statementTimeoutMs);
}

/** Logs in, or returns why the server refused this credential; anything else that fails is thrown. */
export const tryOpen = (secret: PostgresSecret, context: TargetContext): Promise<Session | LoginRefused> =>
  orRefused(open(secret, context));
