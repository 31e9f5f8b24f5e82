import { expect, test } from '@jest/globals';
import { day, FakeCloud, healthy, hour, now, rekey } from './fixture.ts';

function cloudOf(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', healthy);
  cloud.add('billing', healthy);
  cloud.add('sessions', healthy, { type: 'redis', strategy: 'dual-credential' });
  cloud.add('theirs', healthy, { type: 'external' });
  return cloud;
}

const reason = ['--reason', 'database upgrade', '--yes', '--json'];
const until = (ms: number) => new Date(now.getTime() + ms).toISOString();
const tagged = (cloud: FakeCloud) =>
  Object.fromEntries(
    cloud.secrets.map(({ definition, tags }) => [definition.name, tags?.['rekey:paused-until']]),
  );

test('pauses the secrets that are named, and records it first, with the reason and the end', async () => {
  const cloud = cloudOf();
  const { exitCode, stdout, stderr } = await rekey(cloud, [
    'pause',
    'orders',
    'billing',
    '--for',
    '4h',
    ...reason,
  ]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    environment: 'dev',
    outcome: 'paused',
    until: until(4 * hour),
    failed: [],
    secrets: ['billing', 'orders'],
  });
  expect(stderr).toContain('revocations are not held up');
  expect(tagged(cloud)).toMatchObject({
    orders: until(4 * hour),
    billing: until(4 * hour),
    sessions: undefined,
  });
  expect(cloud.published.map(({ detailType, detail }) => [detailType, detail.data])).toEqual(
    expect.arrayContaining([
      [
        'Secret Rotation Paused',
        expect.objectContaining({ secretName: 'orders', until: until(4 * hour), reason: 'database upgrade' }),
      ],
    ]),
  );
});

test('a type, or all that Rekey rotates; what others rotate is left out, and said', async () => {
  const cloud = cloudOf();
  await rekey(cloud, ['pause', '--type', 'redis', '--for', '1h', ...reason]);
  expect(tagged(cloud)).toMatchObject({ orders: undefined, sessions: until(hour) });
  const { stderr, stdout } = await rekey(cloud, ['pause', '--all', '--for', '1d', ...reason]);
  expect(JSON.parse(stdout).secrets).toEqual(['billing', 'orders', 'sessions']);
  expect(stderr).toContain('theirs is rotated by a function');
  expect(tagged(cloud)).toMatchObject({ theirs: undefined, sessions: until(day) });
});

test('a paused secret is shown as paused, until its time', async () => {
  const cloud = cloudOf();
  await rekey(cloud, ['pause', 'orders', '--for', '4h', ...reason]);
  const state = async () => {
    const { stdout } = await rekey(cloud, ['secret', 'list', '--json']);
    const { secrets } = JSON.parse(stdout) as { secrets: { name: string; state: string }[] };
    return secrets.find(({ name }) => name === 'orders')?.state;
  };
  expect(await state()).toBe('paused');
  cloud.clock += 5 * hour;
  expect(await state()).toBe('ok');
});

test('resume ends it, and is recorded', async () => {
  const cloud = cloudOf();
  await rekey(cloud, ['pause', '--all', '--for', '1d', ...reason]);
  const { exitCode, stdout } = await rekey(cloud, ['resume', 'orders', '--yes', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'resumed', until: null, secrets: ['orders'] });
  expect(tagged(cloud)).toMatchObject({ orders: undefined, billing: until(day) });
  expect(cloud.published.at(-1)?.detailType).toBe('Secret Rotation Resumed');
});

test('one that is denied keeps no other from it, and ends with 3', async () => {
  const cloud = cloudOf();
  cloud.pauseDenied = ['billing'];
  const { exitCode, stdout } = await rekey(cloud, ['pause', '--all', '--for', '1h', ...reason]);
  expect(exitCode).toBe(3);
  const { secrets, failed } = JSON.parse(stdout);
  expect(secrets).toEqual(['orders', 'sessions']);
  expect(failed).toEqual([expect.objectContaining({ name: 'billing' })]);
});

test('without a record nothing is paused', async () => {
  const cloud = cloudOf();
  cloud.failures.bus = new Error('no bus');
  const { exitCode } = await rekey(cloud, ['pause', 'orders', '--for', '1h', ...reason]);
  expect(exitCode).not.toBe(0);
  expect(tagged(cloud)).toMatchObject({ orders: undefined });
});

test.each([
  ['nothing', []],
  ['a name and --all', ['orders', '--all']],
  ['a type that there is not', ['--type', 'oracle']],
  ['a secret that there is not', ['nowhere']],
  ['more than 30 days', ['orders', '--for', '31d']],
])('%s is refused, and nothing is paused', async (_name, args) => {
  const cloud = cloudOf();
  const given = args.includes('--for') ? args : [...args, '--for', '1h'];
  const { exitCode } = await rekey(cloud, ['pause', ...given, ...reason]);
  expect(exitCode).not.toBe(0);
  expect(Object.values(tagged(cloud)).filter(Boolean)).toEqual([]);
  expect(cloud.published).toEqual([]);
});
