import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, examples, text } from './arguments.ts';
import type { Chosen } from './context.ts';
import { usageError } from './errors.ts';
import { type PreflightFormat, preflightFormats } from './preflight/formats.ts';

interface PreflightFlags {
  readonly format: PreflightFormat;
  readonly failOn: 'error' | 'warning';
  readonly reader?: string;
  readonly probe?: boolean;
  readonly ca?: string;
  readonly offline?: boolean;
  readonly skip?: readonly string[];
  readonly maxReaders?: number;
  readonly concurrency: number;
  readonly printPolicy?: boolean;
  readonly json?: boolean;
}

/** Reads a whole number between two limits. */
const within =
  (least: number, most: number) =>
  (value: string): number => {
    const read = Number(value);
    if (!Number.isInteger(read) || read < least || read > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return read;
  };

const roleArn = (value: string): string => {
  if (!/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(value)) {
    throw new InvalidArgumentError('It must be the ARN of an IAM role.');
  }
  return value;
};

/** Defines `rekey preflight`. */
export function addPreflightCommand(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  program
    .command('preflight')
    .description(
      'prove each reference to a secret before a deploy: it is there, of this environment, alive, has the key, and its reader may read it',
    )
    .argument('[paths...]', 'manifests, or folders of them')
    .addOption(
      new Option('--format <format>', 'form of the report').choices(preflightFormats).default('table'),
    )
    .addOption(
      new Option('--fail-on <severity>', 'lowest severity that ends with exit code 1')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .option('--reader <arn>', 'the role that reads, where a manifest does not say', roleArn)
    .option('--probe', 'try each credential at its target, from here; reads values, and shows none')
    .option('--ca <file>', 'with --probe: certificates of own authorities, PEM', text)
    .addOption(
      new Option('--offline', 'ask AWS for nothing: only the form of references is looked at').conflicts(
        'probe',
      ),
    )
    .option(
      '--skip <check>',
      'a check that is not made, such as ReadableByTooMany; may be given again',
      collect,
    )
    .option('--max-readers <count>', 'roles and users that may read one secret; 25', within(1, 100_000))
    .option('--concurrency <calls>', 'calls at once', within(1, 64), 8)
    .option('--print-policy', 'the least that the role of this check must be allowed, in place of a check')
    .addHelpText(
      'after',
      examples(
        'rekey preflight deploy/ --environment prod',
        'rekey preflight cdk.out task-definition.json --environment prod --probe',
        'rekey preflight k8s/ --environment prod --format github --fail-on warning',
        'rekey preflight rekey.references.yaml --environment prod --reader arn:aws:iam::111122223333:role/orders',
        'rekey preflight --print-policy --environment prod > policy.json',
      ),
    )
    .action((paths: string[], flags: PreflightFlags, command: Command) =>
      run(command, async (invocation) => {
        const { proofChecks } = await import('../core/preflight/checks/index.ts');
        // What was not proven never counts as proven.
        const known = proofChecks
          .map(({ description: { id } }) => id as string)
          .filter((id) => id !== 'NotProven');
        const unknown = flags.skip?.find((one) => !known.includes(one));
        if (unknown !== undefined) {
          throw usageError(
            'UsageInvalid',
            `--skip ${unknown}: there is no such check to leave out; there are ${known.join(', ')}`,
          );
        }
        if (paths.length === 0 && flags.printPolicy !== true) {
          throw usageError('UsageInvalid', 'name manifests, or folders of them');
        }
        if (invocation.output.json && !['table', 'json'].includes(flags.format)) {
          throw usageError(
            'UsageInvalid',
            `--json and --format ${flags.format} ask for two forms; give one of them`,
          );
        }
        return (await import('./commands/preflight.ts')).preflight(invocation, {
          paths,
          format: invocation.output.json ? 'table' : flags.format,
          failOn: flags.failOn,
          probe: flags.probe === true,
          offline: flags.offline === true,
          printPolicy: flags.printPolicy === true,
          skip: flags.skip ?? [],
          concurrency: flags.concurrency,
          ...(flags.reader !== undefined && { reader: flags.reader }),
          ...(flags.maxReaders !== undefined && { maximumReaders: flags.maxReaders }),
          ...(flags.ca !== undefined && { certificateAuthorities: flags.ca }),
        });
      }),
    );
}
