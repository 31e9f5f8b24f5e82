import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { makePrivate } from '../process/folders.ts';
import { systemErrorCode } from '../process/system-error.ts';

/**
 * The process that owns a running local deployment. It is told from an unrelated process that got the same pid by a
 * random word, which stands both in its file and on its command line.
 */
interface Keeper {
  readonly pid: number;
  readonly word: string;
  /** Time at which it began, ISO 8601. */
  readonly since: string;
}

const file = (directory: string): string => join(directory, 'keeper.json');

async function find(directory: string): Promise<Keeper | undefined> {
  const text = await readFile(file(directory), 'utf8').catch(() => '{}');
  let keeper: Partial<Keeper>;
  try {
    keeper = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { pid, word, since = '' } = keeper;
  if (typeof pid !== 'number' || typeof word !== 'string' || word === '') {
    return undefined;
  }
  return (await commandLine(pid)).includes(word) ? { pid, word, since } : undefined;
}

const commandLine = (pid: number): Promise<string> =>
  new Promise((resolve) => {
    execFile('ps', ['-ww', '-p', String(pid), '-o', 'args='], (error, stdout) =>
      resolve(error ? '' : stdout),
    );
  });

/**
 * Makes this process the keeper of `directory`. What an interrupted run left behind is no obstacle.
 * @param word - stands on the command line of this process
 * @throws RekeyError `LocalCloudRunning` when another process is
 */
export async function claim(directory: string, word: string): Promise<void> {
  await makePrivate(directory, 'enterable');
  const keeper: Keeper = { pid: process.pid, word, since: new Date().toISOString() };
  for (;;) {
    try {
      await writeFile(file(directory), `${JSON.stringify(keeper)}\n`, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    const other = await find(directory);
    if (other !== undefined) {
      throw new RekeyError(
        'LocalCloudRunning',
        `A local cloud of this checkout is running already: process ${other.pid}, since ${other.since}, ` +
          `files in ${directory}.\nEnd it with: npm run local:down`,
      );
    }
    await release(directory);
  }
}

export async function release(directory: string): Promise<void> {
  await rm(file(directory), { force: true });
}

/** Limit of ending, which takes seconds, and many times as long on a machine that is busy with other things. */
const endLimitMs = 120_000;

/** Asks the keeper of `directory` to end everything that it started, and waits for it. Returns whether there was one. */
export async function dismiss(directory: string): Promise<boolean> {
  const keeper = await find(directory);
  if (keeper === undefined) {
    await release(directory);
    return false;
  }
  process.kill(keeper.pid, 'SIGTERM');
  const deadline = Date.now() + endLimitMs;
  while (Date.now() < deadline && (await commandLine(keeper.pid)).includes(keeper.word)) {
    await sleep(100);
  }
  if ((await commandLine(keeper.pid)).includes(keeper.word)) {
    throw new RekeyError(
      'LocalCloudStuck',
      `process ${keeper.pid} did not end within ${endLimitMs / 1000} s; look at it, then end it with: kill -9 ${keeper.pid}`,
    );
  }
  return true;
}
