import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import pg from 'pg';
import { type CertificateChoice, createAuthority, issueChosen } from '../../local/servers/certificates.ts';
import { freePort } from '../../local/servers/free-port.ts';
import { startPostgres } from '../../local/servers/postgres.ts';
import { redshiftViews } from './redshift-views.ts';

/**
 * PostgreSQL in the place of Redshift, of which no server exists outside of AWS. In front of it stands a gate of ours,
 * which does what Redshift's documentation and the source of AWS's drivers say: logins by MD5 or by SHA-256 (code 13), a
 * refused one with 28000, statements of Redshift put into PostgreSQL's words, others of PostgreSQL refused. It shows that
 * Rekey's logic holds together; that Redshift itself takes these statements it does not show.
 */
export interface StandIn {
  readonly host: 'localhost';
  readonly port: number;
  readonly caPem: string;
  readonly logFile: string;
  readonly version: string;
  /** Every statement that came through the gate, as it came. */
  readonly statements: string[];
  /** Runs statements as the superuser, past the gate and unlogged: in PostgreSQL's words. */
  superuser(statements: string | readonly string[]): Promise<Record<string, unknown>[]>;
  start(): Promise<void>;
  stop(): Promise<void>;
  pause(): void;
  resume(): void;
  useCertificate(choice: CertificateChoice): Promise<void>;
  useTls(on: boolean): Promise<void>;
  remove(): Promise<void>;
}

const database = 'shop';
const text = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
const nameOf = (identifier: string) => text(identifier.slice(1, -1).replaceAll('""', '"'));
const user = '("(?:[^"]|"")*")';

/** Redshift's statements in PostgreSQL's words. */
const translations: readonly [RegExp, (...found: string[]) => string][] = [
  [
    new RegExp(`^ALTER USER ${user} PASSWORD '(sha256\\|[^']*)'$`),
    (_, who = '', kept = '') => `SELECT standin.keep(${nameOf(who)}, '${kept}')`,
  ],
  [
    new RegExp(`^(ALTER USER ${user} PASSWORD 'md5[0-9a-f]{32}')$`),
    (_, all = '', who = '') => `${all}; SELECT standin.keep(${nameOf(who)}, NULL)`,
  ],
  [
    new RegExp(`^(ALTER USER ${user} PASSWORD) DISABLE$`),
    (_, all = '', who = '') => `${all} NULL; SELECT standin.keep(${nameOf(who)}, NULL)`,
  ],
  [/^(CREATE USER .* PASSWORD) DISABLE$/, (_, all = '') => `${all} NULL`],
  [
    new RegExp(`^ALTER USER ${user} SYSLOG ACCESS (\\w+)$`),
    (_, who = '', access = '') => `SELECT standin.syslog(${nameOf(who)}, '${access}')`,
  ],
  [
    new RegExp(`^ALTER USER ${user} SESSION TIMEOUT (\\d+)$`),
    (_, who = '', seconds = '') => `SELECT standin.timeout(${nameOf(who)}, ${seconds})`,
  ],
  [
    new RegExp(`^ALTER USER ${user} RESET SESSION TIMEOUT$`),
    (_, who = '') => `SELECT standin.timeout(${nameOf(who)}, 0)`,
  ],
  [/^(ALTER USER .* CONNECTION LIMIT) UNLIMITED$/, (_, all = '') => `${all} -1`],
  [/^(GRANT|REVOKE) ROLE /, (_, verb = '') => `${verb} `],
  [/pg_catalog\.pg_group/g, () => 'standin.pg_group'],
  [/\b(NO)?CREATEUSER\b/g, (_, no) => `${no ?? ''}SUPERUSER`],
];
/** What PostgreSQL has and Redshift has not, or not by that name. */
const foreign =
  /\b(?:SAVEPOINT|(?:CREATE|ALTER) ROLE|REASSIGN|pg_has_role|to_regclass|unnest)\b|OPERATOR\(|ARRAY\[|\bE'|\$\d|NOLOGIN/;

/** A statement in PostgreSQL's words; undefined when Redshift would not take it. */
export function translate(statement: string): string | undefined {
  const bare = statement.replaceAll(/'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"/g, (quoted) =>
    quoted[0] === '"' ? '""' : "''",
  );
  if (foreign.test(bare)) return undefined;
  return translations.reduce((translated, [pattern, into]) => translated.replace(pattern, into), statement);
}

const message = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const head = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const refusal = (code: string, routine: string) =>
  message('E', Buffer.from(`SFATAL\0C${code}\0Mrefused\0R${routine}\0\0`));
const hash = (algorithm: string, ...parts: (string | Buffer)[]) =>
  parts.reduce((sum, part) => sum.update(part), createHash(algorithm)).digest();

/** Reads whole messages. The first, and the one before TLS, have no type before their length. */
class Reader {
  readonly #socket: Socket;
  #unread = Buffer.alloc(0);
  #arrived = () => {};
  readonly #take = (data: Buffer) => {
    this.#unread = Buffer.concat([this.#unread, data]);
    this.#arrived();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#take);
    socket.once('close', () => this.#arrived());
  }

  /** @returns undefined when the connection has ended */
  async read(typed = true): Promise<Buffer | undefined> {
    const at = typed ? 1 : 0;
    for (;;) {
      const length =
        this.#unread.length < at + 4 ? Number.POSITIVE_INFINITY : this.#unread.readInt32BE(at) + at;
      if (this.#unread.length >= length) {
        const whole = this.#unread.subarray(0, length);
        this.#unread = this.#unread.subarray(length);
        return whole;
      }
      if (this.#socket.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** Leaves the connection to another. */
  release(): void {
    this.#socket.off('data', this.#take);
  }
}

interface Verifier {
  readonly kept: string | null;
  readonly sha256: string | null;
}

/** Asks for the password and judges the answer. */
async function authenticate(socket: Socket, input: Reader, { kept, sha256 }: Verifier): Promise<boolean> {
  if (sha256 === null) {
    const salt = randomBytes(4);
    socket.write(message('R', int(5), salt));
    const answer = await input.read();
    if (!answer || kept === null) return false;
    const expected = `md5${hash('md5', kept.slice(3), salt).toString('hex')}\0`;
    return answer.subarray(5).toString() === expected;
  }
  const [, digest = '', salt = ''] = sha256.split('|');
  const bytes = Buffer.from(salt, 'hex');
  const nonce = randomBytes(32);
  socket.write(message('R', int(13), int(0), int(bytes.length), bytes, int(nonce.length), nonce));
  const answer = await input.read();
  if (!answer || answer[0] !== 'd'.charCodeAt(0)) return false;
  const length = answer.readInt32BE(5);
  const given = answer.subarray(9, 9 + length);
  const own = answer.subarray(9 + length + 4);
  return hash('sha256', Buffer.from(digest, 'hex'), nonce, own).equals(given);
}

export async function startStandIn(directory: string): Promise<StandIn> {
  const data = join(directory, 'data');
  const server = await startPostgres({
    directory,
    settings: {
      unix_socket_directories: data,
      password_encryption: 'md5',
      md5_password_warnings: 'off',
      standard_conforming_strings: 'off',
      escape_string_warning: 'off',
      allow_system_table_mods: 'on',
    },
  });
  const socketPath = join(data, `.s.PGSQL.${server.port}`);
  const rules = join(data, 'pg_hba.conf');
  await writeFile(rules, `local all all trust\n${await readFile(rules, 'utf8')}`);
  const administer = async <T>(work: (client: pg.Client) => Promise<T>, to = database): Promise<T> => {
    const client = new pg.Client({ host: data, port: server.port, user: 'postgres', database: to });
    await client.connect();
    try {
      await client.query("SET log_statement = 'none'; SET log_min_error_statement = 'panic'");
      return await work(client);
    } finally {
      await client.end();
    }
  };
  await server.stop();
  await server.start();
  await administer((client) => client.query(`CREATE DATABASE ${database}`), 'postgres');
  await administer((client) => client.query(redshiftViews));
  const [version] = await administer(async (client) => (await client.query('SHOW server_version')).rows);

  // One connection for the questions of all logins.
  const registrar = new pg.Client({ host: data, port: server.port, user: 'postgres', database });
  registrar.on('error', () => {});
  await registrar.connect();
  let asked: Promise<unknown> = Promise.resolve();
  const verifierOf = async (username: string): Promise<Verifier> => {
    const answer = asked.then(() =>
      registrar.query<Verifier>(
        `SELECT a.rolpassword AS kept, u.sha256 FROM pg_authid a LEFT JOIN standin.users u ON u.name = a.rolname::text
         WHERE a.rolname = $1 AND coalesce(a.rolvaliduntil > now(), true)`,
        [username],
      ),
    );
    asked = answer.catch(() => {});
    return (await answer).rows[0] ?? { kept: null, sha256: null };
  };

  const authority = await createAuthority();
  let context: SecureContext;
  const useCertificate = async (choice: CertificateChoice) => {
    context = createSecureContext(await issueChosen(authority, choice));
  };
  await useCertificate({});
  const statements: string[] = [];
  let tls = true;
  let paused = false;
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };

  const serve = async (raw: Socket): Promise<void> => {
    let socket = raw;
    let input = new Reader(socket);
    let first = await input.read(false);
    if (first?.readInt32BE(4) === 80877103) {
      if (tls) {
        input.release();
        socket.write('S');
        socket = new TLSSocket(raw, { isServer: true, secureContext: context });
        socket.on('error', () => raw.destroy());
        input = new Reader(socket);
      } else {
        socket.write('N');
      }
      first = await input.read(false);
    }
    if (first?.readInt32BE(4) !== 196608) {
      raw.destroy();
      return;
    }
    const fields = first.subarray(8).toString().split('\0');
    const username = fields[fields.indexOf('user') + 1] ?? '';
    if (!(await authenticate(socket, input, await verifierOf(username)))) {
      socket.end(refusal('28000', 'auth_failed'));
      return;
    }
    const upstream = connect(socketPath);
    track(upstream);
    upstream.write(first);
    upstream.pipe(socket);
    upstream.on('close', () => raw.destroy());
    // A client that is gone must not keep its locks.
    for (const end of [raw, socket]) {
      end.on('end', () => upstream.destroy());
      end.on('close', () => upstream.destroy());
    }
    for (let whole = await input.read(); whole !== undefined; whole = await input.read()) {
      if (whole[0] !== 'Q'.charCodeAt(0)) {
        upstream.write(whole);
        continue;
      }
      const statement = whole.subarray(5, -1).toString();
      statements.push(statement);
      appendFileSync(server.logFile, `through the gate: ${statement}\n`);
      const translated = translate(statement) ?? 'SELECT standin.not_a_statement_of_redshift()';
      upstream.write(message('Q', Buffer.from(`${translated}\0`)));
    }
  };

  let gate: Server | undefined;
  const port = await freePort();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const start = async () => {
    const listening = createServer((socket) => {
      track(socket);
      socket.setNoDelay(true);
      if (!paused) serve(socket).catch(() => socket.destroy());
    });
    gate = listening;
    await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
  };
  const stop = async () => {
    cut();
    await new Promise<void>((resolve) => gate?.close(() => resolve()));
  };
  await start();
  return {
    host: 'localhost',
    port,
    caPem: authority.cert,
    logFile: server.logFile,
    statements,
    start,
    stop,
    useCertificate,
    version: String(version?.server_version),
    superuser: (list) =>
      administer(async (client) => {
        let rows: Record<string, unknown>[] = [];
        for (const statement of [list].flat()) rows = (await client.query(statement)).rows;
        return rows;
      }),
    pause: () => {
      paused = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      paused = false;
      cut();
    },
    useTls: async (on) => {
      tls = on;
    },
    async remove() {
      await stop();
      await registrar.end();
      await server.remove();
    },
  };
}
