import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '../../local/process/run.ts';

/** The commit whose templates count as released: what is deployed from it must survive an upgrade. */
export const baseline = readFileSync(join(import.meta.dirname, 'baseline'), 'utf8').trim();

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', checkout, ...args], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

/** Whether the baseline is in this clone. A shallow one lacks it, and asks where it came from, if it came from anywhere. */
export function hasBaseline(): boolean {
  const there = () => succeeds(() => git('cat-file', '-e', `${baseline}^{commit}`));
  if (there()) return true;
  if (succeeds(() => git('remote', 'get-url', 'origin'))) {
    succeeds(() => git('fetch', '--quiet', '--depth', '1', '--no-tags', 'origin', baseline));
  }
  return there();
}

/** Writes the baseline into a new folder, where it runs on the packages of this checkout. */
export async function unpackBaseline(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const archive = `${folder}.tar`;
  git('archive', '--format=tar', `--output=${archive}`, baseline);
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  await rm(archive);
  if (!existsSync(join(folder, 'node_modules'))) {
    symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  }
}
