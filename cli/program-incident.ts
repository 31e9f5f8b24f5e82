import { type Command, Option } from 'commander';
import { collect, examples, text, why } from './arguments.ts';
import type { Chosen } from './context.ts';

interface SourceFlags {
  readonly since: string;
  readonly from?: string;
}

interface RetryFlags extends SourceFlags {
  readonly secret?: readonly string[];
  readonly mode?: 'replace' | 'kill';
  readonly reason?: string;
  readonly breakGlass?: boolean;
  readonly yes?: boolean;
}

interface ReportFlags {
  readonly out: string;
  readonly from?: string;
  readonly legalHold?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

const since = ['--since <time>', 'a duration before now (7d, 12w) or an ISO 8601 time', '30d'] as const;
const from = [
  '--from <directory>',
  'a copy of the bucket (the folder that holds entries/), needs no AWS access',
  text,
] as const;
const idWords = 'its name (INC-7), the id of a request, or the id in the message that you were paged with';

/** Adds `rekey incident`: what the audit log tells of incidents, and the reports of them. */
export function addIncidentCommands(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  const incident = program
    .command('incident')
    .description('incidents: how they stand, what happened, reports of them, and who takes one on');
  incident
    .command('list')
    .description('revocations that belong together, newest first, and whether anything of them is open')
    .option('--open', 'only those of which something is open')
    .option(...since)
    .option(...from)
    .addHelpText(
      'after',
      examples(
        'rekey incident list --open',
        'rekey incident list --since 90d --json',
        'rekey incident list --from ./copy --since 2026-01-01',
      ),
    )
    .action((options: SourceFlags & { open?: boolean }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/incident.ts')).incidentList(invocation, {
          ...options,
          open: options.open === true,
        }),
      ),
    );
  incident
    .command('show')
    .description('one incident: each secret, tasks, who did what, what is open')
    .argument('<id>', idWords, text)
    .option('-f, --follow', 'until nothing is under way; exit code 1 if something is open then')
    .option(...since)
    .option(...from)
    .addHelpText(
      'after',
      examples(
        'rekey incident show INC-7',
        'rekey incident show INC-7 --follow',
        "rekey incident show 7fb43d074f0c --json | jq -r '.open[]'",
      ),
    )
    .action((id: string, options: SourceFlags & { follow?: boolean }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/incident.ts')).incidentShow(invocation, id, {
          ...options,
          follow: options.follow === true,
        }),
      ),
    );
  incident
    .command('timeline')
    .description('what happened in an incident, a line each, with who did it')
    .argument('<id>', idWords, text)
    .option(...since)
    .option(...from)
    .addHelpText('after', examples('rekey incident timeline INC-7', 'rekey incident timeline INC-7 --json'))
    .action((id: string, options: SourceFlags, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/incident.ts')).incidentTimeline(invocation, id, options),
      ),
    );
  incident
    .command('report')
    .description(
      'write a page, the draft of a postmortem, and the records with their proof; verifies the log',
    )
    .argument('<id>', idWords, text)
    .requiredOption('-o, --out <directory>', 'a folder that does not exist yet, or is empty', text)
    .option(...from)
    .option('--legal-hold', 'also keep the objects of these records from ever being deleted; asks first')
    .option('-r, --reason <text>', 'why they are held; it goes into the audit log, so no secret in it', why)
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'rekey incident report INC-7 --out ./INC-7',
        'rekey incident report INC-7 --out ./INC-7 --from ./copy',
        'rekey incident report INC-7 --out ./INC-7 --legal-hold --reason "claim of a customer"',
      ),
    )
    .action((id: string, options: ReportFlags, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/incident-report.ts')).incidentReport(invocation, id, {
          ...options,
          legalHold: options.legalHold === true,
          yes: options.yes === true,
        }),
      ),
    );
  incident
    .command('retry')
    .description('revoke again what failed or was not proven, with the versions that leaked then; asks first')
    .argument('<id>', idWords, text)
    .option('--secret <name...>', 'only these secrets; by default all that are open', collect)
    .addOption(
      new Option('-m, --mode <mode>', 'by default that of the former request').choices(['replace', 'kill']),
    )
    .option('-r, --reason <text>', 'by default that of the former request; no secret in it', why)
    .option('--break-glass', 'go on without the second person that it needs; recorded, and raises an alarm')
    .option('-y, --yes', 'do not ask')
    .option(...since)
    .option(...from)
    .addHelpText(
      'after',
      examples(
        'rekey incident retry INC-7',
        'rekey incident retry INC-7 --secret /prod/orders/db --mode kill --yes',
        'rekey incident retry INC-7 --from ./copy',
      ),
    )
    .action((id: string, options: RetryFlags, command: Command) =>
      run(command, async (invocation) => {
        const { secret = [], breakGlass = false, yes = false, ...rest } = options;
        const { incidentRetry } = await import('./commands/incident-retry.ts');
        return incidentRetry(invocation, id, { ...rest, secrets: secret, breakGlass, yes });
      }),
    );
  incident
    .command('done')
    .description('record that what a revocation left to people was done, which closes the task')
    .argument('<request>', 'id of the request, as rekey incident show has it', text)
    .argument('<task>', 'id of the task', text)
    .requiredOption('-n, --note <text>', 'what was done; it goes into the audit log, so no secret in it', why)
    .addHelpText(
      'after',
      examples(
        'rekey incident done 0195a000-0000-7000-8000-000000000001 3f2a91bc --note "sessions were ended at the identity provider"',
      ),
    )
    .action((request: string, task: string, options: { note: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/incident-done.ts')).incidentDone(invocation, request, task, options),
      ),
    );
  incident
    .command('acknowledge')
    .description('take an incident on, so that it is not escalated any further')
    .argument('<id>', 'its id, as the message has it', text)
    .option('-n, --note <text>', 'who does what; it goes into the audit log, so no secret in it', why)
    .addHelpText(
      'after',
      examples(
        'rekey incident acknowledge 7fb43d074f0c',
        'rekey incident acknowledge 7fb43d074f0c --note "looking at the database"',
      ),
    )
    .action((id: string, options: { note?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/incident-acknowledge.ts')).incidentAcknowledge(invocation, id, options),
      ),
    );
}
