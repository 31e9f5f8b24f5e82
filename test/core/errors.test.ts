import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { errorCatalogue } from '../../core/errors/catalogue/index.ts';
import { codes, type ErrorGroup, isErrorCode, isRetryable, retryableCodes } from '../../core/errors/codes.ts';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { findingCatalogue } from '../../core/findings/catalogue.ts';
import { findingData } from '../../core/findings/codes.ts';

const root = join(import.meta.dirname, '..', '..');
const groups = Object.keys(codes) as ErrorGroup[];
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const sources = ['adapters', 'bin', 'cli', 'core', 'lambdas', 'lib', 'rotators'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
);

/** First words of the rows of a page's tables that look like codes. */
const codesInTables = (page: string): string[] =>
  read(page)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([A-Z][A-Za-z]+)`/g)])
    .map(([, code = '']) => code);

describe('codes of errors', () => {
  test.each(groups)('each of %s has one entry that says what happened and what to do', (group) => {
    expect(Object.keys(errorCatalogue[group])).toEqual(Object.keys(codes[group]));
    for (const { meaning, remedy } of Object.values(errorCatalogue[group])) {
      expect(meaning).toMatch(/^[A-Z`].{15,}[.]$/);
      expect(remedy).toMatch(/^[A-Z`].{6,}[.]$/);
    }
  });

  test('none is of two groups', () => {
    const all = groups.flatMap((group) => Object.keys(codes[group]));
    expect(all.filter((code, index) => all.indexOf(code) !== index)).toEqual([]);
  });

  test('the code alone decides whether it is retried, also in what is published', () => {
    for (const code of groups.flatMap((group) => Object.keys(codes[group])).filter(isErrorCode)) {
      const error = new RekeyError(code, 'text');
      expect(error.retryable).toBe(isRetryable(code));
      expect(summarizeError(error)).toEqual({ code, message: 'text', retryable: isRetryable(code) });
    }
    expect(retryableCodes('target')).toEqual(['TargetUnreachable', 'TargetBusy', 'TargetTimeout']);
    expect(summarizeError(new Error('hunter2'))).toMatchObject({ code: 'Unexpected', retryable: false });
  });

  test('what passes by itself needs nobody, or says that it is tried again', () => {
    for (const code of groups.flatMap((group) => Object.entries(errorCatalogue[group]))) {
      const [name, { mender }] = code;
      if (mender === 'nobody, it passes')
        expect([name, isErrorCode(name) && isRetryable(name)]).toEqual([name, true]);
    }
  });

  test('no function, command or construct throws an error without one', () => {
    // Caught where they are thrown, or of a program for those who develop Rekey.
    const inside = [
      'core/audit/format.ts',
      'core/audit/verify.ts',
      'core/page/html.ts',
      'rotators/http/addresses.ts',
      'rotators/http/parse-recipe.ts',
      'rotators/transport/tls/rds/certificates.ts',
      'rotators/transport/tls/rds/update.ts',
    ];
    const plain = sources.filter((path) =>
      /throw (?:Object\.assign\()?new (?:Range|Type)?Error\(/.test(read(path)),
    );
    expect(plain).toEqual(inside);
  });

  test.each(['docs/runbooks/rotation-failed.md'])('%s names only codes that there are', (page) => {
    const named = codesInTables(page);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((code) => !isErrorCode(code))).toEqual([]);
  });
});

describe('codes of findings', () => {
  test.each(Object.entries(findingCatalogue))('%s has an entry', (_, { meaning, remedy }) => {
    expect(meaning).toMatch(/^[A-Z].{15,}[.]$/);
    expect(remedy).toMatch(/^[A-Z].{6,}[.]$/);
  });

  test('the code decides how severe it is', () => {
    expect(findingData('arn', { code: 'LoginRestored', message: 'text' })).toEqual({
      secretArn: 'arn',
      code: 'LoginRestored',
      severity: 'low',
      message: 'text',
    });
  });
});
