import { expect, test } from '@jest/globals';
import { ago, FakeCloud, healthy, minute, rekey } from './fixture.ts';

const metadata = { id: '0195a000-0000-7000-8000-000000000001' };

/** A log with an odd record between two good ones. Each has its right hash. */
function logOf(detailType: string, detail: Record<string, unknown>): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', { ...healthy, lastRotated: ago(5 * minute) });
  const good = (versionId: string) => ({
    detailType: 'Secret Rotation Succeeded',
    detail: { metadata, data: { secretArn: `arn of ${versionId}`, secretName: 'orders', versionId } },
  });
  cloud.record(ago(3 * minute), good('before'));
  cloud.record(ago(2 * minute), { detailType, detail });
  cloud.record(ago(minute), good('after'));
  return cloud;
}

const noText = { toString: 1, valueOf: 1 };

test.each([
  [
    'a code that is no text',
    'Secret Rotation Failed',
    { metadata, data: { error: { code: noText, message: 'x' } } },
  ],
  [
    'an identity that is no text',
    'Credential Contained',
    { metadata, data: { containments: [{ identity: noText }] } },
  ],
])('audit tail shows what stands behind a record with %s', async (_what, detailType, detail) => {
  const { exitCode, stdout } = await rekey(logOf(detailType, detail), ['audit', 'tail']);
  expect({ exitCode, after: stdout.includes('versionId after') }).toEqual({ exitCode: 0, after: true });
});

test('audit tail --json writes what stands behind a record that is nested deeply', async () => {
  const cloud = new FakeCloud();
  cloud.add('orders', healthy);
  const good = {
    detailType: 'Secret Rotation Succeeded',
    detail: { metadata, data: { versionId: 'after' } },
  };
  cloud.record(ago(3 * minute), { detailType: 'Secret Rotation Failed', detail: { deep: 'HERE' } });
  // JSON.stringify cannot make such a line, anybody's editor can.
  const { createHash } = await import('node:crypto');
  const [write] = cloud.auditWrites;
  const text = `{${Buffer.from(write?.body ?? [])
    .toString('utf8')
    .trimEnd()
    .slice(75)}`.replace('"HERE"', `${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  const hash = createHash('sha256').update(text).digest('hex');
  cloud.auditWrites = [
    {
      key: write?.key ?? '',
      body: Buffer.from(`{"hash":"${hash}",${text.slice(1)}\n`),
      written: ago(3 * minute),
    },
  ];
  cloud.head = { sequence: 1, hash };
  cloud.record(ago(minute), good);
  const { exitCode, stdout } = await rekey(cloud, ['audit', 'tail', '--json']);
  expect({ exitCode, after: stdout.includes('"after"') }).toEqual({ exitCode: 0, after: true });
});

test.each([
  ['no data', { metadata }],
  ['no error', { metadata, data: { secretArn: 'arn', versionId: 'v' } }],
  ['an error that is no object', { metadata, data: { secretArn: 'arn', versionId: 'v', error: null } }],
])('doctor looks at the rest of the log behind a failure with %s', async (_what, detail) => {
  const cloud = logOf('Secret Rotation Failed', detail);
  const { stdout } = await rekey(cloud, ['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
  expect(checks.map(({ name }) => name)).toContain('audit writer');
  expect(checks.map(({ detail: found }) => found).join('\n')).not.toContain('unexpected');
});

test('secret rotate --wait follows a rotation past an odd record in the log', async () => {
  const cloud = new FakeCloud();
  cloud.add('orders', healthy);
  cloud.failLogs = Object.assign(new Error('denied'), { name: 'AccessDeniedException' });
  cloud.failures.functions = cloud.failLogs;
  cloud.record(ago(3 * minute), { detailType: 'Secret Rotation Started', detail: { metadata, data: {} } });
  cloud.onSleep = (count) => {
    if (count === 1)
      cloud.record(new Date(cloud.clock), { detailType: 'Secret Rotation Failed', detail: { metadata } });
    const [secret] = cloud.secrets;
    const [token = ''] = cloud.rotationsAsked;
    if (count === 3 && secret !== undefined)
      secret.description = { ...healthy, versions: { [token]: ['AWSCURRENT'] } };
  };
  const { exitCode, stderr, stdout } = await rekey(cloud, ['secret', 'rotate', 'orders', '--wait', '--yes']);
  expect({ exitCode, said: stderr + stdout }).toEqual({
    exitCode: 0,
    said: expect.stringContaining('Rotated orders'),
  });
});
