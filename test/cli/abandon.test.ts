import { expect, test } from '@jest/globals';
import { ago, day, FakeCloud, healthy, minute, rekey } from './fixture.ts';

const stuck = { ...healthy, versions: { a: ['AWSCURRENT'], b: ['AWSPENDING'] } };

function cloudWith(age: number): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', stuck).created = { b: ago(age) };
  return cloud;
}

const abandon = (cloud: FakeCloud, ...more: string[]) =>
  rekey(cloud, ['secret', 'rotate', 'orders', '--abandon', '--json', ...more]);

const labels = (cloud: FakeCloud) => cloud.secrets[0]?.description?.versions;

test('shows a plan, records it first, and takes AWSPENDING off the version', async () => {
  const cloud = cloudWith(day);
  const { exitCode, stdout, stderr } = await abandon(cloud, '--yes');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ secret: 'orders', outcome: 'abandoned', versionId: 'b' });
  expect(stderr).toContain('Plan: abandon a rotation');
  expect(stderr).toContain('b loses AWSPENDING');
  expect(labels(cloud)).toEqual({ a: ['AWSCURRENT'], b: [] });
  expect(cloud.published).toMatchObject([
    {
      source: 'rekey.cli',
      detailType: 'Secret Rotation Abandoned',
      detail: { data: { secretName: 'orders', versionId: 'b', forced: false } },
    },
  ]);
  expect(cloud.rotationsAsked).toEqual([]);
});

test('ends only when a late step of the abandoned rotation cannot see it as pending any more', async () => {
  const cloud = cloudWith(day);
  const seen: (readonly string[])[] = [];
  cloud.onSleep = () => {
    seen.push(labels(cloud)?.b ?? []);
  };
  const started = cloud.clock;
  expect((await abandon(cloud, '--yes')).exitCode).toBe(0);
  expect(seen).toEqual([[]]);
  expect(cloud.clock - started).toBeGreaterThanOrEqual(3_000);
});

test('twice is once', async () => {
  const cloud = cloudWith(day);
  await abandon(cloud, '--yes');
  const { exitCode, stdout } = await abandon(cloud, '--yes');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'nothing to abandon', versionId: null });
  expect(cloud.published).toHaveLength(1);
});

test('asks, and changes nothing without an answer', async () => {
  const cloud = cloudWith(day);
  const { exitCode, stdout } = await abandon(cloud);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout).error.code).toBe('ConfirmationMissing');
  expect(labels(cloud)).toEqual(stuck.versions);
  expect(cloud.published).toEqual([]);
});

test('a rotation that may be under way is left alone unless forced', async () => {
  const cloud = cloudWith(minute);
  const { exitCode, stdout } = await abandon(cloud, '--yes');
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout).error).toMatchObject({ code: 'RotationRunning' });
  expect(labels(cloud)).toEqual(stuck.versions);
  expect((await abandon(cloud, '--yes', '--force')).exitCode).toBe(0);
  expect(cloud.published).toMatchObject([{ detail: { data: { forced: true } } }]);
});

test('what is not recorded is not done', async () => {
  const cloud = cloudWith(day);
  cloud.failures.bus = new Error('no bus');
  expect((await abandon(cloud, '--yes')).exitCode).toBe(3);
  expect(labels(cloud)).toEqual(stuck.versions);
});

test('--wait has nothing to wait for', async () => {
  expect((await abandon(cloudWith(day), '--wait')).exitCode).toBe(2);
});

test('doctor says before a deploy what would be refused', async () => {
  const cloud = cloudWith(day);
  const { stdout } = await rekey(cloud, ['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
  expect(checks.find(({ name }) => name === 'next deploy')).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining('orders would be refused'),
    advice: expect.stringContaining('rekey secret rotate orders --abandon'),
  });
});
