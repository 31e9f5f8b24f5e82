import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import { startGuard } from './guard.ts';

/** A process to start. */
export interface ProcessCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Number of the descriptor that documents are written to, from 3 on. @default - none */
  readonly descriptor?: number;
  /** Time that the process gets to end, when it must because the one that started it is gone, in ms. */
  readonly graceMs: number;
}

/** A process that was started. */
export interface RunningProcess {
  /** Resolves to its exit status when it has ended. After a signal that is 128 and the number of the signal. */
  readonly ended: Promise<number>;
  /** True when it has ended. */
  readonly over: boolean;
  /** Sends a signal to it and, where it has a group of its own, to what it started. */
  signal(name: NodeJS.Signals): void;
  /** Asks it to end with SIGTERM, and kills what is left of it after `graceMs`. Resolves to its exit status. */
  stop(graceMs: number): Promise<number>;
  /** Writes a document to its descriptor; `last` ends it. A document that was not read yet gives way to a later one. */
  write(document: string, last: boolean): void;
}

/** The system's processes, as far as `rekey exec` needs them. */
export interface Processes {
  /** Starts a process. @throws CliError `CommandMissing` (127) | `CommandRefused` (126) */
  start(command: ProcessCommand): Promise<RunningProcess>;
  /** Takes every signal that this process gets from now on, and gives a way to let go of them. */
  takeSignals(take: (name: NodeJS.Signals) => void): () => void;
  /** True where a terminal sends its signals to this process and those that it starts alike. */
  readonly terminal: boolean;
  /** Ends this process with a status, at once: a call that is under way would keep it for seconds. */
  end(status: number): number;
}

/** Signals that are passed on. The others cannot be caught, are of this process alone (SIGCHLD), or stop it (SIGTSTP). */
const passedOn: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
];

/** Tells whether this process has a terminal, also where none of its three streams leads there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the processes of the system. Where there is a terminal, a process stays in the group of this one, so that it keeps the
 * terminal and its keys. Without one it gets a session and a group of its own, and signals go to the whole group.
 */
export function systemProcesses(): Processes {
  const terminal = hasTerminal();
  return {
    terminal,
    end: (status) => process.exit(status),
    start: async (command) => await start(command, !terminal),
    takeSignals: (take) => {
      // Ctrl-C is for the process that was started; the handlers that end a command of this CLI would end it first.
      process.removeAllListeners('SIGINT');
      const listeners = passedOn.map((name) => [name, () => take(name)] as const);
      for (const [name, listener] of listeners) process.on(name, listener);
      return () => {
        for (const [name, listener] of listeners) process.off(name, listener);
      };
    },
  };
}

/**
 * Starts the process. It is spawned rather than put in this one's place (`process.execve`), which would leave it SIGPIPE and
 * SIGXFSZ ignored, and ends with a stack of Node's where the command is missing.
 */
async function start(command: ProcessCommand, ownGroup: boolean): Promise<RunningProcess> {
  const { file, args, environment, descriptor, graceMs } = command;
  const guard = startGuard(graceMs);
  const child = spawn(file, args, {
    // Nothing is put into this process's own environment, which others of the same user can read.
    env: { ...environment },
    detached: ownGroup,
    stdio: [
      'inherit',
      'inherit',
      'inherit',
      ...(descriptor === undefined ? [] : [...Array(descriptor - 3).fill('ignore'), 'pipe']),
    ],
  });
  const group = ownGroup ? -(child.pid ?? 0) : (child.pid ?? 0);
  if (child.pid === undefined) guard.end();
  else guard.watch(group);
  child.once('exit', () => guard.end());
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? constants.signals.SIGKILL)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(file, error)));
  });
  // What comes later, such as a signal that may not be sent, is no reason to leave the process alone.
  child.on('error', () => undefined);
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  const pipe = descriptor === undefined ? undefined : documentPipe(child, descriptor);
  void ended.then(() => pipe?.close());
  return {
    ended,
    get over() {
      return isOver();
    },
    signal: (name) => {
      if (!isOver()) send(group, name);
    },
    stop: async (stopMs) => {
      send(group, 'SIGTERM');
      const deadline = performance.now() + stopMs;
      await Promise.race([ended, pause(stopMs, undefined, { ref: false })]);
      // What the process started may still hold ports and files, and gets the same time.
      while (ownGroup && isThere(group) && performance.now() < deadline) await pause(20);
      if (ownGroup || !isOver()) send(group, 'SIGKILL');
      return await ended;
    },
    write: (document, last) => pipe?.write(document, last),
  };
}

function notStarted(file: string, error: NodeJS.ErrnoException): CliError {
  const name = JSON.stringify(file.slice(0, 200));
  if (error.code === 'ENOENT') {
    return new CliError(127, 'CommandMissing', `there is no command ${name} in PATH, or no such file`);
  }
  const why =
    { EACCES: 'it may not be run', E2BIG: 'arguments and variables are larger than the system takes' }[
      error.code ?? ''
    ] ?? `the system says ${error.code ?? 'no'}`;
  return new CliError(126, 'CommandRefused', `${name} could not be started: ${why}`);
}

/** Sends a signal to a process or, with a negative number, to a group; does nothing when it is gone. */
function send(target: number, name: NodeJS.Signals): void {
  // 0 and -0 would be this process's own group.
  if (target === 0) return;
  try {
    process.kill(target, name);
  } catch {
    // It has ended meanwhile, or runs as another user by now.
  }
}

function isThere(target: number): boolean {
  try {
    process.kill(target, 0);
    return true;
  } catch {
    return false;
  }
}

/** The way to a descriptor of a process. It is a pair of sockets, in memory alone. */
interface DocumentPipe {
  write(document: string, last: boolean): void;
  close(): void;
}

function documentPipe(child: ChildProcess, descriptor: number): DocumentPipe {
  const stream = child.stdio[descriptor] as Writable;
  let waiting: string | undefined;
  // A process that reads nothing, or has closed it, does as it likes.
  stream.on('error', () => undefined);
  stream.on('drain', () => {
    if (waiting === undefined) return;
    const document = waiting;
    waiting = undefined;
    stream.write(document);
  });
  return {
    write: (document, last) => {
      if (last) stream.end(document);
      else if (stream.writableLength > 0) waiting = document;
      else stream.write(document);
    },
    close: () => {
      stream.destroy();
    },
  };
}
