import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Cleanup } from '../../local/cleanup.ts';
import { checkout } from '../../local/run.ts';
import { startConsumer } from './consumer.ts';
import { start } from './settings.ts';
import { openWorld, type Standing, type World } from './world.ts';

jest.setTimeout(1_200_000);

/** The commit whose templates count as released: what is deployed from it must survive an upgrade. */
const baseline = readFileSync(join(import.meta.dirname, 'baseline'), 'utf8').trim();
const names = ['/dev/orders', '/dev/billing', '/dev/ledger', '/dev/token'] as const;
const logins = names.slice(0, 3);

const cleanup = new Cleanup();
let world: World;
const before = new Map<string, Standing>();

/** A checkout of the baseline beside this one, which runs on the packages of this one. */
function checkOut(directory: string): string {
  const git = (...args: string[]) => execFileSync('git', ['-C', checkout, ...args], { stdio: 'pipe' });
  git('worktree', 'add', '--detach', directory, baseline);
  cleanup.add(async () => {
    git('worktree', 'remove', '--force', directory);
  });
  if (!existsSync(join(directory, 'node_modules'))) {
    symlinkSync(join(checkout, 'node_modules'), join(directory, 'node_modules'));
  }
  return directory;
}

beforeAll(async () => {
  world = await openWorld(cleanup);
  const old = checkOut(join(world.directory, 'baseline'));
  const { succeeded, output } = await world.deploy(start(world.place), old);
  if (!succeeded) throw new Error(`the baseline ${baseline} cannot be deployed:\n${output}`);
  for (const name of names) {
    await world.settled(name);
    await world.rotate(name);
    before.set(name, await world.standing(name));
  }
}, 1_200_000);
afterAll(() => cleanup.run(), 120_000);

test('an upgrade from the baseline changes no value, cancels no schedule, and consumers notice nothing', async () => {
  const consumer = startConsumer(world, logins);
  const { succeeded, output } = await world.deploy(start(world.place));
  const { failures, logins: count } = await consumer.stop();
  expect({ output: succeeded ? '' : output, succeeded }).toEqual({ output: '', succeeded: true });
  expect(failures).toEqual([]);
  expect(count).toBeGreaterThan(0);
  for (const name of names) {
    const was = before.get(name);
    const { description, versionId, value } = await world.standing(name);
    expect({ name, versionId, same: value === was?.value, rotates: description.RotationEnabled }).toEqual({
      name,
      versionId: was?.versionId,
      same: true,
      rotates: true,
    });
    expect(description.RotationRules).toEqual(was?.description.RotationRules);
    expect({ name, function: await world.hasFunction(description.RotationLambdaARN ?? '') }).toEqual({
      name,
      function: true,
    });
    await world.rotate(name);
  }
});
