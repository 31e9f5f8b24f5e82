import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { AnswerLength, floodError, mostBytes, readBy } from '../transport/flood.ts';
import { trust } from '../transport/tls/authorities.ts';
import type { Phase } from '../transport/tls/failures.ts';
import { overTransport } from '../transport/tls/transport.ts';
import {
  ConcurrentChange,
  connectError,
  type Place,
  type ServerError,
  StatementCancelled,
  statementError,
} from './errors.ts';

type Row = Record<string, unknown>;

/** The purpose of a statement. Both parts end up in the error if it fails, so neither may hold a value of a secret. */
export interface Purpose {
  /** Words for the deed: `set the password of "app"`. */
  readonly doing: string;
  /** Grant that is due when the server answers that the permission is missing. */
  readonly missing?: string;
}

/** The members of the driver's connection object that its types do not show. */
export interface DriverConnection {
  on(
    event: 'connect' | 'sslconnect' | 'authenticationMD5Password' | 'authenticationSASL',
    listener: () => void,
  ): void;
  stream: DriverStream;
  /** Reads what the server says from now on. */
  attachListeners(stream: Pick<DriverStream, 'on'>): void;
}
export interface DriverStream {
  on(event: 'data', listener: (data: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  once(event: 'secureConnect', listener: () => void): void;
  write(data: Buffer): void;
  destroy(error?: Error): void;
}

/** The differences between servers that speak the protocol of PostgreSQL. */
export interface Dialect {
  /** Authorities that are trusted where the configuration names none. */
  readonly authorities: () => Promise<readonly string[]>;
  /** Makes the error for an error with which the server answers a login. */
  readonly loginError: (answer: ServerError, place: Place) => TargetError;
  /** Adds what the driver cannot do, before it connects. */
  readonly adapt?: (connection: DriverConnection) => void;
}

/** The place to log in at, and the user. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly ssl?: unknown;
}

/** A connection that is logged in. */
export interface Opened {
  readonly client: pg.Client;
  readonly place: Place;
  readonly statementTimeoutMs: number;
  /** Form in which the server keeps the password, by what it asked for. Undefined where that tells nothing. */
  readonly kept: PasswordForm | undefined;
  readonly answer: AnswerLength;
}
export type PasswordForm = 'scram' | 'md5';

/** The facts that logins have shown of a user, those included that were refused. */
export interface ServerForm {
  /** Form in which the server keeps the password, by what it asked for. */
  form?: PasswordForm;
}

/** Ends a connection whose server sends on and on. */
function boundAnswers(connection: DriverConnection): AnswerLength {
  const answer = new AnswerLength(mostBytes.postgresql);
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    attach({
      on(event: 'data' | 'end', listener: ((data: Buffer) => void) & (() => void)) {
        if (event === 'end') return stream.on('end', listener);
        const read = readBy(listener, connection.stream);
        return stream.on('data', (data) => {
          if (answer.exceeds(data)) connection.stream.destroy(floodError(mostBytes.postgresql));
          else read(data);
        });
      },
    });
  };
  return answer;
}

/** A connection with what can be done in any dialect. */
export class Wire {
  readonly place: Place;
  readonly statementTimeoutMs: number;
  readonly kept: PasswordForm | undefined;
  protected readonly client: pg.Client;
  readonly #answer: AnswerLength;

  constructor({ client, place, statementTimeoutMs, kept, answer }: Opened) {
    this.#answer = answer;
    this.kept = kept;
    this.client = client;
    this.place = place;
    this.statementTimeoutMs = statementTimeoutMs;
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
    this.#answer.restart();
    try {
      const result: pg.QueryResult<R> | pg.QueryResult<R>[] = await this.client.query<R>(
        statement,
        values === undefined ? undefined : [...values],
      );
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    } catch (error) {
      throw this.explain(error, purpose);
    }
  }

  /** Asks for one row, which shows that the login also works. */
  async answer(): Promise<void> {
    await this.despiteOwnLimit(() => this.run('SELECT 1', { doing: 'SELECT 1' }));
  }

  /**
   * Runs what comes before our limit of time is set at the server. It runs again while the limit that the user brings cancels it.
   * `ALTER ROLE … SET statement_timeout` may be too short for anything on a server that is busy. It ends when our own limit is
   * over.
   */
  protected async despiteOwnLimit<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.statementTimeoutMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StatementCancelled) || performance.now() > deadline) throw error;
      }
      try {
        // A transaction that was begun is of no more use.
        await this.run('ROLLBACK', { doing: 'roll back' });
      } catch (error) {
        if (!(error instanceof StatementCancelled)) throw error;
      }
    }
  }

  /** Runs `work` between `begin` and COMMIT. It runs again, up to five times, when another session changed the same meanwhile. */
  protected async inTransaction<B, T>(begin: () => Promise<B>, work: (begun: B) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await work(await this.despiteOwnLimit(begin));
        await this.run('COMMIT', { doing: 'commit' });
        return result;
      } catch (error) {
        if (!(error instanceof ConcurrentChange) || attempt === 5) throw error;
        await this.run('ROLLBACK', { doing: 'roll back' });
        await sleep(attempt * (5 + Math.random() * 20));
      }
    }
  }

  protected explain(error: unknown, { doing, missing }: Purpose): TargetError {
    return statementError(
      error,
      this.place,
      doing,
      missing ?? 'ask the owner of the database for the permission',
    );
  }

  /** Closes the connection, politely if the server still listens, in any case within half a second. */
  async end(): Promise<void> {
    const { stream } = connectionOf(this.client);
    const force = setTimeout(() => stream.destroy(), 500);
    try {
      await this.client.end();
    } catch {
      // The connection is gone already.
    } finally {
      clearTimeout(force);
      stream.destroy();
    }
  }
}

/** Gives the driver's connection object. Only that reports what happened before the login. */
const connectionOf = (client: pg.Client): DriverConnection =>
  (client as unknown as { connection: DriverConnection }).connection;

/**
 * Connects and logs in, over TLS with the server's certificate and name verified unless the secret says `"ssl": false`.
 * @param heard - takes note of how the server keeps the user's password, refused or not
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function logIn(
  login: Login,
  context: TargetContext,
  dialect: Dialect,
  heard: ServerForm = {},
): Promise<Opened> {
  return await overTransport(login, context, (encrypted) =>
    connect(login, context, dialect, heard, encrypted),
  );
}

async function connect(
  { host, port, database, username, password }: Login,
  context: TargetContext,
  dialect: Dialect,
  heard: ServerForm,
  encrypted: boolean,
): Promise<Opened> {
  const where = `user "${username}" at ${host}:${port}/${database}`;
  const place: Place = { where, encrypted, database, username, host };
  const secureContext = encrypted
    ? await trust(context.certificateAuthorities, where, dialect.authorities)
    : undefined;
  const config: pg.ClientConfig & { scramMaxIterations: number } = {
    host,
    port,
    user: username,
    // A function, because the driver would look for a ~/.pgpass instead of an empty password.
    password: () => password,
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
  const connection = connectionOf(client);
  connection.on('connect', () => {
    phase = encrypted ? 'tls' : 'login';
  });
  connection.on('sslconnect', () => {
    connection.stream.once('secureConnect', () => {
      phase = 'login';
    });
  });
  let kept: PasswordForm | undefined;
  const note = (form: PasswordForm): void => {
    kept = form;
    heard.form = form;
  };
  connection.on('authenticationMD5Password', () => note('md5'));
  connection.on('authenticationSASL', () => note('scram'));
  dialect.adapt?.(connection);
  const answer = boundAnswers(connection);
  try {
    await client.connect();
  } catch (error) {
    connection.stream.destroy();
    throw connectError(error, place, phase, context.connectTimeoutMs, dialect.loginError);
  }
  return { client, place, statementTimeoutMs: context.statementTimeoutMs, kept, answer };
}
