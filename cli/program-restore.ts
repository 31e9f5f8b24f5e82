import type { Command } from 'commander';
import { examples, text } from './arguments.ts';
import type { Chosen } from './context.ts';

/** Adds `rekey secret restore`: what a wrong revocation cut off, and what makes the secret work again. */
export function addRestoreCommand(secret: Command, run: (command: Command, chosen: Chosen) => void): void {
  secret
    .command('restore')
    .description(
      'after a wrong revocation: what was cut off, and what makes the secret work again; changes nothing',
    )
    .argument('<name>', 'full name of the secret, or its ARN', text)
    .requiredOption('--request <id>', 'id of the request for the revocation, or name of its incident', text)
    .option('--since <time>', 'a duration before now (7d, 12w) or an ISO 8601 time', '30d')
    .option('--from <directory>', 'a copy of the audit log’s bucket (the folder that holds entries/)', text)
    .addHelpText(
      'after',
      examples(
        'rekey secret restore /prod/orders/db --request 0195a000-0000-7000-8000-000000000001',
        'rekey secret restore /prod/orders/db --request INC-7 --json',
      ),
    )
    .action((name: string, options: { request: string; since: string; from?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/secret-restore.ts')).secretRestore(invocation, name, options),
      ),
    );
}
