import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isPermitted } from '../../dependencies/licences.ts';
import { isShipped, lockedPackages } from '../../dependencies/shipped.ts';

const packages = lockedPackages();

test('every package of the lock file has a hash, of this and of other platforms', () => {
  const without = packages.filter(
    ({ integrity, inBundle }) => !inBundle && !/^sha512-/.test(integrity ?? ''),
  );
  expect(without.map(({ path }) => path)).toEqual([]);
});

test('what is shipped is under a licence that may be shipped, as the lock file has it', () => {
  const others = packages.filter((one) => isShipped(one) && !isPermitted(one.license));
  expect(others.map(({ path, license }) => `${path}: ${license}`)).toEqual([]);
});

test('nothing that is shipped runs a script when it is installed', () => {
  const scripted = packages.filter((one) => isShipped(one) && one.hasInstallScript === true);
  expect(scripted.map(({ path }) => path)).toEqual([]);
});

test('every version is exact', () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version),
  );
  expect(loose).toEqual([]);
});
