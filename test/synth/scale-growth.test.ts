import { beforeAll, describe, expect, test } from '@jest/globals';
import { type AssemblyFigures, countAssembly } from '../../bench/scale/assembly.ts';
import { assignShards } from '../../lib/config/shards/assignment.ts';
import { demandsOf } from '../../lib/config/shards/capacity.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';
import { manySecrets } from './support/many.ts';

async function synthesized(count: number): Promise<AssemblyFigures> {
  const app = testApp();
  const configuration = manySecrets(count, 1);
  const shards = assignShards(demandsOf('prod', configuration), {
    environment: 'prod',
    nothingDeployed: true,
  });
  new RekeyEnvironment(app, 'prod', { configuration, directory: import.meta.dirname, shards });
  return await countAssembly(app.synth().directory);
}

const isRotation = (name: string): boolean => /-rotation(-\d+)?$/.test(name);

describe('from 10 secrets of one type to 100', () => {
  let [ten, hundred]: AssemblyFigures[] = [];
  beforeAll(async () => {
    [ten, hundred] = [await synthesized(10), await synthesized(100)];
  }, 600_000);

  const sum = (figures: AssemblyFigures | undefined, what: 'bytes' | 'resources'): number =>
    Object.entries(figures?.perStack ?? {}).reduce(
      (total, [name, stack]) => total + (isRotation(name) ? stack[what] : 0),
      0,
    );

  test('each adds its own resources to the rotation stacks, and little of what is shared', () => {
    const perSecret = (what: 'bytes' | 'resources') => (sum(hundred, what) - sum(ten, what)) / 90;
    expect(perSecret('resources')).toBeGreaterThanOrEqual(5);
    expect(perSecret('resources')).toBeLessThan(5.5);
    expect(perSecret('bytes')).toBeLessThan(6_200);
  });

  test('no other stack grows with them', () => {
    const others = Object.entries(ten?.perStack ?? {}).filter(([name]) => !isRotation(name));
    expect(others).toHaveLength(5);
    for (const [name, { resources, bytes }] of others) {
      const grown = hundred?.perStack[name];
      expect([name, grown?.resources]).toEqual([name, resources]);
      // What another pair of functions adds to the policies, but nothing for each of the 90.
      expect([name, (grown?.bytes ?? Infinity) - bytes < 90 * 20]).toEqual([name, true]);
    }
  });
});
