import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port of this machine that nobody listens at now. */
export async function freePort(): Promise<number> {
  return await new Promise((done, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') done(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}

/** Folders of servers that a user's PATH often lacks. */
const places = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Path of the first of the named programs that this machine has. */
export async function findProgram(...names: readonly string[]): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...places]) {
    for (const name of names) {
      const path = join(folder, name);
      const found = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return path;
    }
  }
  return undefined;
}

/** How one run of a server is begun. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** What the program reads; then its input ends. */
  readonly input?: string;
  /** Takes what the program says. */
  readonly said?: (text: string) => void;
  /** Whether the server answers yet. */
  ready(): Promise<boolean>;
  /** What it said last, for the error when it does not start. */
  tail(): Promise<string>;
}

/** A server that runs as a child of this process and ends with it. */
export class ChildServer {
  #child: ChildProcess | undefined;
  readonly #endChild = () => this.#child?.kill('SIGKILL');

  /** Runs the server and waits until it answers, at most 20 s. */
  async start({ program, args, input, said, ready, tail }: ServerCommand): Promise<void> {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    process.off('exit', this.#endChild);
    process.once('exit', this.#endChild);
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said?.(String(text)));
    const deadline = Date.now() + 20_000;
    while (!(await ready())) {
      if (Date.now() > deadline || child.exitCode !== null) {
        await this.stop();
        throw new Error(`${program} did not start; the end of what it said:\n${await tail()}`);
      }
      await sleep(20);
    }
  }

  /** Ends the server, politely if it listens, in any case within ten seconds. */
  async stop(): Promise<void> {
    process.off('exit', this.#endChild);
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    // A frozen server does not hear the request to end.
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(force);
  }

  /** Freezes the server: clients connect and then wait. Ends with {@link resume}. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}
