import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode } from '../process/system-error.ts';

/** One started emulator, as its `cloud.json` file names it. */
export interface Instance {
  readonly pid: number;
  readonly port: number;
  /** Random word on its command line. It tells the emulator from an unrelated process that got the same pid. */
  readonly name: string;
}

const file = (directory: string) => join(directory, 'cloud.json');

export async function writeInstance(directory: string, instance: Instance): Promise<void> {
  await writeFile(file(directory), `${JSON.stringify(instance)}\n`);
}

async function isRunning(instance: Instance): Promise<boolean> {
  return await new Promise((resolve) => {
    execFile('ps', ['-ww', '-p', String(instance.pid), '-o', 'stat=,args='], (error, stdout) => {
      resolve(!error && !stdout.trimStart().startsWith('Z') && stdout.includes(instance.name));
    });
  });
}

/** Finds the emulator that `directory` names, if its process still lives. */
export async function findInstance(directory: string): Promise<Instance | undefined> {
  const text = await readFile(file(directory), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, port, name } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || typeof port !== 'number' || typeof name !== 'string' || !name)
    return undefined;
  const instance = { pid, port, name };
  return (await isRunning(instance)) ? instance : undefined;
}

function signalGroup(pid: number): void {
  try {
    // The emulator keeps nothing across runs, so there is nothing that a gentler signal would let it save.
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

/**
 * Ends the emulator of `directory` with its whole process group and removes its state; the log stays. With
 * `expected`, does nothing when another instance has taken its place.
 * @returns whether one was running.
 */
export async function stopInstance(directory: string, expected?: Instance): Promise<boolean> {
  const instance = await findInstance(directory);
  if (!instance || (expected && expected.name !== instance.name)) return false;
  signalGroup(instance.pid);
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && (await isRunning(instance))) await sleep(20);
  for (const part of ['cloud.json', 'tmp', 'state', 's3']) {
    await rm(join(directory, part), { recursive: true, force: true, maxRetries: 5 });
  }
  return true;
}
