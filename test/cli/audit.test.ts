import { describe, expect, test } from '@jest/globals';
import { keyBefore, lastObject } from '../../cli/audit-tail-reader.ts';
import { ago, day, errorOf, FakeCloud, hour, minute, now, rekey } from './fixture.ts';

const rotation = (secretName: string, outcome: 'Started' | 'Succeeded', versionId = 'v') => ({
  detailType: `Secret Rotation ${outcome}`,
  detail: {
    metadata: { id: `${outcome} ${secretName} ${versionId}`, actor: 'rotation-function' },
    data: {
      secretName,
      secretArn: `arn:${secretName}`,
      versionId,
      ...(outcome === 'Succeeded' && { durationMs: 812.4 }),
    },
  },
});

function log(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.record(ago(2 * day), rotation('orders', 'Started', 'v1'), rotation('orders', 'Succeeded', 'v1'));
  cloud.record(ago(30 * minute), rotation('orders', 'Started', 'v2'));
  cloud.record(ago(29 * minute), rotation('billing', 'Started', 'b1'), rotation('orders', 'Succeeded', 'v2'));
  cloud.record(ago(28 * minute), rotation('billing', 'Succeeded', 'b1'));
  return cloud;
}

const sequences = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).sequence);

describe('audit tail', () => {
  test('shows the last hour by default', async () => {
    const { exitCode, stdout } = await rekey(log(), ['audit', 'tail']);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^RECORDED +SEQ +EVENT +SECRET +DETAIL$/);
    expect(lines[3]).toMatch(
      /^2026-03-10T11:31:00Z +5 +Secret Rotation Succeeded +orders +versionId v2, in 812 ms, by rotation-function$/,
    );
  });

  test('--json is one record a line', async () => {
    const { stdout } = await rekey(log(), ['audit', 'tail', '--json']);
    expect(sequences(stdout)).toEqual([3, 4, 5, 6]);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({
      sequence: 3,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      previous: expect.stringMatching(/^[0-9a-f]{64}$/),
      event: { detailType: 'Secret Rotation Started', detail: { data: { secretName: 'orders' } } },
    });
  });

  test.each([
    [
      ['--since', '7d'],
      [1, 2, 3, 4, 5, 6],
    ],
    [
      ['--since', '29m'],
      [4, 5, 6],
    ],
    [['--since', '2026-03-10T11:32:00Z'], [6]],
    [
      ['--secret', 'billing'],
      [4, 6],
    ],
    [
      ['--secret', 'arn:billing'],
      [4, 6],
    ],
  ])('%j', async (flags, expected) => {
    const { stdout } = await rekey(log(), ['audit', 'tail', '--json', ...flags]);
    expect(sequences(stdout)).toEqual(expected);
  });

  test('finds the requests of a revocation by the secret they select', async () => {
    const cloud = log();
    cloud.record(ago(minute), {
      detailType: 'Secret Revocation Requested',
      detail: { data: { select: { secret: 'billing' }, mode: 'kill', reason: 'leak' } },
    });
    const { stdout } = await rekey(cloud, ['audit', 'tail', '--secret', 'billing']);
    expect(stdout).toMatch(/Secret Revocation Requested +billing +mode kill, reason leak\n/);
  });

  test('names the secret of a finding, and whom a containment cut off', async () => {
    const cloud = new FakeCloud();
    const containments = [
      { versionIds: ['v'], identity: 'orders_app', loginsRefused: true, sessionsEnded: 2 },
      { versionIds: ['w'], identity: 'orders_old', loginsRefused: false, sessionsEnded: 0 },
    ];
    cloud.record(
      ago(minute),
      {
        detailType: 'Finding Raised',
        detail: { data: { secretArn: 'arn:aws:secretsmanager:r:1:secret:dev/orders-AbCdEf', code: 'C' } },
      },
      { detailType: 'Credential Contained', detail: { data: { secretName: 'dev/orders', containments } } },
    );
    const lines = (await rekey(cloud, ['audit', 'tail'])).stdout.split('\n');
    expect(lines[1]).toMatch(/Finding Raised +dev\/orders +code C$/);
    expect(lines[2]).toContain(
      'orders_app locked out, 2 sessions ended, orders_old NOT locked out, 0 sessions ended',
    );
  });

  test('--follow goes on with what is added, once each, until it is ended', async () => {
    const cloud = log();
    cloud.onSleep = (count) => {
      if (count === 1 || count === 3) cloud.record(now, rotation('orders', 'Started', `f${count}`));
    };
    const { exitCode, stdout } = await rekey(cloud, ['audit', 'tail', '--follow', '--json'], {
      abortAfter: 5,
    });
    expect(exitCode).toBe(0);
    expect(sequences(stdout)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test('a name that no secret has is said, and the records of one that is gone are shown', async () => {
    const cloud = log();
    cloud.add('/prod/orders/db');
    const typed = await rekey(cloud, ['audit', 'tail', '--secret', 'prod/orders/db']);
    expect(typed.stderr).toContain(
      'environment dev has no secret "prod/orders/db"; did you mean /prod/orders/db?\n',
    );
    const gone = await rekey(cloud, ['audit', 'tail', '--secret', 'billing', '--json']);
    expect(sequences(gone.stdout)).toEqual([4, 6]);
    expect(gone.stderr).toContain('environment dev has no secret "billing"; ');
    const there = await rekey(cloud, ['audit', 'tail', '--secret', '/prod/orders/db']);
    expect(there.stderr).not.toContain('has no secret');
  });

  test('says so when there is nothing', async () => {
    const { stdout, stderr } = await rekey(new FakeCloud(), ['audit', 'tail']);
    expect(stdout).toBe('');
    expect(stderr).toContain('the audit log is empty');
  });

  test('an altered record is shown as such', async () => {
    const cloud = log();
    const [object] = cloud.auditWrites.slice(-1);
    if (object) object.body = Buffer.from(Buffer.from(object.body).toString().replace('billing', 'bilking'));
    const { stdout } = await rekey(cloud, ['audit', 'tail', '--json']);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      error: { code: 'RecordUnreadable' },
    });
  });

  test('finds the end and a time in a long log with few calls', async () => {
    const cloud = new FakeCloud();
    for (let index = 0; index < 5_000; index += 1) {
      cloud.record(ago((5_000 - index) * minute), rotation('orders', 'Started'));
    }
    const { auditObjects } = cloud.ports;
    const objects = await auditObjects('bucket');
    expect(await lastObject(objects)).toMatchObject({ key: 'entries/000000005000.ndjson' });
    expect(cloud.listCalls).toBeLessThan(30);
    cloud.listCalls = 0;
    // The record of 60 minutes ago is number 4,941; what lies behind the key begins with it.
    expect(await keyBefore(objects, ago(hour))).toBe('entries/000000004940.ndjson');
    expect(cloud.listCalls).toBeLessThan(30);
  });

  test('finds both beside objects that somebody else put between', async () => {
    const cloud = new FakeCloud();
    for (let index = 0; index < 2_000; index += 1) {
      cloud.record(ago((2_000 - index) * minute), rotation('orders', 'Started'));
    }
    for (const { key, written } of [...cloud.auditWrites]) {
      cloud.auditWrites.push({ key: `${key}.old`, body: Buffer.from('x'), written });
    }
    cloud.auditWrites.sort((a, b) => (a.key < b.key ? -1 : 1));
    const objects = await cloud.ports.auditObjects('bucket');
    expect(await lastObject(objects)).toMatchObject({ key: 'entries/000000002000.ndjson' });
    expect(await keyBefore(objects, ago(hour))).toBe('entries/000000001940.ndjson');
  });
});

describe('audit verify', () => {
  test('an intact log ends with 0 and prints its head', async () => {
    const cloud = log();
    const { exitCode, stdout } = await rekey(cloud, ['audit', 'verify']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`6:${cloud.head.hash}`);
    expect(stdout).toContain('Intact: all 6 records');
    const json = JSON.parse((await rekey(cloud, ['audit', 'verify', '--json'])).stdout);
    expect(json).toMatchObject({
      environment: 'dev',
      source: 's3://audit-bucket',
      intact: true,
      records: 6,
      head: `6:${cloud.head.hash}`,
      rotations: { succeeded: 3, failed: 0, open: 0 },
      problems: [],
    });
  });

  test('names an altered record and ends with 1', async () => {
    const cloud = log();
    const [, object] = cloud.auditWrites;
    if (object) object.body = Buffer.from(Buffer.from(object.body).toString().replace('orders', 'others'));
    const { exitCode, stdout } = await rekey(cloud, ['audit', 'verify']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/RecordAltered +3 +record 3 was altered/);
    expect(stdout).toContain('NOT intact');
  });

  test('a head that was noted shows that the end was cut off', async () => {
    const cloud = log();
    const head = `${cloud.head.sequence}:${cloud.head.hash}`;
    expect((await rekey(cloud, ['audit', 'verify', '--expect-head', head])).exitCode).toBe(0);
    cloud.auditWrites.pop();
    const ran = await rekey(cloud, ['audit', 'verify', '--expect-head', head, '--json']);
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout).problems.map(({ code }: { code: string }) => code)).toContain(
      'HeadMissing',
    );
  });

  test('--from reads a copy without any call to AWS', async () => {
    const cloud = log();
    const copy = await cloud.ports.auditSource('bucket');
    for (const port of Object.keys(cloud.ports) as (keyof typeof cloud.ports)[]) {
      cloud.failures[port] = new Error('no AWS');
    }
    const { exitCode, stdout } = await rekey(cloud, ['audit', 'verify', '--from', './copy', '--json'], {
      copy,
    });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ environment: null, source: './copy', records: 6 });
  });

  test('a deployment without an audit log ends with 3', async () => {
    const cloud = log();
    cloud.environments.dev = { eventBus: 'rekey-dev' };
    expect(errorOf(await rekey(cloud, ['audit', 'verify', '--json']))).toMatchObject({
      code: 'DeploymentIncomplete',
      exitCode: 3,
    });
  });
});
