import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { closedFolder, makePrivate, socketPath } from '../process/folders.ts';
import { type Certificate, type CertificateChoice, createAuthority, issueChosen } from './certificates.ts';
import { ChildServer, findProgram } from './child-server.ts';
import { freePort } from './free-port.ts';

/** A real MariaDB or MySQL server on this machine. */
export interface MariaDbServer {
  readonly host: 'localhost';
  readonly port: number;
  /** The authority that signed the server's certificate, PEM. */
  readonly caPem: string;
  /** May do everything; logs in over {@link socket} only. */
  readonly superuser: { readonly username: string; readonly password: string };
  readonly socket: string;
  /** Holds every statement that the server got (`general_log`), every connection, and the server's own messages. */
  readLog(): Promise<string>;
  /** Starts again with the same data after {@link stop}. */
  start(options?: { tls?: boolean }): Promise<void>;
  /** Ends the server and its sessions; the data stays. */
  stop(): Promise<void>;
  /** Freezes the server: clients connect and then wait. Ends with {@link resume}. */
  pause(): void;
  resume(): void;
  /** Serves another certificate from now on: for other hosts, an expired one, or one of an unknown authority. */
  useCertificate(certificate: CertificateChoice): Promise<void>;
  /** Stops the server and removes its data. */
  remove(): Promise<void>;
}

const run = promisify(execFile);

/**
 * Finds MariaDB's programs on this machine. `REKEY_MARIADBD` names another server, whose installer lies beside it.
 */
async function findMariaDb(): Promise<{ program: string; installer: string } | undefined> {
  const named = process.env.REKEY_MARIADBD || undefined;
  if (named !== undefined) return { program: named, installer: join(dirname(named), 'mariadb-install-db') };
  const [program, installer] = await Promise.all([
    findProgram('mariadbd'),
    findProgram('mariadb-install-db'),
  ]);
  return program === undefined || installer === undefined ? undefined : { program, installer };
}

const noMariaDb = 'no MariaDB server is installed; apt-get install -y mariadb-server';
/** Explains why no MariaDB can be started here, and what to do; undefined when one can. */
export const missingMariaDb = async (): Promise<string | undefined> =>
  (await findMariaDb()) === undefined ? noMariaDb : undefined;

/** The settings in which the two products differ. */
interface Product {
  readonly program: string;
  /** Gives the command that makes the data directory. */
  install(data: string, asUser: readonly string[]): string[];
  readonly options: readonly string[];
  readonly withoutTls: string;
  readonly keyType: 'ec' | 'rsa';
  /** Statement that loads another certificate; where there is none the server starts anew. */
  readonly reloadTls?: string;
}

async function mariadb(): Promise<Product> {
  const found = await findMariaDb();
  if (found === undefined) throw new Error(noMariaDb);
  const { program, installer } = found;
  return {
    program,
    install: (data, asUser) => [
      installer,
      '--no-defaults',
      ...asUser,
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      '--innodb-log-file-size=8M',
    ],
    options: ['--innodb-log-file-size=8M'],
    withoutTls: '--skip-ssl',
    keyType: 'ec',
    reloadTls: 'FLUSH SSL',
  };
}

/**
 * Options for small logs, by their names before 8.0.30 and since, and against waiting for the disk. Nothing is to outlive the
 * machine.
 */
const mysqlDisk = [
  '--loose-innodb-log-file-size=8M',
  '--loose-innodb-redo-log-capacity=8M',
  '--innodb-flush-method=nosync',
];

const mysqlServer = (program: string): Product => ({
  program,
  install: (data, asUser) => [
    program,
    '--no-defaults',
    ...asUser,
    '--initialize-insecure',
    `--datadir=${data}`,
    ...mysqlDisk,
  ],
  options: [...mysqlDisk, '--mysqlx=OFF', '--secure-file-priv=NULL'],
  withoutTls: '--tls-version=',
  // Early builds of 8.0 know no elliptic curves.
  keyType: 'rsa',
});

const binaryLog = 'binlog';

/** Finds the user `mysql`, whom MariaDB's package makes and as whom root runs the server. */
async function owner(directory: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const closed = await closedFolder(directory);
  if (closed !== undefined) {
    throw new Error(
      `MariaDB does not run as root, and its user "mysql" may not enter ${closed}; ` +
        `chmod o+x ${closed}, or use a folder that every user may enter`,
    );
  }
  const id = async (kind: '-u' | '-g') => Number((await run('id', [kind, 'mysql'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

export interface MariaDbOptions {
  /** Holds data, certificates, socket and logs; made if missing. */
  readonly directory: string;
  /** Path of the server's program of MySQL, to start that in the place of MariaDB. */
  readonly mysqld?: string;
  /** Writes a binary log, as a server with replicas does. Default: false. */
  readonly binaryLog?: boolean;
  /** Name of its authority: who trusts two must be able to tell them apart. Default: that of all servers here. */
  readonly authorityName?: string;
}

/**
 * Starts MariaDB with data, port and certificates of its own, apart from any server that the system runs. It is reachable from
 * this machine only, by TLS with a certificate from an authority of its own. What is in `directory` from an earlier run is
 * removed. The server ends with this process.
 */
export async function startMariaDb(options: MariaDbOptions): Promise<MariaDbServer> {
  const product = options.mysqld === undefined ? await mariadb() : mysqlServer(options.mysqld);
  const directory = await makePrivate(resolve(options.directory), 'enterable');
  const user = await owner(directory);
  const own = async (path: string) => {
    if (user !== undefined) await chown(path, user.uid, user.gid);
  };
  const folder = join(directory, 'server');
  const data = join(folder, 'data');
  // Not that of the system: a server that starts removes there what another one, which is being installed, still needs.
  const temporary = `--tmpdir=${join(folder, 'tmp')}`;
  const socketFile = join(folder, 'server.sock');
  const socket = socketPath(socketFile);
  const logFile = join(folder, 'general.log');
  const messages = join(directory, 'server.log');
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  for (const path of [folder, data, join(folder, 'tmp')]) {
    await mkdir(path, { mode: 0o700 });
    await own(path);
  }
  await writeFile(messages, '', { mode: 0o600 });
  const asUser = user === undefined ? [] : ['--user=mysql'];
  const [installer = '', ...install] = product.install(data, asUser);
  await run(installer, [...install, temporary]).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`${installer} failed: ${`${error.stdout}${error.stderr}`.slice(-500)}`);
  });

  const authority = await createAuthority(options.authorityName, product.keyType);
  const serve = async ({ cert, key }: Certificate) => {
    for (const [name, text] of [
      ['server.pem', cert],
      ['server.key', key],
    ] as const) {
      await writeFile(join(folder, name), text, { mode: 0o600 });
      await own(join(folder, name));
    }
  };
  await serve(await issueChosen(authority, {}, product.keyType));

  const port = await freePort();
  const superuser = { username: 'root', password: crypto.randomUUID() };
  const child = new ChildServer();

  const administer = async <T>(
    password: string,
    work: (connection: mysql.Connection) => Promise<T>,
  ): Promise<T> => {
    const connection = await mysql.createConnection({
      socketPath: socket,
      user: superuser.username,
      password,
    });
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  };
  const start = async ({ tls = true }: { tls?: boolean } = {}, password: string = superuser.password) => {
    // Not the authority: MySQL would check its own certificate by it, and refuse one of another.
    const certificate = ['cert=server.pem', 'key=server.key'].map((file) => {
      const [option, name = ''] = file.split('=');
      return `--ssl-${option}=${join(folder, name)}`;
    });
    await child.start({
      program: product.program,
      args: [
        '--no-defaults',
        ...asUser,
        `--datadir=${data}`,
        temporary,
        // The server works in its data folder.
        `--socket=${socketPath(socketFile, data)}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--pid-file=${join(folder, 'server.pid')}`,
        '--general-log=1',
        `--general-log-file=${logFile}`,
        // Every login is told apart by name and host "localhost" or "127.0.0.1", as the accounts have it.
        '--skip-name-resolve',
        '--max-connections=200',
        '--innodb-buffer-pool-size=16M',
        ...product.options,
        '--innodb-flush-log-at-trx-commit=0',
        options.binaryLog === true ? `--log-bin=${binaryLog}` : '--skip-log-bin',
        ...(tls ? certificate : [product.withoutTls]),
      ],
      said: (text) => appendFileSync(messages, text),
      ready: () => administer(password, async () => true).catch(() => false),
      tail: async () => (await readFile(messages, 'utf8')).split('\n').slice(-8).join('\n'),
    });
  };
  const stop = () => child.stop();

  await start({}, '');
  await administer('', async (connection) => {
    // Before the password is named: this log is searched for passwords.
    await connection.query('SET SESSION sql_log_off = 1');
    await connection.query(`ALTER USER root@localhost IDENTIFIED BY '${superuser.password}'`);
  });
  return {
    host: 'localhost',
    port,
    caPem: authority.cert,
    superuser,
    socket,
    readLog: async () => {
      const binary = (await readdir(data)).filter((file) => file.startsWith(`${binaryLog}.0`));
      const files = [logFile, messages, ...binary.map((file) => join(data, file))];
      return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('');
    },
    start: (how) => start(how),
    stop,
    pause: () => child.pause(),
    resume: () => child.resume(),
    async useCertificate(choice) {
      await serve(await issueChosen(authority, choice, product.keyType));
      const { reloadTls } = product;
      if (reloadTls === undefined) {
        await stop();
        await start();
      } else {
        await administer(superuser.password, (connection) => connection.query(reloadTls));
      }
    },
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
