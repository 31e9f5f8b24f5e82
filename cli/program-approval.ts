import type { Command } from 'commander';
import { examples, text, why } from './arguments.ts';
import type { Chosen } from './context.ts';

interface Flags {
  readonly reason?: string;
  readonly yes?: boolean;
}

/** Adds `rekey approval`: operations that wait for a second person. */
export function addApprovalCommands(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  const approval = program
    .command('approval')
    .description('operations that wait for a second person: list, show, approve and refuse them');
  approval
    .command('list')
    .description('what waits: who asked for it, why, and until when it can be answered')
    .option('--all', 'also what was answered in the last 30 days')
    .addHelpText('after', examples('rekey approval list', 'rekey approval list --all --json'))
    .action((options: { all?: boolean }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/approval.ts')).approvalList(invocation, { all: options.all === true }),
      ),
    );
  approval
    .command('show')
    .description('one request, and the answer that it has')
    .argument('<id>', 'id of the request', text)
    .addHelpText('after', examples('rekey approval show 0195a000-0000-7000-8000-000000000001'))
    .action((id: string, _options, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/approval.ts')).approvalShow(invocation, id),
      ),
    );
  const answer = (id: string, outcome: 'granted' | 'refused', { reason, yes }: Flags, command: Command) =>
    run(command, async (invocation) =>
      (await import('./commands/approval.ts')).approvalAnswer(invocation, id, {
        outcome,
        yes: yes === true,
        ...(reason !== undefined && { reason }),
      }),
    );
  approval
    .command('approve')
    .description('have it go on; not for the one who asked. Shows what is asked, and asks first')
    .argument('<id>', 'id of the request', text)
    .option('-r, --reason <text>', 'why; it goes into the audit log, so no secret in it', why)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples('rekey approval approve 0195a000-0000-7000-8000-000000000001'))
    .action((id: string, options: Flags, command: Command) => answer(id, 'granted', options, command));
  approval
    .command('refuse')
    .description('have it not done; not for the one who asked. Shows what is asked, and asks first')
    .argument('<id>', 'id of the request', text)
    .requiredOption('-r, --reason <text>', 'why; it goes into the audit log, so no secret in it', why)
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'rekey approval refuse 0195a000-0000-7000-8000-000000000001 --reason "not before the release"',
      ),
    )
    .action((id: string, options: Flags, command: Command) => answer(id, 'refused', options, command));
}
