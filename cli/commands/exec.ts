import { constants } from 'node:os';
import { readReference } from '../../core/exec/reference.ts';
import { type DescriptorFormat, withoutAwsCredentials } from '../../core/exec/variables.ts';
import type { Invocation } from '../context.ts';
import { usageError } from '../errors.ts';
import { HeldSecrets } from '../exec/held-secrets.ts';
import { type OnChange, Supervisor } from '../exec/supervise.ts';

/** The options of `rekey exec`. */
export interface ExecOptions {
  /** References as they were written: `[NAME=]<name or ARN>[#key][@label]`. */
  readonly references: readonly string[];
  readonly prefix?: string;
  readonly descriptor?: number;
  readonly format: DescriptorFormat;
  /** Time between two looks for new versions, in ms. @default - none */
  readonly intervalMs?: number;
  /** Deed at a change, as it was written. @default restart */
  readonly onChange?: string;
  readonly stopTimeoutMs: number;
  /** False to keep the AWS credentials of this process from the other one. */
  readonly awsCredentials: boolean;
}

const deeds = ['restart', 'exit', 'write', 'nothing'] as const;
const isDeed = (text: string): text is (typeof deeds)[number] => deeds.some((deed) => deed === text);
const isSignal = (name: string): name is NodeJS.Signals => Object.hasOwn(constants.signals, name);

/** Status of a process that Ctrl-C ended. */
const interrupted = 130;

function deedOf(text: string, { descriptor, format }: ExecOptions): OnChange {
  const [kind = '', name = ''] = text.split(':');
  if (kind === 'signal' && isSignal(name) && name !== 'SIGKILL' && name !== 'SIGSTOP')
    return { signal: name };
  if (!isDeed(text)) {
    throw usageError(
      'UsageInvalid',
      `--on-change ${JSON.stringify(text.slice(0, 64))} is none of ${deeds.join(', ')} and signal:<name>, such as signal:SIGHUP`,
    );
  }
  if (text === 'write' && (descriptor === undefined || format !== 'json')) {
    throw usageError(
      'UsageInvalid',
      '--on-change write needs --env-file-descriptor with --format json: each change is a further line',
    );
  }
  return text;
}

/**
 * Runs `rekey exec`: reads secrets, runs a command with them, and sees to it when they change.
 * @returns the status of the command
 * @throws CliError from before the command has started
 */
export async function exec(
  { cloud, context, output }: Invocation,
  command: readonly [string, ...string[]],
  options: ExecOptions,
): Promise<number> {
  const onChange = deedOf(options.onChange ?? 'restart', options);
  const references = options.references.map((written) => readReference(written, options.prefix));
  const secrets = new HeldSecrets(await cloud.secretValues(), references);
  const first = await secrets.read();
  if (context.signal.aborted) return interrupted;
  const processes = await context.processes();
  const supervisor = new Supervisor(
    {
      command,
      environment: options.awsCredentials ? context.variables : withoutAwsCredentials(context.variables),
      stopTimeoutMs: options.stopTimeoutMs,
      ...(options.descriptor !== undefined && {
        descriptor: { number: options.descriptor, format: options.format },
      }),
      ...(options.intervalMs !== undefined && { watch: { intervalMs: options.intervalMs, onChange } }),
    },
    { processes, secrets, output, clock: context.clock, random: context.random },
  );
  return processes.end(await supervisor.run(first));
}
