import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { cachedBundle } from '../../../lib/function/bundle-cache.ts';

let root: string;
let made: number;
const source = () => join(root, 'source.ts');
const cache = () => ({ root, folder: join(root, 'cache') });

/** Copies the source, as a bundler does with more effort. */
function make(directory: string): Metafile {
  made += 1;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'index.mjs'), readFileSync(source()));
  return { inputs: { 'source.ts': { bytes: 1, imports: [] } }, outputs: {} };
}
function bundled(key: unknown = 'options'): string {
  const directory = mkdtempSync(join(root, 'out-'));
  const metafile = cachedBundle(cache(), key, directory, make);
  expect(Object.keys(metafile.inputs)).toEqual(['source.ts']);
  return readFileSync(join(directory, 'index.mjs'), 'utf8');
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekey-bundles-'));
  made = 0;
  writeFileSync(join(root, 'package-lock.json'), 'first versions');
  writeFileSync(source(), 'first text');
  // Files of a checkout are older than the bundle of them.
  utimesSync(source(), new Date(2_000_000), new Date(2_000_000));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('bundles that are kept', () => {
  test('are copied as long as the files, options and versions are the same', () => {
    expect([bundled(), bundled(), made]).toEqual(['first text', 'first text', 1]);
  });

  test.each<readonly [string, () => unknown]>([
    [
      'a file has changed',
      () => {
        writeFileSync(source(), 'other text');
        utimesSync(source(), new Date(3_000_000), new Date(3_000_000));
      },
    ],
    ['versions have changed', () => writeFileSync(join(root, 'package-lock.json'), 'other versions')],
    [
      'what was kept is damaged',
      () => {
        for (const name of readdirSync(cache().folder).filter((one) => one.endsWith('.json')))
          writeFileSync(join(cache().folder, name), '{');
      },
    ],
  ])('are made anew when %s', (_when, change) => {
    bundled();
    change();
    expect([bundled(), made]).toEqual([readFileSync(source(), 'utf8'), 2]);
    expect([bundled(), made]).toEqual([readFileSync(source(), 'utf8'), 2]);
  });

  test('are made anew where a file of theirs was lost or altered', () => {
    bundled();
    for (const name of readdirSync(cache().folder).filter((one) => !one.endsWith('.json')))
      writeFileSync(join(cache().folder, name, 'index.mjs'), 'altered');
    expect([bundled(), made]).toEqual(['first text', 2]);
  });

  test('are not kept where a file changed while they were made', () => {
    const directory = mkdtempSync(join(root, 'out-'));
    cachedBundle(cache(), 'options', directory, (to) => {
      const metafile = make(to);
      writeFileSync(source(), 'saved meanwhile');
      return metafile;
    });
    utimesSync(source(), new Date(3_000_000), new Date(3_000_000));
    expect([bundled(), made]).toEqual(['saved meanwhile', 2]);
  });

  test('are made anew for other options', () => {
    bundled();
    bundled('other options');
    expect(made).toBe(2);
  });

  test('are made in place where nothing can be kept', () => {
    writeFileSync(cache().folder, 'a file is in the way');
    expect([bundled(), bundled(), made]).toEqual(['first text', 'first text', 2]);
  });

  test('go after a week, and the files that they named a day later', () => {
    bundled();
    const age = (days: number) => {
      for (const name of readdirSync(cache().folder)) {
        const then = new Date(Date.now() - days * 24 * 3600 * 1000);
        utimesSync(join(cache().folder, name), then, then);
      }
    };
    age(7.5);
    bundled('other options');
    expect(readdirSync(cache().folder)).toHaveLength(3);
    age(8.5);
    bundled('further options');
    expect(readdirSync(cache().folder)).toHaveLength(2);
  });
});
