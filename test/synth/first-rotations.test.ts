import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';
import { manySecrets } from './support/many.ts';

interface First {
  readonly Properties: { readonly SecretId: unknown };
  readonly DependsOn: readonly string[];
}

/** What starts the first rotations of one rotation stack, by logical id. */
function firstsOf(configuration: ReturnType<typeof manySecrets>): Record<string, First> {
  const { rotations } = new RekeyEnvironment(testApp(), 'prod', {
    configuration,
    directory: import.meta.dirname,
  });
  expect(rotations).toHaveLength(1);
  return Template.fromStack(rotations[0] as never).findResources('Custom::RekeyFirstRotation') as Record<
    string,
    First
  >;
}

describe('the first rotations of a stack', () => {
  const before = firstsOf(manySecrets(35, 7));
  const behind = (firsts: Record<string, First>, id: string) =>
    (firsts[id]?.DependsOn ?? []).filter((other) => other in firsts);

  test('start in ten rows; those of adopted secrets wait for their schedule', () => {
    const now = Object.keys(before);
    expect(now.length).toBeGreaterThan(25);
    expect(now.length).toBeLessThan(35);
    expect(now.filter((id) => behind(before, id).length === 0).length).toBeLessThanOrEqual(10);
    const followed = now.flatMap((id) => behind(before, id));
    expect(new Set(followed).size).toBe(followed.length);
  });

  test('change what one other waits for when a secret comes or goes, and no property of any', () => {
    const all = manySecrets(35, 7);
    const { 'service-0022': _gone, ...others } = all.secrets;
    const after = firstsOf({ ...all, secrets: others });
    expect(Object.keys(before).length - Object.keys(after).length).toBe(1);
    let changed = 0;
    for (const id of Object.keys(after)) {
      expect(after[id]?.Properties).toEqual(before[id]?.Properties);
      if (behind(after, id).join() !== behind(before, id).join()) changed += 1;
    }
    expect(changed).toBeLessThanOrEqual(1);
  });
});
