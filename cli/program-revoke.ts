import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, duration, examples, text } from './arguments.ts';
import type { Chosen } from './context.ts';
import type { SelectionFlags } from './selection.ts';
import { parseDuration } from './time.ts';

/** Choices of how to revoke, and which one to take. It is all that somebody may read in an emergency. */
const modes =
  'kill, in an emergency: the leaked credential dies first, even if no new one can be made; consumers fail until they read the new one. replace, where that outage is worse than a leak that works some seconds longer: the new one comes first, and if that fails, nothing is cut off';

interface RevokeFlags extends SelectionFlags {
  readonly mode?: 'replace' | 'kill';
  readonly reason?: string;
  readonly incident?: string;
  readonly versionId?: readonly string[];
  readonly drill?: boolean;
  readonly breakGlass?: boolean;
  readonly chain?: boolean;
  readonly members?: 'all' | readonly string[];
  readonly plan?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly yes?: boolean;
  readonly byHand?: boolean;
  readonly type?: string;
  readonly user?: string;
  readonly host?: string;
  readonly port?: string;
  readonly recipe?: string;
}

/** Adds `rekey revoke`: one secret by its name, or all that a selection finds. */
export function addRevokeCommand(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  program
    .command('revoke')
    .description('make leaked credentials stop working now; shows a plan and asks first')
    .argument('[names...]', 'full names of secrets, such as /prod/orders/db, or ARNs')
    .addOption(new Option('-m, --mode <mode>', modes).choices(['replace', 'kill']))
    .option('-r, --reason <text>', 'why; it goes into the audit log, so no secret in it', text)
    .option('--incident <id>', 'the incident that this belongs to', text)
    .option('--tag <key=value>', 'all secrets with this tag', tag)
    .option('--name-prefix <prefix>', 'all secrets whose names begin so', text)
    .option('--owner <owner>', 'all secrets of this owner', text)
    .option('--consumer <workload>', 'all secrets that this workload reads', text)
    .option('--principal <arn>', 'all secrets that this IAM role or user may read', text)
    .option(
      '--value',
      'the secrets that have a leaked value, which is read from standard input and not shown',
    )
    .option(
      '--from-scan <file>',
      'the secrets that have a value of a scanner’s report: gitleaks, TruffleHog, detect-secrets, GitHub, rekey scan',
      text,
    )
    .option('--everything', 'all secrets of the environment')
    .option('--chain', 'take along what these lead to: the users of an admin secret, what consumers issue')
    .option(
      '--members <names>',
      'in environments elsewhere, too: `all`, or names of revocation.members, separated by commas',
      memberNames,
    )
    .option('--plan', 'show the plan and ask for nothing')
    .option('--version-id <id...>', 'versions that leaked, of one secret; by default all that exist', collect)
    .option('--drill', 'a rehearsal; recorded as one')
    .option('--break-glass', 'go on without the second person that it needs; recorded, and raises an alarm')
    .option('-w, --wait', 'follow the revocation to its end; exit code 1 if it fails')
    .option('--timeout <duration>', 'longest wait', duration, '15m')
    .option('-y, --yes', 'do not ask')
    .addOption(
      new Option(
        '--by-hand',
        "print the target's own statements for one secret, for when Rekey or AWS is away; sends nothing",
      ).conflicts(['mode', 'reason', 'plan', 'wait', 'drill', 'breakGlass', 'chain', 'members']),
    )
    .option('--type <type>', 'with --by-hand: the secret type; AWS is not asked then', text)
    .option('--user <name>', 'with --by-hand: the user that leaked', text)
    .option('--host <host>', 'with --by-hand: where the target is', text)
    .option('--port <port>', 'with --by-hand: its port', text)
    .option('--recipe <name>', 'with --by-hand: the recipe of an HTTP API', text)
    .addHelpText(
      'after',
      examples(
        'rekey revoke /prod/orders/db --mode kill --reason "found in a public repository" --incident INC-7 --wait',
        'rekey revoke /prod/orders/db --mode replace --reason "laptop lost" --version-id 2f6c… --wait --yes',
        'rekey revoke /prod/db/admin --chain --mode kill --reason "admin password in a chat" --plan',
        'rekey revoke --from-scan gitleaks.json --mode kill --reason "found by the scanner" --plan',
        'rekey revoke --consumer checkout --mode kill --reason "host was entered" --wait',
        'rekey revoke --owner team-orders --members all --mode kill --reason "laptop stolen" --plan',
        'rekey revoke --everything --mode replace --reason "leaving the old account" --wait',
        'rekey revoke /prod/orders/db --by-hand',
        'rekey revoke /prod/orders/db --by-hand --type postgresql --user orders --host db.example.com',
      ),
    )
    .action((names: readonly string[], options: RevokeFlags, command: Command) => {
      if (options.byHand === true) return byHand(names, options, command, run);
      const { mode, reason } = required(command, options);
      run(command, async (invocation) => {
        const { asksForPlan, selectionOf } = await import('./selection.ts');
        const common = {
          mode,
          reason,
          versions: options.versionId ?? [],
          drill: options.drill === true,
          breakGlass: options.breakGlass === true,
          wait: options.wait === true,
          yes: options.yes === true,
          timeoutMs: parseDuration(options.timeout, '--timeout'),
          ...(options.incident !== undefined && { incident: options.incident }),
        };
        const [name] = names;
        if (name !== undefined && names.length === 1 && !asksForPlan(options)) {
          return (await import('./commands/revoke.ts')).revoke(invocation, name, common);
        }
        const select = await selectionOf(invocation, names, options);
        return (await import('./commands/revoke-plan.ts')).revokePlan(invocation, {
          ...common,
          select,
          chain: options.chain === true,
          ...(options.members !== undefined && { members: options.members }),
          planOnly: options.plan === true,
        });
      });
    });
}

/** Lists the options that belong to `--by-hand` alone. */
const onlyByHand = ['type', 'user', 'host', 'port', 'recipe'] as const;

/** Demands what every request holds. Commander cannot ask for it, since `--by-hand` does without. */
function required(command: Command, options: RevokeFlags): { mode: 'replace' | 'kill'; reason: string } {
  const useless = onlyByHand.find((name) => options[name] !== undefined);
  if (useless !== undefined) {
    command.error(`error: option '--${useless}' needs --by-hand`, { code: 'rekey.needsByHand' });
  }
  const { mode, reason } = options;
  if (mode !== undefined && reason !== undefined) return { mode, reason };
  // From here on they are mandatory, so that the error names all that is missing.
  for (const option of command.options) {
    if (['mode', 'reason'].includes(option.attributeName())) option.makeOptionMandatory();
  }
  return command.error('error: the mode or the reason is missing', {
    code: 'commander.missingMandatoryOptionValue',
  });
}

function byHand(
  names: readonly string[],
  options: RevokeFlags,
  command: Command,
  run: (command: Command, chosen: Chosen) => void,
): void {
  const [name] = names;
  const selected = ['tag', 'namePrefix', 'owner', 'consumer', 'principal', 'value', 'everything'] as const;
  if (name === undefined || names.length > 1 || selected.some((option) => options[option] !== undefined)) {
    command.error('error: --by-hand is for one secret; name it', { code: 'rekey.oneSecret' });
  }
  run(command, async (invocation) =>
    (await import('./commands/revoke-by-hand.ts')).revokeByHand(invocation, name, {
      ...(options.type !== undefined && { type: options.type }),
      fields: {
        ...(options.user !== undefined && { username: options.user }),
        ...(options.host !== undefined && { host: options.host }),
        ...(options.port !== undefined && { port: options.port }),
        ...(options.recipe !== undefined && { recipe: options.recipe }),
      },
    }),
  );
}

/** Reads a tag as `key=value`. */
function tag(given: string): { readonly key: string; readonly value: string } {
  const at = given.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be a key and a value, such as team=orders.');
  return { key: given.slice(0, at), value: given.slice(at + 1) };
}

/** Reads the names of environments elsewhere, or `all`. */
function memberNames(given: string): 'all' | readonly string[] {
  const names = given.split(',').map((name) => name.trim());
  if (given === 'all') return given;
  if (names.includes('') || names.includes('all')) {
    throw new InvalidArgumentError(
      'It must be all, or names with commas between them, such as prod,staging.',
    );
  }
  return names;
}
