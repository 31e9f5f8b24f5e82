import type { Command } from 'commander';
import { duration, examples, text, why } from './arguments.ts';
import type { QuarantineOptions } from './commands/quarantine.ts';
import type { Chosen } from './context.ts';
import { parseDuration } from './time.ts';

interface QuarantineFlags {
  readonly reason: string;
  readonly incident?: string;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly yes?: boolean;
}

const optionsOf = ({ reason, incident, wait, timeout, yes }: QuarantineFlags): QuarantineOptions => ({
  reason,
  ...(incident !== undefined && { incident }),
  wait: wait === true,
  yes: yes === true,
  timeoutMs: parseDuration(timeout, '--timeout'),
});

const shared = (command: Command): Command =>
  command
    .argument('<arn>', 'ARN of the IAM role or user, with its path', text)
    .requiredOption('-r, --reason <text>', 'why; it goes into the audit log, so no secret in it', why)
    .option('--incident <id>', 'the incident that this belongs to', text)
    .option('-w, --wait', 'until it was carried out; exit code 1 if it is refused')
    .option('--timeout <duration>', 'longest wait', duration, '2m')
    .option('-y, --yes', 'do not ask');

/** Adds `rekey quarantine`: denies everything to a role or user whose credentials were stolen, and the end of that. */
export function addQuarantineCommands(
  program: Command,
  run: (command: Command, chosen: Chosen) => void,
): void {
  const quarantine = program
    .command('quarantine')
    .description('deny everything to an IAM role or user whose credentials were stolen, and lift that');
  shared(
    quarantine
      .command('principal')
      .description('deny everything to its sessions that began before now; shows a plan and asks first'),
  )
    .option('--all', 'to new sessions, and to access keys of a user, as well, until it is lifted')
    .addHelpText(
      'after',
      examples(
        'rekey quarantine principal arn:aws:iam::111122223333:role/app-worker --reason "host was entered" --incident INC-7 --wait',
        'rekey quarantine principal arn:aws:iam::111122223333:user/ci --all --reason "key in a public repository" --wait',
      ),
    )
    .action((arn: string, options: QuarantineFlags & { all?: boolean }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/quarantine.ts')).quarantinePrincipal(invocation, arn, {
          ...optionsOf(options),
          all: options.all === true,
        }),
      ),
    );
  shared(
    quarantine
      .command('lift')
      .description('take the quarantine away that one request has placed; asks first'),
  )
    .requiredOption('--request <id>', 'id of the request for the quarantine', text)
    .addHelpText(
      'after',
      examples(
        'rekey quarantine lift arn:aws:iam::111122223333:role/app-worker --request 0195a000-0000-7000-8000-000000000001 --reason "host was rebuilt" --wait',
      ),
    )
    .action((arn: string, options: QuarantineFlags & { request: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/quarantine.ts')).quarantineLift(invocation, arn, {
          ...optionsOf(options),
          request: options.request,
        }),
      ),
    );
}
