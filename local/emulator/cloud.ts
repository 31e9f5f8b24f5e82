import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { makePrivate } from '../process/folders.ts';
import { freePort, requireFree } from '../servers/free-port.ts';
import { findInstance, type Instance, stopInstance, writeInstance } from './instance.ts';
import { ensurePython } from './python.ts';

/** A running local cloud: MiniStack with IAM and TLS enforced, and Rekey's extension. */
export interface LocalCloud {
  /** Address at which every AWS service answers: `https://127.0.0.1:<port>`. */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly accountId: string;
  /** Holds the state, certificates and log of this instance. */
  readonly directory: string;
  /** Variables with which a child process (CLI, cdk, tests) talks to it as the account's root, and to nothing else. */
  readonly environment: Readonly<Record<string, string>>;
  /** PEM file with the authority that signed the endpoint's certificate. */
  readonly certificateAuthorityFile: string;
  readonly logFile: string;
  /**
   * Options for an AWS SDK v3 client inside this process, which does not trust the endpoint's authority by itself.
   * @param credentials - whose; @default the account's root, which bypasses every policy
   */
  clientOptions(credentials?: CloudCredentials): CloudClientOptions;
  /** Moves the clock of Secrets Manager's schedules forward; what becomes due starts at once. */
  advanceClock(seconds: number): Promise<void>;
  /**
   * Has the local cloud follow another reading of what AWS's documents leave open. `local/emulator/cloud/readings.py` lists them;
   * the environment variable REKEY_READINGS (`behaviour=reading,…`) chooses at the start.
   */
  read(behaviour: string, reading: string): Promise<void>;
  /** Limits invocations at once, and calls of an action per second, until it is reset. */
  limit(limits: {
    readonly invocations?: number;
    readonly calls?: Readonly<Record<string, number>>;
  }): Promise<void>;
  /** Puts an event on the default bus as a service of AWS would, which PutEvents refuses to everybody. */
  serviceEvent(event: {
    readonly source: `aws.${string}`;
    readonly detailType: string;
    readonly detail: object;
  }): Promise<void>;
  /** Has STS find the issuer of tokens with this host name at a port of this machine. An authority signed its certificate. */
  issuer(issuer: { readonly host: string; readonly port: number; readonly authority: string }): Promise<void>;
  /** Ends the emulator and its Lambda workers; safe to call twice. */
  stop(): Promise<void>;
}

/** The access keys of an IAM user of the local cloud, or of a role's session. */
export interface CloudCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The options with which the constructor of any AWS SDK v3 client reaches the local cloud. */
interface CloudClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: CloudCredentials;
  readonly requestHandler: { readonly httpsAgent: { readonly ca: string; readonly keepAlive: boolean } };
}

/** The reason why the local cloud did not start. */
class CloudError extends RekeyError<'CloudPortTaken' | 'CloudAlreadyRunning' | 'CloudNotHealthy'> {}

export interface CloudOptions {
  /** Folder in which this instance keeps its files; created if it is missing. */
  readonly directory: string;
  /** Port that it listens at. @default a free port */
  readonly port?: number;
  /** Takes a line on each thing that the start does. @default silent */
  readonly log?: (line: string) => void;
  /** Lets the cloud outlive this process, until {@link stopCloud}. @default false: ends with this process, however it ends */
  readonly detached?: boolean;
  /** Most invocations that run at once; each worker takes about 65 MB. @default 8 per CPU, between 32 and 64 */
  readonly concurrency?: number;
}

const region = 'us-east-1';
const accountId = '000000000000';
/** Limit of a start, many times what an idle machine takes. */
const startTimeoutMs = 5 * 60_000;
const root = { accessKeyId: 'test', secretAccessKey: 'test' } as const;

/** Takes the port that is asked for, if it can be had. */
async function requirePort(port: number): Promise<number> {
  await requireFree(port).catch((error: unknown) => {
    throw new CloudError(
      'CloudPortTaken',
      `Port ${port} on 127.0.0.1 cannot be used (${error instanceof Error ? error.message : String(error)}). ` +
        'End what listens there, or choose another port.',
      { cause: error },
    );
  });
  return port;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function call(
  port: number,
  ca: string,
  path: string,
  options: { method?: string; body?: string; timeoutMs?: number } = {},
): Promise<Answer> {
  return await new Promise<Answer>((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        ca,
        agent: false,
        method: options.method ?? 'GET',
        timeout: options.timeoutMs ?? 10_000,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${path}`)));
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

/** Asks something of the local cloud itself, beside the AWS services. */
async function control(port: number, ca: string, what: string, request: object): Promise<void> {
  const body = JSON.stringify(request);
  const answer = await call(port, ca, `/_rekey/${what}`, { method: 'POST', body, timeoutMs: 60_000 });
  if (answer.status !== 200) {
    throw new CloudError('CloudNotHealthy', `The local cloud refused ${what} ${body}: ${answer.body}`);
  }
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-15).join('\n');
}

/** Makes the emulator's whole environment. Nothing of the caller's leaks into it, or into the Lambda workers it starts. */
function emulatorEnvironment(directory: string, port: number, concurrency: number): Record<string, string> {
  const temporary = join(directory, 'tmp');
  return {
    PATH: [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    HOME: directory,
    LANG: 'C.UTF-8',
    TMPDIR: temporary,
    PYTHONPATH: import.meta.dirname,
    PYTHONPYCACHEPREFIX: join(import.meta.dirname, '..', '..', '.rekey', 'pycache'),
    PYTHONUNBUFFERED: '1',
    AUTH: 'true',
    USE_SSL: '1',
    CLOUDTRAIL_RECORDING: '1',
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    MINISTACK_REGION: region,
    MINISTACK_ACCOUNT_ID: accountId,
    IOT_MTLS_ENABLED: '0',
    GATEWAY_PORT: String(port),
    STATE_DIR: join(directory, 'state'),
    S3_DATA_DIR: join(directory, 's3'),
    LAMBDA_EXECUTOR: 'local',
    LAMBDA_ACCOUNT_CONCURRENCY: String(concurrency),
    REKEY_READINGS: process.env.REKEY_READINGS ?? '',
    REKEY_TRAIL_DELAY_MS: process.env.REKEY_TRAIL_DELAY_MS ?? '',
    NODE_EXTRA_CA_CERTS: join(directory, 'certificates', 'ca.pem'),
    // The emulator removes every container with its label at start and end; it must see none.
    DOCKER_HOST: `unix://${join(temporary, 'no-docker.sock')}`,
  };
}

/** Writes the authorities to trust: the endpoint's and, behind a company's proxy, the one that this process already trusts. */
async function writeTrust(directory: string, ca: string): Promise<string> {
  const inherited = process.env.NODE_EXTRA_CA_CERTS;
  const others = inherited ? await readFile(inherited, 'utf8').catch(() => '') : '';
  const file = join(directory, 'certificates', 'trust.pem');
  await writeFile(file, `${ca}\n${others}`);
  return file;
}

function clientEnvironment(endpoint: string, directory: string, trustFile: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: root.accessKeyId,
    AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
    AWS_CA_BUNDLE: trustFile,
    NODE_EXTRA_CA_CERTS: trustFile,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(directory, 'no-aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'no-aws-credentials'),
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
    CDK_DEFAULT_ACCOUNT: accountId,
    CDK_DEFAULT_REGION: region,
    NO_PROXY: ['127.0.0.1', 'localhost', process.env.NO_PROXY].filter(Boolean).join(','),
  };
}

async function awaitHealth(instance: Instance, directory: string, logFile: string, ended: () => boolean) {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const ca = await readFile(join(directory, 'certificates', 'ca.pem'), 'utf8').catch(() => '');
    if (ca && (await call(instance.port, ca, '/_ministack/health').catch(() => undefined))?.status === 200)
      return ca;
    const why = ended()
      ? 'ended'
      : Date.now() > deadline
        ? `did not answer in ${startTimeoutMs / 1000} s`
        : undefined;
    if (why) {
      throw new CloudError(
        'CloudNotHealthy',
        `The local cloud on port ${instance.port} ${why}. The end of ${logFile}:\n${await tail(logFile)}`,
      );
    }
    await sleep(50);
  }
}

/**
 * Starts a local cloud in `directory`, waits until it answers over TLS, and returns how to reach it. What an earlier
 * instance in the same directory left behind is removed first: an instance starts empty.
 *
 * @throws PythonError when Python is missing or its packages cannot be installed.
 * @throws CloudError `CloudPortTaken`, `CloudAlreadyRunning` (one runs in this directory), `CloudNotHealthy`.
 */
export async function startCloud(options: CloudOptions): Promise<LocalCloud> {
  const directory = resolve(options.directory);
  const logFile = join(directory, 'cloud.log');
  const running = await findInstance(directory);
  if (running) {
    throw new CloudError(
      'CloudAlreadyRunning',
      `A local cloud already runs in ${directory} (pid ${running.pid}, port ${running.port}). ` +
        'Stop it with: npm run local:down',
    );
  }
  const python = await ensurePython({ log: options.log });
  const port = await (options.port === undefined ? freePort() : requirePort(options.port));
  await makePrivate(directory);
  for (const part of ['state', 's3', 'tmp', 'certificates']) {
    await rm(join(directory, part), { recursive: true, force: true });
    await mkdir(join(directory, part));
  }
  // Functions are unpacked below: without this, Node.js would read their .js files as the checkout's package.json says.
  await writeFile(join(directory, 'tmp', 'package.json'), '{}');
  const concurrency = options.concurrency ?? Math.min(64, Math.max(32, 8 * availableParallelism()));
  const name = randomUUID();
  const args = ['-m', 'cloud', '--directory', directory, '--instance', name];
  const log = await open(logFile, 'w');
  const child = spawn(python, options.detached ? args : [...args, '--watch-stdin'], {
    cwd: directory,
    env: emulatorEnvironment(directory, port, concurrency),
    // Its own process group: signals to this terminal do not reach it, and ending it ends its workers.
    detached: true,
    stdio: [options.detached ? 'ignore' : 'pipe', log.fd, log.fd],
  });
  let ended = false;
  child.once('error', () => {
    ended = true;
  });
  child.once('exit', () => {
    ended = true;
  });
  await log.close();
  if (child.pid === undefined) {
    throw new CloudError('CloudNotHealthy', `${python} could not be started.`);
  }
  const instance: Instance = { pid: child.pid, port, name };
  await writeInstance(directory, instance);
  let ca: string;
  try {
    ca = await awaitHealth(instance, directory, logFile, () => ended);
  } catch (error) {
    await stopInstance(directory);
    throw error;
  }
  child.unref();
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  return connected(directory, instance, ca);
}

async function connected(directory: string, instance: Instance, ca: string): Promise<LocalCloud> {
  const endpoint = `https://127.0.0.1:${instance.port}`;
  const trustFile = await writeTrust(directory, ca);
  return {
    endpoint,
    port: instance.port,
    region,
    accountId,
    directory,
    environment: clientEnvironment(endpoint, directory, trustFile),
    certificateAuthorityFile: join(directory, 'certificates', 'ca.pem'),
    logFile: join(directory, 'cloud.log'),
    clientOptions: (credentials = root) => ({
      endpoint,
      region,
      credentials,
      requestHandler: { httpsAgent: { ca, keepAlive: true } },
    }),
    advanceClock: async (seconds) => await control(instance.port, ca, 'clock', { advanceSeconds: seconds }),
    read: async (behaviour, reading) =>
      await control(instance.port, ca, 'readings', { [behaviour]: reading }),
    serviceEvent: async (event) => await control(instance.port, ca, 'service-event', event),
    limit: async (limits) => await control(instance.port, ca, 'limits', limits),
    issuer: async (issuer) => await control(instance.port, ca, 'issuers', issuer),
    stop: async () => {
      await stopInstance(directory, instance);
    },
  };
}

/** Attaches to the local cloud that runs in `directory`, started by this or another process; undefined if none does. */
export async function attachCloud(directory: string): Promise<LocalCloud | undefined> {
  const absolute = resolve(directory);
  const instance = await findInstance(absolute);
  if (!instance) return undefined;
  const ca = await readFile(join(absolute, 'certificates', 'ca.pem'), 'utf8');
  return await connected(absolute, instance, ca);
}

/**
 * Stops the local cloud that runs in `directory`, whichever process started it, and nothing else.
 * @returns false when none ran there.
 */
export async function stopCloud(directory: string): Promise<boolean> {
  return await stopInstance(resolve(directory));
}
