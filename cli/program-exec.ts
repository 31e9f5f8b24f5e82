import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, duration, examples, text } from './arguments.ts';
import type { Chosen } from './context.ts';
import { usageError } from './errors.ts';
import { parseDuration } from './time.ts';

interface ExecFlags {
  readonly secret: readonly string[];
  readonly prefix?: string;
  readonly envFileDescriptor?: number;
  readonly format: 'json' | 'dotenv';
  readonly watch?: string | true;
  readonly onChange?: string;
  readonly stopTimeout: string;
  readonly awsCredentials: boolean;
}

const descriptor = (value: string): number => {
  const read = Number(value);
  if (!/^\d$/.test(value) || read < 3) {
    throw new InvalidArgumentError(
      'It must be from 3 to 9: 0, 1 and 2 are the input and outputs of the command.',
    );
  }
  return read;
};

const prefix = (value: string): string => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) {
    throw new InvalidArgumentError('It must be of letters, digits and _, and begin with no digit.');
  }
  return value;
};

const exitCodes = `
Exit codes: the status of the command, or 128 and the number of the signal that ended it; else
   75  a secret has changed, and --on-change exit has stopped the command
  125  the command was not started: wrong usage, or a secret could not be read
  126  the command could not be started
  127  there is no such command
`;

/** Adds `rekey exec`: a process with its secrets in its environment or on a descriptor. */
export function addExecCommand(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  program
    .command('exec')
    .description('run a command with secrets in its environment, or on a file descriptor')
    .argument('<command...>', 'the command and its arguments, behind --')
    .requiredOption(
      '--secret <reference>',
      '[NAME=]<name or ARN>[#key][@label]; without NAME each key of its JSON is a variable; can be repeated',
      collect,
    )
    .option(
      '--prefix <text>',
      'before the names that are made of keys; PREFIX_*=<id> is for one secret',
      prefix,
    )
    .option(
      '--env-file-descriptor <number>',
      'not into the environment, but to this descriptor of the command',
      descriptor,
    )
    .addOption(
      new Option('--format <format>', 'on the descriptor').choices(['json', 'dotenv']).default('json'),
    )
    .option('--watch [interval]', 'look for new versions this often; without an interval, every 60s')
    .option(
      '--on-change <deed>',
      'restart, signal:<name>, write (to the descriptor), exit or nothing; by default restart; watches',
      text,
    )
    .option(
      '--stop-timeout <duration>',
      'between SIGTERM and SIGKILL when the command is stopped',
      duration,
      '10s',
    )
    .option('--no-aws-credentials', 'keep the AWS credentials of this command from the other one')
    .addHelpText('after', exitCodes)
    .addHelpText(
      'after',
      examples(
        'rekey exec --secret /prod/orders/db -- ./migrate',
        "rekey exec --secret DB_PASSWORD=/prod/orders/db#password --secret 'MAIL_*=/prod/mail' -- node server.js",
        'rekey exec --secret /prod/orders/db --watch --on-change restart -- node server.js',
        'rekey exec --secret /prod/orders/db --env-file-descriptor 3 --on-change write -- ./reads-lines',
      ),
    )
    .action((command: readonly [string, ...string[]], flags: ExecFlags, self: Command) =>
      run(self, async (invocation) => {
        const { exec } = await import('./commands/exec.ts');
        return await exec(invocation, command, {
          references: flags.secret,
          format: flags.format,
          stopTimeoutMs: atMost(flags.stopTimeout, '--stop-timeout', '1h'),
          awsCredentials: flags.awsCredentials,
          ...(flags.prefix !== undefined && { prefix: flags.prefix }),
          ...(flags.envFileDescriptor !== undefined && { descriptor: flags.envFileDescriptor }),
          ...((flags.watch !== undefined || flags.onChange !== undefined) && {
            intervalMs: atMost(typeof flags.watch === 'string' ? flags.watch : '60s', '--watch', '24h'),
          }),
          ...(flags.onChange !== undefined && { onChange: flags.onChange }),
        });
      }),
    );
}

/**
 * Reads a duration up to a limit. A timer of Node counts to 24 days, and one that is longer fires at once.
 * @throws CliError `DurationInvalid`
 */
function atMost(text: string, option: string, limit: string): number {
  const duration = parseDuration(text, option);
  if (duration <= parseDuration(limit, option)) return duration;
  throw usageError('DurationInvalid', `${option} ${text} is too long; the longest is ${limit}`);
}
