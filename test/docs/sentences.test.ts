import { describe, expect, test } from '@jest/globals';
import { docComments } from '../../docs/sentences/comments.ts';
import { faultsIn, findFaults } from '../../docs/sentences/faults.ts';

/** A sentence of 21 words. */
const long = `Reads ${'one '.repeat(19)}word.`;

test('each doc comment begins with a sentence that is read once', () => {
  expect(findFaults()).toEqual([]);
});

describe('what is found', () => {
  test.each([
    [
      'a comment of tags only',
      '/** @see https://example.com */\nexport const a = 1;',
      'before the first tag',
    ],
    ['no full stop', '/** Limit in seconds */\nexport const a = 1;', 'full stop'],
    ['more than 20 words', `/** ${long} */\nfunction a() {}`, 'more than 20 words'],
    ['a relative clause', '/** What a rotation does. */\nexport type A = B;', 'relative clause'],
    [
      'one behind a preposition',
      '/** Of which the log holds one. */\nreadonly a: number;',
      'relative clause',
    ],
    ['a time', '/** Since when it waits. */\nreadonly since: Date;', 'relative clause'],
    ['a question', '/** Whether it ran. */\nreadonly ran: boolean;', 'relative clause'],
    ['not … un…', '/** State that is not unknown. */\nreadonly a: string;', 'denies twice'],
    ['no … without', '/** There is no user without a name. */\nreadonly a: string;', 'denies twice'],
    ['nothing that … not', '/** Holds nothing that does not fit. */\nreadonly a: string;', 'denies twice'],
    ['never … not', '/** A value that is never read or not whole. */\nreadonly a: string;', 'denies twice'],
    [
      'a function as a noun',
      '/** The head of a log. */\nexport const a = (b: string) => b;',
      'what the function does',
    ],
    ['a function as a plural', '/** Keys of a secret. */\nfunction a() {}', 'what the function does'],
    ['a command', '/** Read the head of a log. */\nexport function a() {}', 'what the function does'],
    ['an interface without article', '/** Head of a log. */\nexport interface A {', 'what the class does'],
  ])('%s', (_, text, message) => {
    expect(faultsIn('lib/x.ts', text)).toEqual([expect.stringContaining(message)]);
  });
});

test.each([
  ['a verb', '/** Reads the head of a log. */\nexport const a = (b: string) => b;'],
  ['a noun for a property', '/** Name of the environment. */\nreadonly environment: string;'],
  ['a noun for a getter', '/** The name of the environment. */\nget environment(): string {'],
  ['an article for a class', '/** A log in a bucket. */\nexport abstract class Log {'],
  [
    'code as one word',
    `/** Runs \`${'x '.repeat(30)}\`, {@link a | not without a name}. */\nfunction b() {}`,
  ],
  ['neither and nor', '/** Holds neither a value nor a name. */\nfunction a() {}'],
  [
    'a word that only looks like a denial',
    '/** Waits no longer than until the unit is undefined. */\nfunction a() {}',
  ],
  ['an abbreviation', '/** Reads a name, e.g. of a log, in the bucket. */\nfunction a() {}'],
  ['20 words', `/** ${long.replace('one ', '')} */\nfunction a() {}`],
  ['a later sentence', `/** Reads a log. What ${long} is not unknown. */\nfunction a() {}`],
  ['a comment that is no doc comment', '// What a rotation does\nfunction a() {}'],
])('%s is fine', (_, text) => {
  expect(faultsIn('lib/x.ts', text)).toEqual([]);
});

test.each([
  ['export async function a() {', 'function'],
  ['export const a = (', 'function'],
  ['const a = async (b: string) => b;', 'function'],
  ['export const a = b => b;', 'function'],
  ['export const a: Step = (b) => b;', 'function'],
  ['const a: (b: string) => string = c;', 'function'],
  ['export const a = <T>(b: T) => b;', 'function'],
  ['protected override async a<T>(b: T): Promise<T> {', 'function'],
  ['a?(b: string): void;', 'function'],
  ['async #a(): Promise<void> {', 'function'],
  ['readonly now: () => Date;', 'function'],
  ['readonly log: (\n', 'function'],
  ['get a(): string {', 'other'],
  ['constructor(a: string) {', 'other'],
  ['readonly a: string;', 'other'],
  ['readonly function: IFunction;', 'other'],
  ['readonly a: (string | number)[];', 'other'],
  ['export const a = [1].map((b) => b);', 'other'],
  ['export type A = (b: string) => string;', 'other'],
  ['export abstract class A {', 'class'],
  ['interface A {', 'class'],
])('%s is a %s', (declaration, kind) => {
  expect(docComments(`/** Text. */\n${declaration}`).map((comment) => comment.kind)).toEqual([kind]);
});

test('a sentence ends at a full stop, a tag or an empty line, and is found with its line', () => {
  const text = [
    'const a = 1;',
    '',
    '/**',
    ' * Reads the head',
    ' * of a log. It may be gone.',
    ' */',
    'function b() {}',
    '  /** Log of version 8.0.30',
    '   * @see https://example.com */',
    '  readonly c: string;',
    '/**',
    ' * Log',
    ' *',
    ' * More.',
    ' */',
  ].join('\n');
  expect(docComments(text).map(({ line, sentence }) => [line, sentence])).toEqual([
    [3, 'Reads the head of a log.'],
    [8, 'Log of version 8.0.30'],
    [11, 'Log'],
  ]);
});
