import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseManifest } from '../../../core/preflight/document.ts';
import { findersOf, readManifest, surroundingsOf } from '../../../core/preflight/read.ts';
import type { ManifestReading } from '../../../core/preflight/reference.ts';
import { propertyRuns } from '../../property-runs.ts';
import { corpus } from './corpus.ts';

/** Reads a text as a file of a name, by all that the reader of files does with it. */
function read(name: string, text: string): ManifestReading {
  const file = parseManifest(name, text);
  return readManifest(file, findersOf(file), surroundingsOf([file]));
}

const codes = (reading: ManifestReading): readonly string[] => reading.problems.map(({ code }) => code);

const files = readdirSync(corpus, { recursive: true, encoding: 'utf8', withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== 'labels.json')
  .map(({ parentPath, name }) => ({ name, text: readFileSync(join(parentPath, name), 'utf8') }));

describe('no text stops a reading', () => {
  test('manifests that are cut off anywhere', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ name, text }, at) => {
          read(name, text.slice(0, Math.floor(text.length * at)));
        },
      ),
      { numRuns: propertyRuns(300) },
    );
  });

  test('manifests with other characters in the middle', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '{{',
        '}}',
        '{%',
        '${',
        '[',
        ']',
        '&a',
        '*a',
        '<<: *a',
        '!Sub',
        '\t',
        '\r',
        '"',
        "'",
        ': ',
        '- ',
        '\u0000',
        '|',
        '---\n',
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.double({ min: 0, max: 1, noNaN: true }),
        odd,
        ({ name, text }, at, extra) => {
          const from = Math.floor(text.length * at);
          read(name, text.slice(0, from) + extra + text.slice(from));
        },
      ),
      { numRuns: propertyRuns(300) },
    );
  });

  test('any JSON under any name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...files.map(({ name }) => name)), fc.jsonValue(), (name, value) => {
        read(name, JSON.stringify(value));
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  test('a document whose aliases grow without end is refused', () => {
    const levels = Array.from({ length: 30 }, (_, level) =>
      level === 0 ? 'l0: &l0 [secretsmanager]' : `l${level}: &l${level} [${`*l${level - 1}, `.repeat(9)}]`,
    );
    const reading = read('values.yaml', levels.join('\n'));
    expect(codes(reading)).toEqual(['ManifestUnreadable']);
    expect(reading.problems[0]?.message).toMatch(/aliases/);
  });

  test('an alias that leads into itself is refused', () => {
    expect(codes(read('values.yaml', 'a: &a\n  b: *a\n  c: arn:aws:secretsmanager'))).toEqual([
      'ManifestUnreadable',
    ]);
  });

  test('a document that is nested too deeply is refused', () => {
    expect(codes(read('values.yaml', `secretsmanager: ${'['.repeat(200_000)}`))).toEqual([
      'ManifestUnreadable',
    ]);
    const levels = 2_000;
    const closed = `{"Resources": {"A": {"Type": "AWS::X::Y", "Properties": ${'['.repeat(levels)}${']'.repeat(levels)}}}}`;
    expect(codes(read('template.json', closed))).toEqual([]);
    expect(codes(read('rekey.references.json', closed))).toEqual(['ManifestUnreadable']);
    expect(codes(read('plan.json', `{"resource_changes":${'['.repeat(2_000_000)}`))).toEqual([
      'ManifestUnreadable',
    ]);
  });
});

describe('a problem quotes no line of the file', () => {
  const value = 'hunter2-which-nobody-may-see';
  test.each([
    ['compose.yaml', `services: {a: {image: a, environment: {DB_SECRET_NAME: "${value} with spaces"}}}`],
    ['values.yaml', `password: ${value}: [secretsmanager`],
    ['.env.example', `DB_SECRET_ID="${value}, and more"`],
    ['plan.json', `{"resource_changes": "${value}`],
    ['rekey.references.yaml', `references:\n  - secret: a\n    "pass ${value}": 1`],
  ])('%s', (name, text) => {
    expect(JSON.stringify(read(name, text))).not.toContain(value);
  });
});

describe('time grows with the length of a text', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:x-Ab12Cd';
  const many = (count: number, of: (at: number) => string): string =>
    Array.from({ length: count }, (_, at) => of(at)).join('\n');
  const lines = (line: string) => (count: number) => `${line}\n`.repeat(count);
  const texts: readonly (readonly [name: string, of: (count: number) => string])[] = [
    ['templates/a.yaml', (count) => `a: ${'{{ .x }}'.repeat(count)}`],
    ['templates/b.yaml', (count) => `a: '${'{{'.repeat(count)}'`],
    ['templates/c.yaml', (count) => `a: '${'{{"'.repeat(count)}'`],
    ['.env.example', lines('A_SECRET_ARN=arn:aws:secretsmanager:$X')],
    ['.env.sample', (count) => `A_SECRET_ARN=${'${A:-'.repeat(count)}`],
    ['application.properties', lines(`spring.config.import=aws-secretsmanager:\${a:\${b:\${c}}}`)],
    ['application.properties', (count) => `a=${'\\\n'.repeat(count)}`],
    ['appsettings.json', (count) => `{"a": "${'/*'.repeat(count)}" ${'/*'.repeat(count)}`],
    ['appsettings.json', (count) => `{"a": [${', '.repeat(count)}`],
    [
      '.gitlab-ci.yml',
      (count) => `a:\n  script:\n    - aws secretsmanager get-secret-value ${'--secret-id '.repeat(count)}`,
    ],
    [
      '.gitlab-ci.yml',
      (count) => `a:\n  script:\n    - "${'aws secretsmanager '.repeat(count)}get-secret-value"`,
    ],
    [
      '.gitlab-ci.yml',
      (count) => `a:\n  script:\n    - "${'aws --a '.repeat(count)}secretsmanager get-secret-value"`,
    ],
    ['values.yaml', (count) => `a: "${'ref+awssecrets://'.repeat(count)}"`],
    [
      'compose.yaml',
      (count) =>
        `services:\n${many(count / 40, (at) => `  a${at}: {image: x, environment: {X_SECRET_ARN: "${arn}"}}`)}`,
    ],
  ];
  test.each(texts)('%s', (name, of) => {
    const timed = (count: number): number => {
      const text = of(count);
      const begun = performance.now();
      read(name, text);
      return performance.now() - begun;
    };
    timed(500);
    const small = Math.max(timed(4_000), 20);
    // Ten times the text takes a hundred times as long where time grows with its square; a busy machine takes a few.
    expect(timed(40_000)).toBeLessThan(small * 50);
  });
});
