import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../lib/function/bundle.ts';

/** The type tests are compiled by `npm run types`; this looks only at what they look at. */
const tests = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test-d.ts'))
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));

test('whatever the package exports has a type test', () => {
  const index = readFileSync(join(packageRoot, 'lib', 'index.ts'), 'utf8');
  const exported = [...index.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) =>
    names.split(',').flatMap((name) => name.trim().replace(/^type /, '') || []),
  );
  expect(exported.length).toBeGreaterThan(40);
  const untested = exported.filter((name) => {
    const used = new RegExp(`\\b${name}\\b`, 'g');
    // Once in the import, and at least once below it.
    return !tests.some((text) => (text.match(used)?.length ?? 0) > 1);
  });
  expect(untested).toEqual([]);
});

test('every construct, function and setting has something that it refuses', () => {
  const refused = tests.flatMap((text) => [...text.matchAll(/^\/\/ @ts-expect-error (.+)$/gm)]);
  expect(refused.length).toBeGreaterThan(45);
  expect(tests.join('\n')).not.toMatch(/@ts-ignore|@ts-expect-error\n|\bas any\b/);
});
