import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isPermitted } from '../../dependencies/licences.ts';
import { isShipped, lockedPackages } from '../../dependencies/shipped.ts';

const root = join(import.meta.dirname, '..', '..');
const packages = lockedPackages();

interface Manifest {
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const manifest = (file: string): Manifest => JSON.parse(readFileSync(join(root, file), 'utf8'));

test('every package of the lock file has a hash, of this and of other platforms', () => {
  const without = packages.filter(
    ({ integrity, inBundle }) => !inBundle && !/^sha512-/.test(integrity ?? ''),
  );
  expect(without.map(({ path }) => path)).toEqual([]);
});

test('no package of the lock file comes from another registry than npm’s', () => {
  const lock: { packages: Record<string, { resolved?: string; link?: boolean }> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const elsewhere = Object.entries(lock.packages).filter(
    ([, { resolved, link }]) =>
      resolved !== undefined && link !== true && !resolved.startsWith('https://registry.npmjs.org/'),
  );
  expect(elsewhere).toEqual([]);
  const links = Object.entries(lock.packages).filter(([, { link }]) => link === true);
  expect(links.map(([, { resolved }]) => resolved)).toEqual(manifest('package.json').workspaces);
});

test('what is shipped is under a licence that may be shipped, as the lock file has it', () => {
  const others = packages.filter((one) => isShipped(one) && !isPermitted(one.license));
  expect(others.map(({ path, license }) => `${path}: ${license}`)).toEqual([]);
});

test('nothing that is shipped runs a script when it is installed', () => {
  const scripted = packages.filter((one) => isShipped(one) && one.hasInstallScript === true);
  expect(scripted.map(({ path }) => path)).toEqual([]);
});

test.each(['package.json', 'reference/package.json'])('every version in %s is exact', (file) => {
  const { dependencies, devDependencies } = manifest(file);
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version),
  );
  expect(loose).toEqual([]);
});
