import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext } from 'node:tls';
import mysql from 'mysql2';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { AnswerLength, floodError, malformedError, mostBytes } from '../transport/flood.ts';
import { LoginDenied, LoginHindered, LoginRefused, orDenied } from '../transport/login.ts';
import { databaseAuthorities, trust } from '../transport/tls/authorities.ts';
import { noAnswer, type Phase } from '../transport/tls/failures.ts';
import { overTransport } from '../transport/tls/transport.ts';
import { connectError, type Place, RefusedWithoutTls, serverError, statementError } from './errors.ts';
import { databaseOf, type MysqlSecret, portOf } from './schema.ts';

export type Row = Record<string, unknown>;

/** The purpose of a statement. Both parts end up in the error if it fails, so neither may hold a value of a secret. */
export interface Purpose {
  /** Words for the deed: `set the password of "app"`. */
  readonly doing: string;
  /** Grant that is due when the server answers that the permission is missing. */
  readonly missing?: string;
}

/** The product and version of a server. */
export interface Server {
  readonly mariadb: boolean;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The members of the driver's connection object that its types do not show. */
interface Internals {
  stream: Socket;
  readonly serverCapabilityFlags: number;
  readonly packetParser: { execute(data: Buffer): void };
  handlePacket: (packet: unknown) => void;
  on(event: 'warn', listener: () => void): void;
  startTLS(onSecure: (error?: Error) => void): void;
  _handleNetworkError(error: Error): void;
}
const internals = (connection: mysql.Connection): Internals => connection as unknown as Internals;

/** A connection to the server. */
export class Session {
  readonly place: Place;
  readonly #connection: mysql.Connection;
  readonly #timeout: number;
  readonly #answer: AnswerLength;

  constructor(connection: mysql.Connection, place: Place, statementTimeoutMs: number, answer: AnswerLength) {
    this.#connection = connection;
    this.#answer = answer;
    this.place = place;
    this.#timeout = statementTimeoutMs;
  }

  /**
   * Runs one statement and returns its rows. With values it runs as a prepared statement.
   * @throws TargetError
   */
  async run<R extends Row = Row>(
    statement: string,
    purpose: Purpose,
    values?: readonly (string | number)[],
  ): Promise<R[]> {
    try {
      return await this.#send<R>(statement, values);
    } catch (error) {
      throw this.#explain(error, purpose);
    }
  }

  /**
   * Runs a statement that may fail.
   * @returns the number of the server's error, if it answered with one of `expected`
   */
  async attempt(
    statement: string,
    purpose: Purpose,
    expected: readonly number[],
  ): Promise<number | undefined> {
    try {
      await this.#send(statement);
      return undefined;
    } catch (error) {
      const answer = serverError(error);
      if (answer === undefined || !expected.includes(answer)) throw this.#explain(error, purpose);
      return answer;
    }
  }

  /**
   * Makes sure that settings of the server or the user do not lead our statements astray. Text is quoted with backslashes and
   * single quotes, names with backticks, and waiting for locks has an end.
   */
  async prepare(): Promise<Server> {
    const seconds = Math.max(1, Math.ceil(this.#timeout / 1000));
    await this.run(
      `SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION autocommit = 1, SESSION lock_wait_timeout = ${seconds}`,
      { doing: 'prepare the session' },
    );
    const [row] = await this.run<{ version: string }>('SELECT VERSION() AS version', {
      doing: 'ask for the version',
    });
    const server = parseVersion(row?.version ?? '');
    const old = server.mariadb
      ? server.major < 10 || (server.major === 10 && server.minor < 4)
      : server.major < 5 || (server.major === 5 && server.minor < 7);
    if (old) {
      throw new TargetError(
        'TargetRefused',
        `${this.place.where}: the server is older than MySQL 5.7 and MariaDB 10.4 and cannot lock accounts; upgrade it`,
      );
    }
    return server;
  }

  #send<R extends Row = Row>(sql: string, values?: readonly (string | number)[]): Promise<R[]> {
    this.#answer.restart();
    return new Promise((resolve, reject) => {
      const done = (error: unknown, rows: unknown): void => {
        if (error) reject(error);
        else resolve(Array.isArray(rows) ? rows : []);
      };
      if (values === undefined) this.#connection.query({ sql, timeout: this.#timeout }, done);
      else this.#connection.execute({ sql, values: [...values], timeout: this.#timeout }, done);
    });
  }

  #explain(error: unknown, { doing, missing }: Purpose): TargetError {
    return statementError(
      error,
      this.place,
      doing,
      missing ?? 'see the permissions in docs/secret-types/mysql.md',
    );
  }

  /** Closes the connection, politely if the server still listens, in any case within half a second. */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      const force = setTimeout(resolve, 500);
      this.#connection.end(() => {
        clearTimeout(force);
        resolve();
      });
    });
    this.#connection.destroy();
  }
}

/** Tells whether the server keeps a second password for a user: MySQL since 8.0.14, MariaDB never. */
export function keepsTwoPasswords({ mariadb, major, minor, patch }: Server): boolean {
  return !mariadb && (major > 8 || (major === 8 && (minor > 0 || patch >= 14)));
}

/** Reads `10.11.6-MariaDB-log`, `8.0.36`, and MariaDB's `5.5.5-10.4.1-MariaDB` of old handshakes. */
export function parseVersion(version: string): Server {
  const [, major = '0', minor = '0', patch = '0'] =
    /^(?:5\.5\.5-)?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return {
    mariadb: /mariadb/i.test(version),
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
  };
}

/**
 * Connects and logs in with a secret. It uses TLS with the server's certificate and name verified unless the secret says
 * `"ssl": false`.
 *
 * @param database connects to that one instead of to the secret's own; `undefined`: to the server alone
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function open(
  secret: MysqlSecret,
  context: TargetContext,
  database: string | undefined = databaseOf(secret),
): Promise<Session> {
  return await connectTo(secret, context, database);
}

/** Connects as {@link open} does, to the server alone: accounts belong to no database. */
export async function openServer(secret: MysqlSecret, context: TargetContext): Promise<Session> {
  return await connectTo(secret, context, undefined);
}

async function connectTo(
  secret: MysqlSecret,
  context: TargetContext,
  database: string | undefined,
  doubts: 'resolved' | 'left' = 'resolved',
): Promise<Session> {
  return await overTransport({ ...secret, port: portOf(secret) }, context, async (encrypted) => {
    try {
      return await connect(secret, context, database, encrypted ? 'verified' : 'none');
    } catch (error) {
      if (!(error instanceof RefusedWithoutTls) || doubts === 'left') throw error;
      throw await overTls(error, secret, context, database);
    }
  });
}

/**
 * Finds out by a login over TLS whether it was the password that the server refused without. The certificate stays unverified: a
 * secret that says `"ssl": false` trusts its network, and without TLS the driver tells the network as much.
 * @returns what to throw
 */
async function overTls(
  refusal: RefusedWithoutTls,
  secret: MysqlSecret,
  context: TargetContext,
  database: string | undefined,
): Promise<TargetError> {
  const where = `user "${secret.username}" at ${secret.host}:${portOf(secret)}`;
  try {
    const session = await connect(secret, context, database, 'unverified');
    await session.end();
  } catch (error) {
    if (error instanceof LoginRefused && !error.passwordAccepted) return refusal;
    const isAnswer = error instanceof LoginDenied || !isOfTransport(error);
    if (error instanceof TargetError && isAnswer) return error;
    return new LoginHindered(
      `${where}: the server refused a login without TLS (1045), and over TLS none could be made that shows whether the password is right`,
    );
  }
  return new LoginHindered(
    `${where}: the server lets the user in over TLS alone (1045 without), which "ssl": false in the secret rules out; remove that key`,
    true,
  );
}

const isOfTransport = (error: unknown): boolean =>
  error instanceof TargetError && (error.code === 'TlsRefused' || error.code === 'TargetUnreachable');

async function connect(
  secret: MysqlSecret,
  context: TargetContext,
  database: string | undefined,
  tls: 'none' | 'unverified' | 'verified',
): Promise<Session> {
  const encrypted = tls !== 'none';
  const { host, username, password } = secret;
  const port = portOf(secret);
  const where = `user "${username}" at ${host}:${port}${database === undefined ? '' : `/${database}`}`;
  const place: Place = { where, encrypted, database, username, host };
  const trusted = encrypted
    ? await trust(context.certificateAuthorities, where, databaseAuthorities)
    : undefined;
  const connection = mysql.createConnection({
    host,
    port,
    user: username,
    password,
    ...(database !== undefined && { database }),
    // Says that TLS is wanted; what it is like is up to `secure`, below.
    ...(encrypted && { ssl: {} }),
    charset: 'utf8mb4_bin',
    connectTimeout: 0,
    supportBigNumbers: true,
    enableKeepAlive: false,
    connectAttributes: { program_name: 'rekey' },
  });
  const progress: { phase: Phase; fault?: unknown } = { phase: 'connect' };
  internals(connection).stream.once('connect', () => {
    progress.phase = encrypted ? 'tls' : 'login';
  });
  const answer = new AnswerLength(mostBytes.mysql);
  boundAnswers(connection, internals(connection).stream, answer);
  boundWarnings(connection);
  if (trusted !== undefined) secure(connection, host, tls === 'verified', trusted, progress, answer);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(
        () => reject(noAnswer(where, progress.phase, context.connectTimeoutMs)),
        context.connectTimeoutMs,
      );
      connection.once('connect', () => resolve());
      // Stays: a connection that the server ends between two statements would otherwise end the process.
      connection.on('error', reject);
    });
  } catch (error) {
    connection.destroy();
    if (error instanceof TargetError) throw error;
    const tlsOffered = (internals(connection).serverCapabilityFlags & capableOfTls) !== 0;
    throw connectError(progress.fault ?? error, { ...place, tlsOffered }, progress.phase);
  } finally {
    clearTimeout(timer);
  }
  return new Session(connection, place, context.statementTimeoutMs, answer);
}

/**
 * Bit of a server that can do TLS.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
 */
const capableOfTls = 0x0800;

/** Packets with a wrong number that a session takes; some proxies number them so. */
const mostMisnumbered = 1_000;

/** Ends a connection whose server numbers its packets wrong on and on. The driver writes a line about each, which fills logs. */
function boundWarnings(connection: mysql.Connection): void {
  const driver = internals(connection);
  let misnumbered = 0;
  driver.on('warn', () => {
    misnumbered += 1;
    if (misnumbered < mostMisnumbered) return;
    // What lies in the buffer is read on, and written about, even of a stream that is gone.
    driver.handlePacket = () => undefined;
    driver.stream.destroy();
    driver._handleNetworkError(malformedError());
  });
}

/** Ends a connection whose server sends on and on. It is to be called before the driver listens to the stream. */
function boundAnswers(connection: mysql.Connection, stream: Socket, answer: AnswerLength): void {
  stream.prependListener('data', (data: Buffer) => {
    if (!answer.exceeds(data)) return;
    stream.destroy();
    internals(connection)._handleNetworkError(floodError(mostBytes.mysql));
  });
}

/**
 * Does the driver's switch to TLS in its place. The driver would read all authorities anew. It would also compare the certificate
 * of a server that is addressed by IP with the name `localhost`.
 */
function secure(
  connection: mysql.Connection,
  host: string,
  verified: boolean,
  secureContext: SecureContext,
  progress: { phase: Phase; fault?: unknown },
  answer: AnswerLength,
): void {
  const driver = internals(connection);
  driver.startTLS = (onSecure) => {
    driver.stream.removeAllListeners('data');
    const socket = connectTls({
      socket: driver.stream,
      secureContext,
      rejectUnauthorized: verified,
      ...(isIP(host) === 0 && { servername: host }),
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    });
    socket.once('secureConnect', () => {
      progress.phase = 'login';
      onSecure();
    });
    socket.on('error', (error) => {
      // The driver gives errors of the handshake a code of its own.
      progress.fault ??=
        progress.phase === 'tls' ? { ...error, code: Reflect.get(error, 'code') } : undefined;
      if (progress.phase === 'tls') onSecure(error);
      else driver._handleNetworkError(error);
    });
    socket.on('close', () =>
      driver._handleNetworkError(Object.assign(new Error('closed'), { code: 'ECONNRESET' })),
    );
    socket.on('data', (data) => driver.packetParser.execute(data));
    boundAnswers(connection, socket, answer);
    driver.stream = socket;
  };
}

/**
 * Logs in, or returns why the server kept this credential out. Any other failure is thrown.
 * @param doubts - `left` makes no second login where a first one without TLS was refused
 */
export const tryOpen = (
  secret: MysqlSecret,
  context: TargetContext,
  doubts: 'resolved' | 'left' = 'resolved',
): Promise<Session | LoginRefused | LoginHindered> =>
  orDenied(connectTo(secret, context, databaseOf(secret), doubts));
