import { Command, Option } from 'commander';
import { collect, duration, examples, text, why } from './arguments.ts';
import type { Chosen } from './context.ts';
import { addApprovalCommands } from './program-approval.ts';
import { addExecCommand } from './program-exec.ts';
import { addIncidentCommands } from './program-incident.ts';
import { addPolicyCommands } from './program-policy.ts';
import { addPreflightCommand } from './program-preflight.ts';
import { addQuarantineCommands } from './program-quarantine.ts';
import { addRestoreCommand } from './program-restore.ts';
import { addRevokeCommand } from './program-revoke.ts';
import { addScanCommand } from './program-scan.ts';
import { parseDuration } from './time.ts';

/** The values of the global options. */
export interface GlobalOptions {
  readonly environment?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

const exitCodes = `
Exit codes:
  0  done
  1  a check failed: something is not as it must be
  2  wrong usage
  3  the system could not be reached, or refused
`;

/**
 * Defines the command line: commands, options and their help. An action only notes what to run, and loads its command when it
 * runs, so that help and usage errors stay fast.
 */
export function createProgram(
  version: string,
  choose: (chosen: Chosen, options: GlobalOptions, name: string) => void,
): Command {
  const program = new Command('rekey')
    .description('Rotates secrets, revokes them in an emergency, and proves what happened.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showHelpAfterError('(--help shows how)')
    .option(
      '-e, --environment <name>',
      'the environment; by default REKEY_ENVIRONMENT, or else the only one deployed',
    )
    .option('--region <region>', 'the AWS region; by default what the AWS configuration says')
    .option('--profile <profile>', 'the profile of the AWS configuration')
    .option('--json', 'one JSON document on standard output (NDJSON for audit tail and --follow), errors too')
    .option('--no-color', 'no colours; also NO_COLOR')
    .addHelpText('after', exitCodes)
    .addHelpText(
      'after',
      examples(
        'rekey secret list --environment prod',
        'rekey secret rotate /prod/orders/db --wait',
        'rekey revoke /prod/orders/db --mode kill --reason "found in a public repository" --wait',
        'rekey audit verify',
        'rekey doctor',
      ),
    );

  const run = (command: Command, chosen: Chosen) =>
    choose(chosen, command.optsWithGlobals<GlobalOptions>(), command.name());

  const secret = program
    .command('secret')
    .description('list, show and rotate secrets; values are never read');
  addRestoreCommand(secret, run);
  secret
    .command('list')
    .description('every secret of the environment: when it was rotated, when it will be, whether that works')
    .addHelpText(
      'after',
      examples('rekey secret list', 'rekey secret list --json | jq \'.secrets[] | select(.state != "ok")\''),
    )
    .action((_options, command: Command) =>
      run(command, async (invocation) => (await import('./commands/secret-list.ts')).secretList(invocation)),
    );
  secret
    .command('show')
    .description('one secret: definition, consumers, and its versions with labels and ages')
    .argument('<name>', 'full name, or ARN', text)
    .addHelpText('after', examples('rekey secret show /prod/orders/db'))
    .action((name: string, _options, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/secret-show.ts')).secretShow(invocation, name),
      ),
    );
  secret
    .command('rotate')
    .description('start a rotation; shows a plan and asks first')
    .argument('<name>', 'full name, or ARN', text)
    .option('-w, --wait', 'follow the rotation to its end; exit code 1 if it fails')
    .option('--timeout <duration>', 'longest wait', duration, '1m')
    .addOption(
      new Option('--abandon', 'give up an unfinished rotation that cannot be finished').conflicts('wait'),
    )
    .option('--force', 'with --abandon: also one that may be under way right now')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'rekey secret rotate /prod/orders/db --wait',
        'rekey secret rotate /prod/orders/db --yes --wait --json',
        'rekey secret rotate /prod/orders/db --abandon',
      ),
    )
    .action(
      (
        name: string,
        options: { wait?: boolean; timeout: string; yes?: boolean; abandon?: boolean; force?: boolean },
        command: Command,
      ) =>
        run(command, async (invocation) =>
          options.abandon === true
            ? (await import('./commands/secret-abandon.ts')).secretAbandon(invocation, name, {
                yes: options.yes === true,
                force: options.force === true,
              })
            : (await import('./commands/secret-rotate.ts')).secretRotate(invocation, name, {
                wait: options.wait === true,
                yes: options.yes === true,
                timeoutMs: parseDuration(options.timeout, '--timeout'),
              }),
        ),
    );

  const selecting = (command: Command): Command =>
    command
      .argument('[names...]', 'full names of secrets, or ARNs')
      .option('--type <type>', 'all secrets of a type, such as postgresql', text)
      .option('--all', 'all secrets of the environment')
      .option('-y, --yes', 'do not ask');
  interface Selecting {
    readonly type?: string;
    readonly all?: boolean;
    readonly yes?: boolean;
  }

  const selection = (names: readonly string[], { type, all }: Selecting) => ({
    names,
    all: all === true,
    ...(type !== undefined && { type }),
  });
  selecting(program.command('pause'))
    .description(
      'keep rotations from beginning for a while; one that has begun goes on, revocations are not held up',
    )
    .requiredOption('--for <duration>', 'how long, such as 4h, up to 30d; it ends by itself', duration)
    .requiredOption('-r, --reason <text>', 'why; it goes into the audit log, so no secret in it', why)
    .addHelpText(
      'after',
      examples(
        'rekey pause /prod/orders/db --for 4h --reason "database upgrade"',
        'rekey pause --type postgresql --for 1d --reason "a new version of the functions"',
        'rekey pause --all --for 12h --reason "freeze" --yes',
      ),
    )
    .action((names: string[], options: Selecting & { for: string; reason: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/pause.ts')).pause(invocation, {
          ...selection(names, options),
          reason: options.reason,
          yes: options.yes === true,
          forMs: parseDuration(options.for, '--for'),
        }),
      ),
    );
  selecting(program.command('resume'))
    .description('end a pause before its time, and let go of the brake of the functions concerned')
    .option('-r, --reason <text>', 'why; it goes into the audit log, and a brake needs one', why)
    .addHelpText(
      'after',
      examples(
        'rekey resume /prod/orders/db',
        'rekey resume /prod/orders/db --reason "the server is back"',
        'rekey resume --all --yes',
      ),
    )
    .action((names: string[], options: Selecting & { reason?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/pause.ts')).resume(invocation, {
          ...selection(names, options),
          ...(options.reason !== undefined && { reason: options.reason }),
          yes: options.yes === true,
        }),
      ),
    );

  program
    .command('whose')
    .description('which secret a value is of that was found somewhere, and whether it still works')
    .argument(
      '[id]',
      'id of an access key (AKIA…) or SHA-256 of a value; a value itself only on standard input, where it is not shown',
    )
    .option('--hashes', 'SHA-256 of values on standard input, one a line')
    .option('--from-scan <file>', 'values in the JSON report of gitleaks, TruffleHog or GitHub')
    // What is meant as a value may look like anything, and no error may repeat it.
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      'after',
      examples(
        'rekey whose',
        'pbpaste | rekey whose',
        'rekey whose AKIAIOSFODNN7EXAMPLE',
        'rekey whose --hashes --json < hashes.txt',
        'rekey whose --from-scan gitleaks.json',
      ),
    )
    .action((_id: string | undefined, options: { hashes?: boolean; fromScan?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/whose.ts')).whose(invocation, {
          words: command.args,
          hashes: options.hashes === true,
          fromScan: options.fromScan,
        }),
      ),
    );

  addExecCommand(program, run);
  addRevokeCommand(program, run);
  addQuarantineCommands(program, run);
  addApprovalCommands(program, run);

  program
    .command('notify')
    .description('try the channels on which people are told')
    .command('test')
    .description('have the notifier send a message of no consequence')
    .option('--channel <name...>', 'a channel; by default all of them', collect)
    .addHelpText('after', examples('rekey notify test', 'rekey notify test --channel oncall'))
    .action((options: { channel?: readonly string[] }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/notify-test.ts')).notifyTest(invocation, {
          channels: options.channel ?? [],
        }),
      ),
    );

  addIncidentCommands(program, run);

  program
    .command('config')
    .description('look at the configuration file')
    .command('migrate')
    .description(
      'each line of the configuration that this version wants otherwise; exit code 1 while there is one',
    )
    .option('-c, --config <path>', 'the configuration file', text, 'rekey.config.ts')
    .addHelpText(
      'after',
      examples('rekey config migrate', 'rekey config migrate --config deploy/rekey.config.ts'),
    )
    .action((options: { config: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/config-migrate.ts')).configMigrate(invocation, options),
      ),
    );

  addPolicyCommands(program, run);
  addPreflightCommand(program, run);
  addScanCommand(program, run);

  const audit = program.command('audit').description('read the audit log, and check that nobody changed it');
  audit
    .command('tail')
    .description('records since some time, and with --follow those to come; --json prints them as NDJSON')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--since <time>', 'a duration before now (15m, 1h, 7d) or an ISO 8601 time', '1h')
    .option('--secret <name>', 'of one secret only; full name, or ARN', text)
    .addHelpText(
      'after',
      examples(
        'rekey audit tail --follow',
        'rekey audit tail --since 7d --secret /prod/orders/db',
        "rekey audit tail --since 1d --json | jq -r '.event.detailType'",
      ),
    )
    .action((options: { follow?: boolean; since: string; secret?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/audit-tail.ts')).auditTail(invocation, {
          ...options,
          follow: options.follow === true,
        }),
      ),
    );
  audit
    .command('verify')
    .description('read the whole log and name everything that was altered, removed, moved or inserted')
    .option(
      '--from <directory>',
      'a copy of the bucket (the folder that holds entries/), needs no AWS access',
      text,
    )
    .option(
      '--expect-head <sequence:hash>',
      'a head noted earlier, to see whether records were cut off',
      text,
    )
    .addHelpText(
      'after',
      examples(
        'rekey audit verify',
        'aws s3 sync s3://<bucket> ./copy && rekey audit verify --from ./copy',
        'rekey audit verify --expect-head 1284:9f1c…',
      ),
    )
    .action((options: { from?: string; expectHead?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/audit-verify.ts')).auditVerify(invocation, options),
      ),
    );

  program
    .command('doctor')
    .description('look at everything that Rekey needs to work, and say what to do about what does not')
    .addHelpText('after', examples('rekey doctor', 'rekey doctor --environment prod --json'))
    .action((_options, command: Command) =>
      run(command, async (invocation) => (await import('./commands/doctor.ts')).doctor(invocation)),
    );
  return program;
}
