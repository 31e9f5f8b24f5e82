import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../cli/program.ts';
import { packageRoot } from '../../lib/function/bundle.ts';
import { manifestOf } from '../../packages/manifest.ts';
import { readPage } from '../docs/markdown.ts';
import { FakeCloud, rekey } from './fixture.ts';

const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)];
const wordsTo = (command: Command): string[] =>
  command.parent === null ? [] : [...wordsTo(command.parent), command.name()];

/** Splits a line as a shell does, up to a pipe and behind `&&`. */
const wordsOf = (line: string): string[] =>
  [...(/(?:&& )?(rekey .*?)(?: [|<]|$)/.exec(line)?.[1] ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );

/** The command that a line chooses, and its arguments, which are names of secrets, or what they are found by. */
function understood(line: string): { chosen: boolean; secrets: readonly string[] } {
  let chosen = false;
  const program = createProgram('1', () => {
    chosen = true;
  });
  for (const command of walk(program)) command.exitOverride();
  const [, ...argv] = wordsOf(line);
  program.parse(argv, { from: 'user' });
  const leaves = walk(program).filter(({ commands }) => commands.length === 0);
  // An approval names a request, an incident has a name or an id, a policy is of files and environments, a quarantine of a principal,
  // and a scan of files.
  const others = ['approval', 'incident', 'policy', 'preflight', 'quarantine', 'scan'];
  const ofSecrets = leaves.filter((leaf) => !wordsTo(leaf).some((word) => others.includes(word)));
  // The arguments of `exec` are a command, and its secrets have variables before them and keys behind.
  const secrets = ofSecrets
    .flatMap((leaf) =>
      [...(leaf.name() === 'exec' ? [] : leaf.args), leaf.getOptionValue('secret') ?? []].flat(),
    )
    .map((one) => String(one).replace(/^'?[A-Z_]+\*?=/, ''));
  return { chosen, secrets };
}

const helps = await Promise.all(
  walk(createProgram('1', () => undefined)).map(
    async (command) => (await rekey(new FakeCloud(), [...wordsTo(command), '--help'])).stdout,
  ),
);
const examples = helps.flatMap(
  (help) => (help.split('\nExamples:\n')[1] ?? '').match(/(?<=^ {2})\S.*$/gm) ?? [],
);

test('the help has examples', () => expect(examples.length).toBeGreaterThan(20));

test.each(examples)('%s', (example) => {
  const { chosen, secrets } = understood(example);
  expect(chosen).toBe(true);
  for (const secret of secrets) {
    expect(secret).toMatch(/^(?:\/(?:prod|test)\/|AKIAIOSFODNN7EXAMPLE$)/);
  }
});

describe('the page of the package', () => {
  const page = readFileSync(join(packageRoot, 'packages', 'cli', 'README.md'), 'utf8');

  test('has the examples that the help begins with', () => {
    expect(page.match(/^rekey .*$/gm)).toEqual(examples.slice(0, 5));
  });

  test('says the exit codes as the help does', () => {
    const said = [...page.matchAll(/^\| (\d) \| ([^|;]*[^|; ])/gm)].map(
      ([, code, meaning]) => `${code}  ${meaning}`,
    );
    const [, help = ''] = helps[0]?.split('Exit codes:\n') ?? [];
    expect(said).toEqual(help.match(/\d {2}.*/g));
  });

  test('names every command, and the Node that the package needs', () => {
    const leaves = walk(createProgram('1', () => undefined)).filter(({ commands }) => commands.length === 0);
    const unsaid = leaves.map(wordsTo).filter((words) => {
      const group = words.length > 1 ? `\`${words[0]} …\`` : `\`${words[0]}\``;
      return !page.includes(group) && !page.includes(`\`${words.join(' ')}\``);
    });
    expect(unsaid).toEqual([]);
    const { engines } = manifestOf('cli', { version: '1.0.0', license: 'x', dependencies: {} });
    expect(page).toContain(`Needs Node ${engines.node.replace('>=', '')} or later`);
  });

  test('links nothing, since nothing else is in the package', () => expect(readPage(page).links).toEqual([]));
});
