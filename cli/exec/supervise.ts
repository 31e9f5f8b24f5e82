import { setTimeout as pause } from 'node:timers/promises';
import { nextRestart } from '../../core/exec/pace.ts';
import { type DescriptorFormat, nameVariables, writeVariables } from '../../core/exec/variables.ts';
import type { Clock, Random } from '../../core/ports.ts';
import { explain } from '../failure.ts';
import type { Output } from '../output.ts';
import { formatDuration } from '../time.ts';
import type { Change, HeldSecrets, Reading } from './held-secrets.ts';
import type { Processes, RunningProcess } from './processes.ts';

/** Deeds at a change of a secret. `write` is another document on the descriptor. */
export type OnChange = 'restart' | 'exit' | 'write' | 'nothing' | { readonly signal: NodeJS.Signals };

/** The process to run, and how its secrets reach it. */
export interface Supervision {
  readonly command: readonly [file: string, ...args: string[]];
  /** Variables of the process besides its secrets. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Descriptor to write the secrets to. @default - they are variables */
  readonly descriptor?: { readonly number: number; readonly format: DescriptorFormat };
  /** Time between two looks for changes, and the deed at one. @default - never looks */
  readonly watch?: { readonly intervalMs: number; readonly onChange: OnChange };
  readonly stopTimeoutMs: number;
}

/** The surroundings of a supervision. */
interface Surroundings {
  readonly processes: Processes;
  readonly secrets: HeldSecrets;
  readonly output: Output;
  readonly clock: Clock;
  readonly random: Random;
}

/** The exit status after `--on-change exit`: EX_TEMPFAIL of sysexits.h, which says to start again. */
const exitAtChange = 75;

/** Signals that ask a process to end, so that it is not restarted any more. */
const ending: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT'];

/** Signals that a terminal sends to all processes in the foreground by itself; passed on, they would come twice. */
const fromTerminal: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT'];

/** A process with its secrets, from its start to its end, over all restarts. */
export class Supervisor {
  readonly #supervision: Supervision;
  readonly #around: Surroundings;
  readonly #restarts: number[] = [];
  #process: RunningProcess | undefined;
  /** First signal that asked for the end while no process was there to take it, or SIGTERM at any time. */
  #asked: NodeJS.Signals | undefined;
  #between = true;
  #warned: string | undefined;

  constructor(supervision: Supervision, around: Surroundings) {
    this.#supervision = supervision;
    this.#around = around;
  }

  /**
   * Runs the process with what was read for it.
   * @returns the exit status
   * @throws RekeyError from before the first start only: what comes later is a warning, and the process goes on
   */
  async run(first: Reading): Promise<number> {
    const { processes, secrets } = this.#around;
    // Taken before the process is there: a signal in between must not end this one alone.
    const release = processes.takeSignals((name) => this.#signalled(name));
    try {
      let running = await this.#start(first);
      secrets.hold(first);
      for (;;) {
        const change = await this.#nextChange(running);
        if (change === undefined) return await running.ended;
        const next = await this.#answer(change, running);
        if (typeof next === 'number') return next;
        running = next;
      }
    } finally {
      release();
    }
  }

  #signalled(name: NodeJS.Signals): void {
    if (name === 'SIGTERM' || (this.#between && ending.includes(name))) this.#asked ??= name;
    // What a terminal sends, it sends to the process as well. One that is being stopped has its signal already.
    const twice = this.#around.processes.terminal && fromTerminal.includes(name);
    if (!this.#between && !twice) this.#process?.signal(name);
  }

  /** Starts the process with values, or throws before anything has run. */
  async #start(reading: Reading): Promise<RunningProcess> {
    const { command, environment, descriptor, stopTimeoutMs, watch } = this.#supervision;
    const variables = nameVariables(reading.secrets, descriptor === undefined ? 'environment' : 'descriptor');
    const document = descriptor && writeVariables(variables, descriptor.format);
    const [file, ...args] = command;
    const running = await this.#around.processes.start({
      file,
      args,
      environment:
        descriptor === undefined ? { ...environment, ...Object.fromEntries(variables) } : environment,
      graceMs: stopTimeoutMs,
      ...(descriptor !== undefined && { descriptor: descriptor.number }),
    });
    if (document !== undefined) running.write(document, watch?.onChange !== 'write');
    this.#process = running;
    this.#between = false;
    if (this.#asked !== undefined) running.signal(this.#asked);
    return running;
  }

  /** Waits for a change of a secret; `undefined` when the process has ended first. */
  async #nextChange(running: RunningProcess): Promise<Change | undefined> {
    const { watch } = this.#supervision;
    if (watch === undefined) return undefined;
    const { secrets, random } = this.#around;
    const over = running.ended.then(() => 'over' as const);
    for (;;) {
      if ((await this.#waited(secrets.pauseMs(watch.intervalMs, random), over)) === 'over') return undefined;
      const look = secrets.look().then(
        (change) => {
          this.#reached();
          return change;
        },
        (error: unknown) => this.#warn(error),
      );
      const found = await Promise.race([look, over]);
      if (found === 'over') return undefined;
      if (found !== undefined) return found;
    }
  }

  async #waited(ms: number, over: Promise<'over'>): Promise<'over' | undefined> {
    const stop = new AbortController();
    const waiting = pause(ms, undefined, { signal: stop.signal }).catch(() => undefined);
    const first = await Promise.race([waiting, over]);
    stop.abort();
    return first;
  }

  /** Does what is to be done at a change. Gives the process that runs on, or the exit status. */
  async #answer(change: Change, running: RunningProcess): Promise<RunningProcess | number> {
    const { watch, stopTimeoutMs, descriptor } = this.#supervision;
    const { secrets, output } = this.#around;
    const onChange = watch?.onChange ?? 'nothing';
    const what = `${change.changed.join(', ')} has another version`;
    if (onChange === 'restart') return await this.#restart(change, running, what);
    if (onChange === 'exit') {
      output.note(`rekey: ${what}; the process is stopped`, 'warn');
      this.#between = true;
      const status = await running.stop(stopTimeoutMs);
      return this.#asked === undefined ? exitAtChange : status;
    }
    if (onChange === 'write' && descriptor !== undefined) {
      try {
        running.write(writeVariables(nameVariables(change.reading.secrets, 'descriptor'), 'json'), false);
      } catch (error) {
        secrets.hold(change.reading);
        this.#warn(error);
        return running;
      }
    } else if (typeof onChange === 'object') {
      running.signal(onChange.signal);
    }
    const done =
      onChange === 'nothing'
        ? 'the process keeps the one it has'
        : onChange === 'write'
          ? `it was written to descriptor ${descriptor?.number}`
          : 'the process was told';
    output.note(`rekey: ${what}; ${done}`, 'warn');
    secrets.hold(change.reading);
    return running;
  }

  /** Puts the process anew in the place of the old one, when its pace allows it. */
  async #restart(change: Change, running: RunningProcess, what: string): Promise<RunningProcess | number> {
    const { secrets, output, clock } = this.#around;
    const { stopTimeoutMs, descriptor } = this.#supervision;
    try {
      // A value that cannot be a variable must not cost the process that works.
      const variables = nameVariables(
        change.reading.secrets,
        descriptor === undefined ? 'environment' : 'descriptor',
      );
      if (descriptor !== undefined) writeVariables(variables, descriptor.format);
    } catch (error) {
      secrets.hold(change.reading);
      this.#warn(error);
      return running;
    }
    if (this.#asked !== undefined) return await running.ended;
    const waitMs = nextRestart(this.#restarts, clock.now().getTime()) - clock.now().getTime();
    if (waitMs > 0) {
      output.note(`rekey: ${what}; restarted often of late, so again in ${formatDuration(waitMs)}`, 'warn');
      if (
        (await this.#waited(
          waitMs,
          running.ended.then(() => 'over' as const),
        )) === 'over'
      ) {
        return await running.ended;
      }
      // What was read before the pause may be old by now; the next look reads it anew.
      return running;
    }
    if (running.over) return await running.ended;
    output.note(`rekey: ${what}; the process is restarted`, 'warn');
    this.#between = true;
    const status = await running.stop(stopTimeoutMs);
    if (this.#asked !== undefined) return status;
    this.#restarts.push(clock.now().getTime());
    const next = await this.#start(change.reading);
    secrets.hold(change.reading);
    return next;
  }

  /** Says once what keeps a look from working, until it works again or is something else. */
  #warn(error: unknown): undefined {
    const { code, message } = explain(error);
    if (this.#warned !== code) {
      this.#warned = code;
      this.#around.output.note(`rekey: ${code}: ${message}; the process goes on with what it has`, 'warn');
    }
    return undefined;
  }

  #reached(): void {
    if (this.#warned === undefined) return;
    this.#warned = undefined;
    this.#around.output.note('rekey: secrets can be looked at again');
  }
}
