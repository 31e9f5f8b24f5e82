import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard } from '../process/guard.ts';

/** Folders of servers that a user's PATH often lacks. */
const places = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Finds the first of the named programs that this machine has, and gives its path. */
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

/** The settings of one run of a server. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Text that the program reads; then its input ends. */
  readonly input?: string;
  /** User and folder of the run. Default: those of this process. */
  readonly options?: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd' | 'env'>;
  /** The signals that end it: asked for, and when this process is gone. Default: SIGTERM, KILL. */
  readonly signals?: { readonly stop: NodeJS.Signals; readonly orphan: 'KILL' | 'QUIT' };
  /** Takes what the program says. */
  readonly said?: (text: string) => void;
  /** Tells whether the server answers yet. */
  ready(): Promise<boolean>;
  /** Gives the last that the server said, for the error when it does not start. */
  tail(): Promise<string>;
}

/**
 * Milliseconds that a server may take to start. A machine that is busy with other things takes many times what it takes alone.
 */
const startLimitMs = 120_000;

/** A server that runs as a child of this process and ends with it, however that ends. */
export class ChildServer {
  #child: ChildProcess | undefined;
  #stopSignal: NodeJS.Signals = 'SIGTERM';

  /** Runs the server and waits until it answers. */
  async start({ program, args, input, options, signals, said, ready, tail }: ServerCommand): Promise<void> {
    const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#stopSignal = signals?.stop ?? 'SIGTERM';
    if (child.pid !== undefined) child.once('exit', guard(child.pid, signals?.orphan));
    let failure: string | undefined;
    child.once('error', (error) => {
      failure = error.message;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said?.(String(text)));
    const deadline = Date.now() + startLimitMs;
    while (!(await ready())) {
      if (Date.now() > deadline || failure !== undefined || !this.running) {
        const why =
          failure ??
          (this.running ? `did not answer in ${startLimitMs / 1000} s` : `ended with ${child.exitCode}`);
        await this.stop();
        throw new Error(`${program} did not start (${why}); the end of what it said:\n${await tail()}`);
      }
      await sleep(20);
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** True while the server runs: it was started and has not ended. */
  get running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Ends the server, politely if it listens, in any case within ten seconds. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = new Promise((done) => child.once('exit', done));
    // A frozen server does not hear the request to end.
    child.kill('SIGCONT');
    child.kill(this.#stopSignal);
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(force);
  }

  /** Sends the server a signal. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Freezes the server: clients connect and then wait. Ends with {@link resume}. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}
