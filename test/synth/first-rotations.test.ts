import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { RekeyEnvironment } from '../../lib/stacks/rekey-environment.ts';
import { testApp } from './support/app.ts';
import { manySecrets } from './support/many.ts';

interface Schedule {
  readonly Properties: { readonly RotateImmediatelyOnUpdate: boolean };
  readonly DependsOn: readonly string[];
}

/** The schedules of one rotation stack, by logical id. */
function schedulesOf(configuration: ReturnType<typeof manySecrets>): Record<string, Schedule> {
  const { rotations } = new RekeyEnvironment(testApp(), 'prod', {
    configuration,
    directory: import.meta.dirname,
  });
  expect(rotations).toHaveLength(1);
  return Template.fromStack(rotations[0] as never).findResources(
    'AWS::SecretsManager::RotationSchedule',
  ) as Record<string, Schedule>;
}

describe('the first rotations of a stack', () => {
  const before = schedulesOf(manySecrets(35, 7));
  const behind = (schedules: Record<string, Schedule>, id: string) =>
    (schedules[id]?.DependsOn ?? []).filter((other) => other in schedules);

  test('start in ten rows, and those of adopted secrets, which wait for their schedule, do not stand in them', () => {
    const now = Object.keys(before).filter((id) => before[id]?.Properties.RotateImmediatelyOnUpdate);
    expect(now.length).toBeGreaterThan(25);
    expect(now.length).toBeLessThan(35);
    expect(now.filter((id) => behind(before, id).length === 0).length).toBeLessThanOrEqual(10);
    const followed = now.flatMap((id) => behind(before, id));
    expect(new Set(followed).size).toBe(followed.length);
    for (const id of Object.keys(before)) {
      if (!now.includes(id)) expect([id, behind(before, id)]).toEqual([id, []]);
    }
  });

  test('change what one other waits for when a secret comes or goes, and no property of any', () => {
    const all = manySecrets(35, 7);
    const { 'service-0022': _gone, ...others } = all.secrets;
    const after = schedulesOf({ ...all, secrets: others });
    expect(Object.keys(before).length - Object.keys(after).length).toBe(1);
    let changed = 0;
    for (const id of Object.keys(after)) {
      expect(after[id]?.Properties).toEqual(before[id]?.Properties);
      if (behind(after, id).join() !== behind(before, id).join()) changed += 1;
    }
    expect(changed).toBeLessThanOrEqual(1);
  });
});
