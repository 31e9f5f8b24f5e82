import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Command, CommanderError } from 'commander';
import { createProgram } from '../../cli/program.ts';
import { packageRoot } from '../../lib/function/bundle.ts';

/** Every command that a page shows is one that the command line understands. */

const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)];

/** Commands in a page: lines of its shell code, and code within its text. */
function commandsIn(text: string): string[] {
  const [fences, inline]: [string[], string[]] = [[], []];
  let language: string | undefined;
  for (const line of text.split('\n')) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence !== null) language = language === undefined ? fence[1] : undefined;
    else if (language === 'sh') fences.push(line.trim());
    else if (language === undefined)
      inline.push(...[...line.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
  }
  return [...fences, ...inline].filter(
    (code) => /^rekey [a-z]/.test(code) && !/(?:^|[^"\w])…(?:[^"]|$)/.test(code),
  );
}

/** Splits a line as a shell does, up to a pipe, a comment or a redirection; a place to fill in is a word. */
const wordsOf = (line: string): string[] =>
  [
    ...(/rekey .*?(?= [|#>]| <[^\w]|$)/.exec(line.replaceAll(/<([\w -]+)>/g, 'word'))?.[0] ?? '').matchAll(
      /"([^"]*)"|'([^']*)'|(\S+)/g,
    ),
  ].map(([, double, single, plain]) => double ?? single ?? plain ?? '');

/** The fault of a command, if it has one; a mention may leave out what a call must have. */
function faultOf(line: string, whole = false): string | undefined {
  const program = createProgram('1', () => undefined);
  for (const command of walk(program))
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  const [, ...argv] = wordsOf(line);
  try {
    program.parse(argv, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const mention = [
      'commander.missingArgument',
      'commander.missingMandatoryOptionValue',
      'commander.optionMissingArgument',
      'commander.help',
      'commander.helpDisplayed',
    ];
    return !whole && mention.includes(error.code) ? undefined : error.message;
  }
}

const pages = [
  'README.md',
  ...readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const documented = pages.flatMap((page) =>
  commandsIn(readFileSync(join(packageRoot, page), 'utf8')).map((command): [string, string] => [
    page,
    command,
  ]),
);

test('the pages show commands', () => expect(documented.length).toBeGreaterThan(150));

test('every command of a page is understood', () => {
  expect(
    documented.flatMap(([page, command]) => {
      const fault = faultOf(command);
      return fault === undefined ? [] : [`${page}: ${command}: ${fault}`];
    }),
  ).toEqual([]);
});

test('the first five minutes of an incident are commands that need nothing added', () => {
  const lines = commandsIn(readFileSync(join(packageRoot, 'docs', 'incident-response.md'), 'utf8')).filter(
    (line) => line.includes('--reason'),
  );
  expect(lines.length).toBeGreaterThan(8);
  expect(lines.flatMap((line) => faultOf(line, true) ?? [])).toEqual([]);
});
