import type { Command } from 'commander';
import { days, examples, text } from './arguments.ts';
import type { Chosen } from './context.ts';

interface PolicyFlags {
  readonly config: string;
  readonly baseline?: string;
  readonly maxRotationDays?: number;
  readonly waivers?: string;
  readonly sarif?: boolean;
}

/** Defines `rekey policy …`: its commands read files, and ask AWS for nothing. */
export function addPolicyCommands(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  const configOption = ['-c, --config <path>', 'the configuration file', text, 'rekey.config.ts'] as const;
  const policy = program
    .command('policy')
    .description(
      'hold a configuration to its policy, and templates to the rules for secrets; reads files, asks AWS for nothing',
    );
  policy
    .command('check')
    .description(
      'each rule that is broken, where, and what to do: of the configuration, or of templates and plans; exit code 1 while one is an error',
    )
    .argument('[files...]', 'CloudFormation templates, cdk.out folders, plans of terraform show -json')
    .option(
      '--baseline <path>',
      'what is deployed: a template, or a folder with templates of the same names',
      text,
    )
    .option('--max-rotation-days <days>', 'longest time between two rotations in templates', days)
    .option('--waivers <path>', 'the file of waivers for templates; by default rekey.waivers.json', text)
    .option('--sarif', 'a SARIF 2.1.0 log on standard output, in place of text')
    .option(...configOption)
    .addHelpText(
      'after',
      examples(
        'rekey policy check',
        'rekey policy check --environment prod',
        'rekey policy check cdk.out',
        'rekey policy check template.yaml --baseline deployed.yaml',
        'terraform show -json plan.out > plan.json && rekey policy check plan.json --sarif > rekey.sarif',
      ),
    )
    .action((files: string[], options: PolicyFlags, command: Command) =>
      run(command, async (invocation) =>
        files.length === 0
          ? (await import('./commands/policy-check-configuration.ts')).policyCheck(invocation, {
              config: options.config,
              sarif: options.sarif === true,
            })
          : (await import('./commands/policy-check-templates.ts')).policyCheck(invocation, {
              files,
              sarif: options.sarif === true,
              ...(options.baseline !== undefined && { baseline: options.baseline }),
              ...(options.maxRotationDays !== undefined && { maximumRotationDays: options.maxRotationDays }),
              ...(options.waivers !== undefined && { waivers: options.waivers }),
            }),
      ),
    );
  policy
    .command('explain')
    .description('each rule for one secret: what it demands and where that stands, what is set and where')
    .argument('[secret]', 'key or full name of the secret; the environment itself where it is left out', text)
    .option('--rule <rule>', 'one rule, with its reason and its controls', text)
    .option(...configOption)
    .addHelpText(
      'after',
      examples(
        'rekey policy explain /prod/orders/db',
        'rekey policy explain /prod/orders/db --rule RotationTooSeldom',
        'rekey policy explain --environment prod',
      ),
    )
    .action((name: string | undefined, options: { config: string; rule?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/policy-explain.ts')).policyExplain(invocation, name, options),
      ),
    );
  policy
    .command('diff')
    .description('what is tighter and what looser: between two environments, or since an earlier file')
    .argument('[environments...]', 'two environments of the file')
    .option('--against <path>', 'an earlier configuration file; exit code 1 if something became looser', text)
    .option(...configOption)
    .addHelpText(
      'after',
      examples('rekey policy diff dev prod', 'rekey policy diff --against before/rekey.config.ts'),
    )
    .action((names: readonly string[], options: { config: string; against?: string }, command: Command) =>
      run(command, async (invocation) =>
        (await import('./commands/policy-diff.ts')).policyDiff(invocation, names, options),
      ),
    );
}
