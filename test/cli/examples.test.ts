import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../cli/program.ts';
import { FakeCloud, rekey } from './fixture.ts';

const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)];
const wordsTo = (command: Command): string[] =>
  command.parent === null ? [] : [...wordsTo(command.parent), command.name()];

/** Splits a line as a shell does, up to a pipe and behind `&&`. */
const wordsOf = (line: string): string[] =>
  [...(/(?:&& )?(rekey .*?)(?: \||$)/.exec(line)?.[1] ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );

/** The command that a line chooses, and its arguments, which are all names of secrets. */
function understood(line: string): { chosen: boolean; secrets: readonly string[] } {
  let chosen = false;
  const program = createProgram('1', () => {
    chosen = true;
  });
  for (const command of walk(program)) command.exitOverride();
  const [, ...argv] = wordsOf(line);
  program.parse(argv, { from: 'user' });
  const leaves = walk(program).filter(({ commands }) => commands.length === 0);
  const secrets = leaves.flatMap((leaf) => [...leaf.args, leaf.getOptionValue('secret') ?? []].flat());
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
  for (const secret of secrets) expect(secret).toMatch(/^\/(?:prod|test)\//);
});
