import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { systemErrorCode } from './system-error.ts';

const checkout = join(import.meta.dirname, '..', '..');
const isRoot = process.getuid?.() === 0;

/** Folder of everything that the local cloud, the tour and the tests write. */
const ownFolder = join(checkout, '.rekey');

/** Finds the first folder on the way to `path` that only its owner may enter. */
export async function closedFolder(path: string): Promise<string | undefined> {
  for (let folder = resolve(path); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & 0o001) === 0) return folder;
  }
  return undefined;
}

/**
 * Makes a folder that nobody else may read or write, with those above it.
 * @param kind - `enterable`: as root, other users may enter it without seeing what is there, since PostgreSQL and
 *   MariaDB then run as users of their own
 * @throws Error when it is there already and belongs to somebody else, is writable for others, or is a link
 */
export async function makePrivate(path: string, kind: 'closed' | 'enterable' = 'closed'): Promise<string> {
  const mode = isRoot && kind === 'enterable' ? 0o711 : 0o700;
  await mkdir(dirname(path), { recursive: true, mode: isRoot ? 0o711 : 0o700 });
  await mkdir(path, { mode }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  const owner = process.getuid?.() ?? found.uid;
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o022) !== 0) {
    throw new Error(
      `${path} is not a folder that only its owner, user ${owner}, may write; remove it, then try again`,
    );
  }
  return path;
}

/**
 * Makes the folder for servers that run as another user, inside the checkout wherever they may enter that.
 *
 * Root's PostgreSQL and MariaDB run as users of their own, who cannot enter a checkout below a closed folder such as `/root`.
 * Opening that folder is not ours to decide. Only then their files lie in the system's temporary folder, in one that only root
 * may list or write.
 */
async function serversFolder(): Promise<string> {
  if (!isRoot || (await closedFolder(checkout)) === undefined)
    return await makePrivate(ownFolder, 'enterable');
  const name = createHash('sha256').update(checkout).digest('hex').slice(0, 12);
  return await makePrivate(join(tmpdir(), `rekey-servers-${name}`), 'enterable');
}

/** Makes a folder for one server of the tour. It is the same in every run, so that a run finds what a killed one left. */
export async function serverFolder(name: string): Promise<string> {
  return await makePrivate(join(await serversFolder(), name), 'enterable');
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
};

/** Makes a new folder for this process in `runs`, and removes those of processes that were killed before they could. */
async function newFolderIn(runs: string, name: string): Promise<string> {
  for (const entry of await readdir(runs)) {
    const pid = Number(/^(\d+)-/.exec(entry)?.[1]);
    if (pid > 0 && !isAlive(pid))
      await rm(join(runs, entry), { recursive: true, force: true, maxRetries: 5 });
  }
  return await mkdtemp(join(runs, `${process.pid}-${name}-`));
}

/** Makes a new folder inside the checkout, to be removed by whoever asked for it. */
export async function newFolder(name: string): Promise<string> {
  return await newFolderIn(await makePrivate(join(ownFolder, 'runs'), 'enterable'), name);
}

/** Makes a new folder for a server that may run as another user. Whoever asked for it removes it. */
export async function newServerFolder(name: string): Promise<string> {
  const folder = await newFolderIn(await makePrivate(join(await serversFolder(), 'runs'), 'enterable'), name);
  if (isRoot) await chmod(folder, 0o711);
  return folder;
}

/** Longest path of a socket that every system takes: 104 bytes on macOS, with the ending zero. */
const socketPathLimit = 103;

/**
 * Writes the path of a socket in as few bytes as there can be: systems take no long ones.
 * @param from - the folder that a short path may start at: that in which the process works which uses it
 */
export function socketPath(path: string, from: string = process.cwd()): string {
  const short = [path, relative(from, path)].find((one) => Buffer.byteLength(one) <= socketPathLimit);
  if (short === undefined) {
    throw new Error(`${path} is too long for the path of a socket; use a checkout with a shorter path`);
  }
  return short;
}
