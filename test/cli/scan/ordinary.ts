import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/function/bundle.ts';

/** The largest file that counts as an ordinary one. */
const largest = 2_000_000;

/** Lists the files below a folder, in the order of their names; links are left out. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesIn(path);
      return entry.isFile() && statSync(path).size <= largest ? [path] : [];
    });
}

/** Takes a number of files, evenly from the whole list. */
const evenly = (files: readonly string[], count: number): string[] =>
  files.length <= count
    ? [...files]
    : Array.from({ length: count }, (_, at) => files[Math.floor((at * files.length) / count)] ?? '');

/** Finds the folder of Python's own library, where there is one. */
function pythonFolder(): string | undefined {
  try {
    return execFileSync('python3', ['-c', "import sysconfig; print(sysconfig.get_paths()['stdlib'])"])
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}

/**
 * Lists 10,000 ordinary files of this machine: what this repository holds, the library of Python, and the packages that are
 * installed, evenly. Which they are follows from the lock file and from the version of Python.
 */
export function ordinaryFiles(): Readonly<Record<'repository' | 'python' | 'packages', readonly string[]>> {
  const repository = execFileSync('git', ['-C', packageRoot, 'ls-files', '-z'])
    .toString()
    .split('\0')
    // Tests hold samples of secrets, which are to be found.
    .filter((name) => name !== '' && !name.startsWith('test/'))
    .map((name) => join(packageRoot, name));
  const folder = pythonFolder();
  const python = folder === undefined ? [] : evenly(filesIn(folder), 1_500);
  // What tools keep there changes from run to run, and secretlint's rules show samples of secrets.
  const installed = filesIn(join(packageRoot, 'node_modules')).filter(
    (path) => !/node_modules\/(?:\.cache|@secretlint)\//.test(path),
  );
  return { repository, python, packages: evenly(installed, 10_000 - repository.length - python.length) };
}
