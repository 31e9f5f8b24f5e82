import { expect, test } from '@jest/globals';
import { type BrakeState, beginRotation } from '../../core/brake.ts';
import { accessDenied, FakeCloud, healthy, rekey } from './fixture.ts';

const arnOf = (name: string) => `arn:aws:lambda:eu-central-1:111122223333:function:${name}`;
const braked = (functionName: string): BrakeState => ({
  code: 'code',
  functionName,
  proven: true,
  failed: ['orders-AbCdEf', 'billing-AbCdEf'],
  brakedAt: '2026-03-10T11:00:00.000Z',
});

/** Two functions; the brake of the first one is engaged. */
function cloudOf(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', healthy, { rotationFunction: arnOf('one') });
  cloud.add('billing', healthy, { rotationFunction: arnOf('one') });
  cloud.add('sessions', healthy, { rotationFunction: arnOf('other') });
  cloud.brakes.first = { version: 7, state: braked('one') };
  cloud.brakes.second = { version: 1, state: { ...braked('other'), failed: [] } };
  delete cloud.brakes.second.state.brakedAt;
  return cloud;
}
const because = ['--reason', 'the server is back', '--yes', '--json'];

test('resume lets go of the brake of the function that rotates a secret, and records it first, with the reason', async () => {
  const cloud = cloudOf();
  const { exitCode, stdout, stderr } = await rekey(cloud, ['resume', 'orders', ...because]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'resumed', secrets: ['orders'], released: ['one'] });
  expect(stderr).toContain('the brake of one is let go, for all of its secrets');
  expect(cloud.published.map(({ detailType, detail }) => [detailType, detail.data])).toEqual([
    [
      'Secret Rotation Resumed',
      expect.objectContaining({ secretName: 'orders', reason: 'the server is back' }),
    ],
    ['Rotation Function Released', { functionName: 'one', reason: 'the server is back' }],
  ]);
  const rules = { code: 'code', functionName: 'one', after: 2, leaseMs: 60_000 };
  const rotation = { secretArn: cloud.secrets[1]?.definition.arn ?? '', token: 'next' };
  expect(beginRotation(cloud.brakes.first?.state, rotation, rules, new Date())).toMatchObject({
    may: 'begin',
    next: { canary: { token: 'next' } },
  });
});

test('a brake is not let go without a reason, nor without a record', async () => {
  const cloud = cloudOf();
  const { exitCode, stderr } = await rekey(cloud, ['resume', 'orders', '--yes']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--reason');
  cloud.failures.bus = new Error('no bus');
  expect((await rekey(cloud, ['resume', 'orders', ...because])).exitCode).not.toBe(0);
  expect(cloud.brakes.first?.state.brakedAt).toBeDefined();
  expect(cloud.published).toEqual([]);
});

test('resume without an engaged brake needs no reason and touches no brake', async () => {
  const cloud = cloudOf();
  const { exitCode, stdout } = await rekey(cloud, ['resume', 'sessions', '--yes', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).released).toEqual([]);
  expect(cloud.brakes.first?.version).toBe(7);
  expect(cloud.brakes.second?.version).toBe(1);
});

test('brakes that may not be looked at are said, and keep no pause from ending', async () => {
  const cloud = cloudOf();
  cloud.brakesDenied = true;
  const { exitCode, stderr } = await rekey(cloud, ['resume', 'orders', ...because]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('could not be looked at');
});

test('a function that writes at the same time loses nothing; one that always does ends with 3', async () => {
  const cloud = cloudOf();
  const state = braked('one');
  cloud.onBrakeRead = (count) => {
    if (count === 1) cloud.brakes.first = { version: 8, state };
  };
  expect((await rekey(cloud, ['resume', 'orders', ...because])).exitCode).toBe(0);
  expect(cloud.brakes.first).toMatchObject({ version: 9, state: { proven: false, failed: [] } });

  const busy = cloudOf();
  busy.onBrakeRead = (count) => {
    busy.brakes.first = { version: 100 + count, state };
  };
  const { exitCode, stdout } = await rekey(busy, ['resume', 'orders', ...because]);
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ released: [], failed: [{ name: 'one', code: 'ResourceBusy' }] });
});

test('doctor names the function, its secrets that failed, and what to do; and is healthy without', async () => {
  const cloud = cloudOf();
  const { exitCode, stdout } = await rekey(cloud, ['doctor', '--json']);
  expect(exitCode).toBe(1);
  const found = JSON.parse(stdout).checks.filter(({ name }: { name: string }) => name === 'brakes');
  expect(found).toEqual([
    {
      name: 'brakes',
      status: 'fail',
      detail: expect.stringMatching(/one begins since 2026.*2 secrets.*orders-AbCdEf, billing-AbCdEf/),
      advice: expect.stringContaining('rekey resume'),
    },
  ]);
  delete cloud.brakes.first;
  const after = JSON.parse((await rekey(cloud, ['doctor', '--json'])).stdout);
  expect(after.checks).toContainEqual(expect.objectContaining({ name: 'brakes', status: 'ok' }));
});

test('doctor of somebody who may not look at brakes skips them', async () => {
  const cloud = cloudOf();
  cloud.failures.brakes = accessDenied('ssm:GetParametersByPath');
  const { checks } = JSON.parse((await rekey(cloud, ['doctor', '--json'])).stdout);
  expect(checks).toContainEqual(expect.objectContaining({ name: 'brakes', status: 'skip' }));
});
