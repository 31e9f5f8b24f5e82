import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, examples, text } from './arguments.ts';
import type { Chosen } from './context.ts';

interface ScanFlags {
  readonly exclude?: readonly string[];
  readonly gitHistory?: string | true;
  readonly staged?: boolean;
  readonly live?: boolean;
  readonly report?: string;
  readonly sarif?: boolean;
  readonly waivers?: string;
  readonly mostUnpacked?: number;
}

/** Defines `rekey scan`. The rules and the readers of archives are loaded when it runs. */
export function addScanCommand(program: Command, run: (command: Command, chosen: Chosen) => void): void {
  program
    .command('scan')
    .description(
      'secrets in what is shipped: zip, tar, images, cdk.out, source maps, git history; exit code 1 where there is one, or something could not be looked into',
    )
    .argument('[paths...]', 'files, archives, folders, saved images; with --staged, a repository')
    .option('--exclude <pattern...>', 'files of folders that are left out, such as "**/*.test.js"', collect)
    .option('--git-history [range]', 'the contents and messages of these commits as well; by default of all')
    .addOption(
      new Option('--staged', 'what stands in the index for the next commit, and nothing else').conflicts([
        'gitHistory',
        'exclude',
      ]),
    )
    .option('--live', 'ask the environment which secret has a value that was found, by fingerprint')
    .option('--report <file>', 'with --live: the secrets, for rekey revoke --from-scan; holds no value', text)
    .option('--waivers <path>', 'the file of waivers; by default rekey.waivers.json', text)
    .option('--sarif', 'a SARIF 2.1.0 log on standard output, in place of text')
    .option('--most-unpacked <GiB>', 'what is unpacked at most, in all; by default 16', gibibytes)
    .addHelpText(
      'after',
      examples(
        'rekey scan dist.zip',
        'rekey scan cdk.out --sarif > scan.sarif',
        'docker save shop:1.4 --output shop.tar && rekey scan shop.tar',
        'rekey scan . --git-history main..HEAD --exclude "test/**"',
        'rekey scan --staged',
        'rekey scan shop.tar --live --report found.json --environment prod',
      ),
    )
    .action((paths: readonly string[], options: ScanFlags, command: Command) => {
      const { staged = false, live = false, report, gitHistory, waivers, mostUnpacked } = options;
      if (report !== undefined && !live) {
        command.error("error: option '--report' needs --live, which finds the secrets that it names", {
          code: 'rekey.needsLive',
        });
      }
      run(command, async (invocation) =>
        (await import('./commands/scan.ts')).scan(invocation, {
          paths: paths.length === 0 && staged ? ['.'] : paths,
          exclude: options.exclude ?? [],
          staged,
          live,
          sarif: options.sarif === true,
          ...(gitHistory !== undefined && { gitHistory }),
          ...(report !== undefined && { report }),
          ...(waivers !== undefined && { waivers }),
          ...(mostUnpacked !== undefined && { mostUnpacked }),
        }),
      );
    });
}

function gibibytes(given: string): number {
  const read = Number(given);
  if (!Number.isFinite(read) || read <= 0 || read > 4_096) {
    throw new InvalidArgumentError('It must be a number of GiB above 0, up to 4096.');
  }
  return read * 2 ** 30;
}
