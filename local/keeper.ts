import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError } from '../core/errors.ts';

/**
 * The process that owns a running local deployment. It is told from an unrelated process that got the same pid by a
 * random word, which stands both in its file and on its command line or, for one that was not started with it, in its
 * title.
 */
interface Keeper {
  readonly pid: number;
  readonly word: string;
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
  const { pid, word } = keeper;
  if (typeof pid !== 'number' || typeof word !== 'string' || word === '') {
    return undefined;
  }
  return (await commandLine(pid)).includes(word) ? { pid, word } : undefined;
}

const commandLine = (pid: number): Promise<string> =>
  new Promise((resolve) => {
    execFile('ps', ['-ww', '-p', String(pid), '-o', 'args='], (error, stdout) =>
      resolve(error ? '' : stdout),
    );
  });

/**
 * Makes this process the keeper of `directory`. What an interrupted run left behind is no obstacle.
 * @throws RekeyError `LocalCloudRunning` when another process is
 */
export async function claim(directory: string): Promise<void> {
  const other = await find(directory);
  if (other !== undefined) {
    throw new RekeyError(
      'LocalCloudRunning',
      `a local cloud of this checkout is running already (process ${other.pid}); end it with: npm run local:down`,
    );
  }
  await mkdir(directory, { recursive: true });
  const word = randomUUID();
  process.title = `rekey local cloud ${word}`;
  await writeFile(file(directory), `${JSON.stringify({ pid: process.pid, word } satisfies Keeper)}\n`);
}

export async function release(directory: string): Promise<void> {
  await rm(file(directory), { force: true });
}

/** Asks the keeper of `directory` to end everything that it started, and waits for it. Returns whether there was one. */
export async function dismiss(directory: string): Promise<boolean> {
  const keeper = await find(directory);
  if (keeper === undefined) {
    await release(directory);
    return false;
  }
  process.kill(keeper.pid, 'SIGTERM');
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && (await find(directory)) !== undefined) {
    await sleep(100);
  }
  if ((await find(directory)) !== undefined) {
    throw new RekeyError(
      'LocalCloudStuck',
      `process ${keeper.pid} did not end within 20 s; look at it, then kill it`,
    );
  }
  return true;
}
