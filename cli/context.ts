import type { AuditLogSource } from '../core/audit/verify.ts';
import type { Cloud, CloudChoice } from '../core/operator-ports.ts';
import type { Clock, Random } from '../core/ports.ts';
import type { Processes } from './exec/processes.ts';
import type { Output, Stream } from './output.ts';

/** The parts of its process that a run of the CLI needs. */
export interface CliContext {
  /** Version of the package. */
  readonly version: string;
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Environment variables: `REKEY_ENVIRONMENT`, `NO_COLOR`, `TERM`. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Asks the person at the terminal for a line; absent when there is none. */
  readonly ask?: (question: string) => Promise<string>;
  /** Reads a value from standard input: all of it, or at a terminal what is typed there, without showing it. */
  readonly readHidden: (question: string) => Promise<string>;
  readonly clock: Clock;
  readonly random: Random;
  /** Resolves after `ms`, or at once when the signal is or becomes aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Signal that is aborted when the person wants the command to end (Ctrl-C). */
  readonly signal: AbortSignal;
  /** Lists the profiles of the AWS configuration. */
  readonly profiles: () => Promise<readonly string[]>;
  /** Gives the processes of the system, for `rekey exec`. */
  readonly processes: () => Promise<Processes>;
  readonly connect: (choice: CloudChoice) => Promise<Cloud>;
  /** Opens a copy of an audit log's bucket in a directory. */
  readonly auditCopy: (directory: string) => Promise<AuditLogSource>;
}

/** The surroundings that every command gets besides its own arguments. */
export interface Invocation {
  readonly context: CliContext;
  readonly output: Output;
  readonly cloud: Cloud;
  /** `--environment` or `REKEY_ENVIRONMENT`, when given. */
  readonly environment?: string;
}

/** A command that was chosen, waiting for its surroundings. Its answer is an exit code, or the status of a process that it ran. */
export type Chosen = (invocation: Invocation) => Promise<number>;
