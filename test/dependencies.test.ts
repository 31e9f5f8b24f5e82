import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, '..', file), 'utf8'));
const packages = Object.entries<Locked>(read('package-lock.json').packages).filter(
  ([path, { link }]) => path !== '' && link !== true,
);
const nameOf = (path: string): string => path.split('node_modules/').at(-1) ?? path;

test('every package of the lock file has a hash, of this and of other platforms', () => {
  const without = packages.filter(
    ([, { integrity, inBundle }]) => !inBundle && !/^sha512-/.test(integrity ?? ''),
  );
  expect(without.map(([path]) => path)).toEqual([]);
});

test('what is shipped is under a licence that may be shipped, as the lock file has it', () => {
  const permitted = [
    'Apache-2.0',
    'MIT',
    'ISC',
    'MIT-0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'BlueOak-1.0.0',
  ];
  // A choice of two is a choice of ours.
  const isPermitted = (license = '') =>
    license
      .replace(/[()]/g, '')
      .split(' OR ')
      .some((one) => permitted.includes(one));
  const others = packages.filter(
    ([, { dev, license, inBundle }]) => !dev && !inBundle && !isPermitted(license),
  );
  expect(others.map(([path, { license }]) => `${nameOf(path)}: ${license}`)).toEqual([]);
});

test('nothing that is shipped runs a script when it is installed', () => {
  const scripted = packages.filter(([, { dev, hasInstallScript }]) => !dev && hasInstallScript === true);
  expect(scripted.map(([path]) => nameOf(path))).toEqual([]);
});

test('every version is exact', () => {
  const { dependencies, devDependencies } = read('package.json') as Record<string, Record<string, string>>;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version),
  );
  expect(loose).toEqual([]);
});
