import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makePrivate, socketPath } from '../process/folders.ts';
import { type Certificate, type CertificateChoice, createAuthority, issueChosen } from './certificates.ts';
import { ChildServer, findProgram } from './child-server.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

/** A real Redis or Valkey server on this machine. */
export interface RedisServer {
  readonly host: 'localhost';
  readonly port: number;
  /** Path of the socket for setting things up past TLS. */
  readonly socketPath: string;
  /** The authority that signed the server's certificate, PEM. */
  readonly caPem: string;
  readonly superuser: { readonly username: string; readonly password: string };
  readonly logFile: string;
  /** True if users have rules for channels, which all servers but Redis 6.0 know. */
  readonly channels: boolean;
  /** Starts again with the users that were saved, after {@link stop}. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Freezes the process: clients connect and then wait. Ends with {@link resume}. */
  pause(): void;
  resume(): void;
  /** Writes another certificate; returns the paths for `CONFIG SET tls-cert-file … tls-key-file …`. */
  writeCertificate(certificate: CertificateChoice): Promise<{ readonly cert: string; readonly key: string }>;
  /** Stops the server and removes its folder. */
  remove(): Promise<void>;
}

export interface RedisOptions {
  /** Holds configuration, users, certificates, socket and log; made if missing. */
  readonly directory: string;
  /** Place in which users are kept: an ACL file, the configuration file, or nowhere. Default: `aclfile`. */
  readonly users?: 'aclfile' | 'configuration' | 'nowhere';
  /** Makes it a node of a cluster. @default false */
  readonly cluster?: boolean;
}

/** Finds the path of a server's program: the one that `REKEY_REDIS_SERVER` names, or one that this machine has. */
export const findRedis = async (): Promise<string | undefined> =>
  process.env.REKEY_REDIS_SERVER || (await findProgram('redis-server', 'valkey-server'));

/** Starts a server with TLS from an authority of its own and nobody's login but the superuser's. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const program = await findRedis();
  if (program === undefined) throw new Error('there is no redis-server; apt-get install -y redis-server');
  const directory = await makePrivate(resolve(options.directory));
  const path = (name: string) => join(directory, name);
  const logFile = path('redis.log');
  const socket = path('redis.sock');
  const authority = await createAuthority();
  const superuser = { username: 'superuser', password: randomUUID() };
  const port = await freePort();

  let certificates = 0;
  const write = async ({ cert, key }: Certificate) => {
    certificates += 1;
    const files = { cert: path(`server-${certificates}.crt`), key: path(`server-${certificates}.key`) };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key, { mode: 0o600 });
    return files;
  };
  const files = await write(await issueChosen(authority, {}));
  await writeFile(path('ca.crt'), authority.cert);
  const hash = createHash('sha256').update(superuser.password).digest('hex');
  const version = Number(/ v=(\d+\.\d+)/.exec((await run(program, ['--version'])).stdout)?.[1]);
  const channels = version >= 6.2;
  const users = `user default off\nuser superuser on #${hash} ~*${channels ? ' &*' : ''} +@all\n`;
  const aclFile = (options.users ?? 'aclfile') === 'aclfile';
  await writeFile(path('users.acl'), users);
  const configuration = [
    'port 0',
    `tls-port ${port}`,
    'bind 127.0.0.1 ::1',
    `tls-cert-file ${files.cert}`,
    `tls-key-file ${files.key}`,
    `tls-ca-cert-file ${path('ca.crt')}`,
    'tls-auth-clients no',
    `unixsocket ${socketPath(socket, directory)}`,
    'unixsocketperm 700',
    `dir ${directory}`,
    'save ""',
    'repl-diskless-sync-delay 0',
    `logfile ${logFile}`,
    'loglevel verbose',
    // Every command is kept, with what the server lets be seen of it.
    'slowlog-log-slower-than 0',
    'slowlog-max-len 100000',
    ...(options.cluster === true ? ['cluster-enabled yes', 'tls-cluster yes'] : []),
    aclFile ? `aclfile ${path('users.acl')}` : users,
  ];
  // Else the nodes talk at a port higher by 10000, which kernels give to outgoing connections.
  if (options.cluster === true && version >= 7) configuration.push(`cluster-port ${await freePort()}`);
  const text = `${configuration.join('\n')}\n`;
  await writeFile(path('redis.conf'), text);

  const child = new ChildServer();
  const stop = () => child.stop();
  const fromFile = options.users !== 'nowhere';
  // Redis 6.0 takes what it reads its configuration from for a file, and would write users there.
  if (!fromFile) await mkdir(path('-'), { recursive: true });
  const start = async () => {
    await child.start({
      program,
      args: [fromFile ? path('redis.conf') : '-'],
      input: fromFile ? '' : text,
      options: { cwd: directory },
      ready: () => listens(socketPath(socket)),
      tail: async () => (await readFile(logFile, 'utf8').catch(() => '')).split('\n').slice(-6).join('\n'),
    });
  };
  await start();
  return {
    host: 'localhost',
    port,
    socketPath: socketPath(socket),
    caPem: authority.cert,
    superuser,
    logFile,
    channels,
    start,
    stop,
    pause: () => child.pause(),
    resume: () => child.resume(),
    async writeCertificate(choice) {
      return await write(await issueChosen(authority, choice));
    },
    async remove() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listens(path: string): Promise<boolean> {
  return await new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
