import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../local/tour/eventually.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');

/** Answers of Secrets Manager over HTTP, as tests set them: values, delays, refusals, and answers that are behind. */
export class SecretsService {
  readonly #server: Server;
  /** Versions by secret: id and value of each, the newest last. */
  readonly secrets = new Map<string, { id: string; value: string }[]>();
  /** Calls that came, such as `GetSecretValue /app/db`. */
  readonly calls: string[] = [];
  /** What a call ends with instead: `denied` or `gone`. */
  refuse: Partial<Record<'GetSecretValue' | 'DescribeSecret', 'denied' | 'gone'>> = {};
  /** Version that DescribeSecret and GetSecretValue tell of in place of the newest, as reads that are behind do. */
  behind: { describe?: string; read?: string } = {};

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        const action = String(request.headers['x-amz-target']).split('.')[1] as
          | 'GetSecretValue'
          | 'DescribeSecret';
        const { SecretId = '', VersionStage = 'AWSCURRENT' } = JSON.parse(body || '{}');
        this.calls.push(`${action} ${SecretId}`);
        if (this.refuse[action] === 'gone') {
          request.socket.destroy();
          return;
        }
        const [status, answer] = this.#answer(action, SecretId, VersionStage);
        response
          .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
          .end(JSON.stringify(answer));
      });
    });
  }

  #answer(action: 'GetSecretValue' | 'DescribeSecret', id: string, stage: string): [number, object] {
    if (this.refuse[action] === 'denied') {
      const message = `User: arn:aws:iam::111122223333:user/app is not authorized to perform: secretsmanager:${action} on resource: ${id}`;
      return [400, { __type: 'AccessDeniedException', Message: message }];
    }
    const versions = this.secrets.get(id);
    const wanted = action === 'DescribeSecret' ? this.behind.describe : this.behind.read;
    const current = versions?.find((one) => one.id === wanted) ?? versions?.at(-1);
    const found = stage === 'AWSPREVIOUS' ? versions?.at(-2) : current;
    if (versions === undefined || found === undefined || current === undefined) {
      return [400, { __type: 'ResourceNotFoundException', Message: "can't find the specified secret" }];
    }
    const about = { ARN: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${id}-AbCdEf`, Name: id };
    return action === 'DescribeSecret'
      ? [200, { ...about, VersionIdsToStages: { [current.id]: ['AWSCURRENT'] } }]
      : [200, { ...about, VersionId: found.id, SecretString: found.value, VersionStages: [stage] }];
  }

  /** Gives a secret another version, whose id it returns. */
  put(name: string, value: string | Record<string, unknown>): string {
    const id = randomUUID();
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    this.secrets.set(name, [...(this.secrets.get(name) ?? []), { id, value: text }]);
    return id;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A run of `rekey exec` in a process of its own. */
export interface ExecRun {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves to the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** Waits until standard output matches, and gives the match. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits until standard error matches. */
  told(pattern: RegExp): Promise<void>;
}

/** A folder, a service and the real program. */
export class ExecWorld {
  readonly service = new SecretsService();
  readonly #runs: ExecRun[] = [];
  directory = '';
  endpoint = '';

  async start(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), 'rekey-exec-'));
    this.endpoint = await this.service.start();
  }

  async stop(): Promise<void> {
    for (const { process: child } of this.#runs) child.kill('SIGKILL');
    await this.service.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  get variables(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.directory,
      TMPDIR: this.directory,
      NODE_COMPILE_CACHE: join(tmpdir(), 'rekey-exec-cache'),
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'nothing',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** Starts `rekey exec` without a terminal. */
  exec(argv: readonly string[], variables: Record<string, string> = {}): ExecRun {
    // A session of its own, so that /dev/tty of whoever runs the tests is not there.
    const child = spawn(process.execPath, [join(checkout, 'bin', 'rekey.js'), 'exec', ...argv], {
      env: { ...this.variables, ...variables },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const written = { out: '', error: '' };
    child.stdout.on('data', (text) => {
      written.out += text;
    });
    child.stderr.on('data', (text) => {
      written.error += text;
    });
    const ended = new Promise<number | string>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'nothing')),
    );
    const run: ExecRun = {
      process: child,
      stdout: () => written.out,
      stderr: () => written.error,
      ended,
      seen: async (pattern) => await matched('output', pattern, () => written.out, written),
      told: async (pattern) => {
        await matched('error', pattern, () => written.error, written);
      },
    };
    this.#runs.push(run);
    return run;
  }

  /** Runs `rekey exec` to its end. */
  async run(
    argv: readonly string[],
    variables: Record<string, string> = {},
  ): Promise<{ status: number | string; stdout: string; stderr: string }> {
    const run = this.exec(argv, variables);
    run.process.stdin?.end();
    const status = await run.ended;
    return { status, stdout: run.stdout(), stderr: run.stderr() };
  }
}

async function matched(
  what: string,
  pattern: RegExp,
  text: () => string,
  all: object,
): Promise<RegExpExecArray> {
  try {
    return await eventually(
      `${pattern} in the ${what}`,
      async () => pattern.exec(text()) ?? undefined,
      30_000,
    );
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(all)}`);
  }
}

/** Tells whether a process is there and no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return status !== '' && !/^State:\s+Z/m.test(status);
}
