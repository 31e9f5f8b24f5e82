import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { detailSchema } from '../../core/events/catalogue.ts';
import { hashOf } from '../../core/fingerprint/digest.ts';
import { FakeCloud, now, rekey } from './fixture.ts';

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const common = ['--mode', 'kill', '--reason', 'leaked'];

/** An admin secret with two users, one of which leads to a task for people. */
function cloudOfShop(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('admin', undefined, { owner: 'team-data', consumers: [] });
  cloud.add('orders', undefined, {
    content: { fields: { username: 'orders', host: 'db' }, masterarn: arn('admin') },
    leadsTo: [{ task: 'Tell the bank.' }],
  });
  cloud.add('billing', undefined, {
    content: { fields: { username: 'billing', host: 'db' }, masterarn: arn('admin') },
  });
  return cloud;
}

const requestOf = (cloud: FakeCloud) =>
  detailSchema('Secret Revocation Requested').parse(cloud.published[0]?.detail).data;

/** A match of the lookup function. */
const matchOf = (name: string, candidate: number) => ({
  candidate,
  secretArn: arn(name),
  secretName: name,
  secretType: 'postgresql',
  strategy: 'single-user' as const,
  owner: 'team-orders',
  parts: ['password'],
  labels: [],
  seenAt: now.toISOString(),
  versionId: 'v1',
});

describe('the plan', () => {
  test('is shown with the reasons, the order and what is left to people, and nothing is asked for', async () => {
    const cloud = cloudOfShop();
    const { exitCode, stderr } = await rekey(cloud, ['revoke', 'admin', ...common, '--chain', '--plan']);
    expect(exitCode).toBe(0);
    for (const text of [
      '3, at',
      'cut off at the target',
      'admin is its admin secret',
      'named by the request',
      'Tell the bank.',
    ]) {
      expect(stderr).toContain(text);
    }
    expect(cloud.published).toEqual([]);
  });

  test('says what the chain would take along', async () => {
    const { stderr } = await rekey(cloudOfShop(), ['revoke', 'admin', ...common, '--plan']);
    expect(stderr).toContain('gets at 2 secrets more, which --chain takes along');
  });

  test('as JSON is the data that runs', async () => {
    const cloud = cloudOfShop();
    const { stdout } = await rekey(cloud, ['revoke', 'admin', ...common, '--chain', '--plan', '--json']);
    const shown = JSON.parse(stdout);
    expect(shown.plan.steps.map(({ phase }: { phase: string }) => phase)).toEqual([
      'contain',
      'replace',
      'contain again',
      'replace',
    ]);
    await rekey(cloud, ['revoke', 'admin', ...common, '--chain', '--yes']);
    expect(requestOf(cloud)).toEqual({
      select: { secret: 'admin' },
      chain: true,
      plan: shown.digest,
      mode: 'kill',
      reason: 'leaked',
      drill: false,
    });
  });
});

describe('a selection', () => {
  test.each<[string, readonly string[], object]>([
    ['several names', ['orders', 'billing'], { secrets: [{ secret: 'orders' }, { secret: 'billing' }] }],
    ['an owner', ['--owner', 'team-data'], { owner: 'team-data' }],
    ['a consumer', ['--consumer', 'orders-api'], { consumer: 'orders-api' }],
    ['a prefix', ['--name-prefix', 'or'], { namePrefix: 'or' }],
    ['everything', ['--everything'], { environment: 'dev' }],
  ])('by %s is what is asked for', async (_what, given, select) => {
    const cloud = cloudOfShop();
    const { exitCode } = await rekey(cloud, ['revoke', ...given, ...common, '--yes']);
    expect(exitCode).toBe(0);
    expect(requestOf(cloud).select).toEqual(select);
  });

  test('by a tag and by a principal is what AWS answers', async () => {
    const cloud = cloudOfShop();
    cloud.readable = [arn('billing')];
    const principal = 'arn:aws:iam::111122223333:role/worker';
    await rekey(cloud, ['revoke', '--principal', principal, ...common, '--yes']);
    expect(requestOf(cloud).select).toEqual({ principal });
    const { exitCode, stderr } = await rekey(cloud, ['revoke', '--tag', 'tier=gold', ...common, '--plan']);
    expect([exitCode, stderr.includes('tier=gold')]).toEqual([2, true]);
  });

  test.each([
    ['off' as const, 'the environment has no trail'],
    ['unreadable' as const, 'could not be asked'],
    [{ reads: [] }, 'nothing was taken out of the trail yet'],
    [
      {
        since: '2026-01-01T00:00:00.000Z',
        until: '2026-03-01T00:00:00.000Z',
        reads: [{ secret: 'billing', time: '2026-02-01T00:00:00.000Z' }],
      },
      'read at 2026-02-01T00:00:00.000Z',
    ],
  ])('by a principal says who really read, or why that is unknown: %j', async (reads, text) => {
    const cloud = cloudOfShop();
    cloud.readable = [arn('billing')];
    cloud.reads = reads;
    const principal = 'arn:aws:iam::111122223333:role/worker';
    const { stdout, stderr } = await rekey(cloud, ['revoke', '--principal', principal, ...common, '--plan']);
    expect(`${stdout}${stderr}`).toContain(text);
  });

  test('by a leaked value names the secrets and versions that have it; the value goes nowhere', async () => {
    const cloud = cloudOfShop();
    cloud.environments.dev = { ...cloud.environments.dev, fingerprintLookupFunction: 'lookup' };
    cloud.onLookup = () => ({
      outcome: 'answered',
      matches: [matchOf('orders', 0)],
    });
    const value = 'correct horse battery staple';
    const { exitCode, stdout, stderr } = await rekey(cloud, ['revoke', '--value', ...common, '--yes'], {
      input: value,
    });
    expect(exitCode).toBe(0);
    expect(requestOf(cloud).select).toEqual({ secrets: [{ secret: arn('orders'), versions: ['v1'] }] });
    expect(JSON.stringify([stdout, stderr, cloud.published, cloud.lookups])).not.toContain(value);
  });

  test('by the report of a scanner names the secrets that have one of its values', async () => {
    const cloud = cloudOfShop();
    cloud.environments.dev = { ...cloud.environments.dev, fingerprintLookupFunction: 'lookup' };
    const folder = mkdtempSync(join(tmpdir(), 'rekey-scan-'));
    try {
      const [file, value] = [join(folder, 'gitleaks.json'), 'correct horse battery staple'];
      const finding = {
        RuleID: 'generic-api-key',
        File: 'app.env',
        StartLine: 3,
        Commit: 'abc',
        Secret: value,
      };
      writeFileSync(file, JSON.stringify([{ ...finding, Match: `password=${value}` }]));
      cloud.onLookup = ({ hashes }) => ({
        outcome: 'answered',
        matches: hashes.includes(hashOf(value)) ? [matchOf('billing', hashes.indexOf(hashOf(value)))] : [],
      });
      const scanned = await rekey(cloud, ['revoke', '--from-scan', file, ...common, '--yes']);
      expect(scanned.exitCode).toBe(0);
      expect(requestOf(cloud).select).toEqual({ secrets: [{ secret: arn('billing'), versions: ['v1'] }] });
      expect(JSON.stringify([scanned.stdout, scanned.stderr, cloud.published, cloud.lookups])).not.toContain(
        value,
      );
      cloud.onLookup = () => ({ outcome: 'answered', matches: [] });
      const none = await rekey(cloud, ['revoke', '--from-scan', file, ...common, '--yes']);
      expect([none.exitCode, none.stderr.includes('a value of this report')]).toEqual([2, true]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each<[string, readonly string[], string]>([
    ['none', [], 'name the secrets, or select them by one of'],
    ['two', ['orders', '--owner', 'team-data'], 'choose one way to select'],
    ['a principal that is none', ['--principal', 'worker'], 'must be the ARN of an IAM role or user'],
    ['a tag without a key', ['--tag', '=gold'], 'team=orders'],
    ['what is not there', ['--owner', 'team-dat'], 'did you mean team-data?'],
    ['a name that is not there', ['bilding', '--chain'], 'did you mean billing?'],
  ])('of %s is wrong usage', async (_what, given, text) => {
    const cloud = cloudOfShop();
    const { exitCode, stderr } = await rekey(cloud, ['revoke', ...given, ...common, '--yes']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(text);
    expect(cloud.published).toEqual([]);
  });
});

describe('the end', () => {
  const end = async (
    output: object | undefined,
    status: 'succeeded' | 'failed' = 'succeeded',
    error?: string,
  ) => {
    const cloud = cloudOfShop();
    cloud.executions.set('any', {
      status,
      started: now,
      stopped: new Date(now.getTime() + 2_000),
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error: { code: error, message: 'why' } }),
    });
    const { exitCode, stdout } = await rekey(cloud, [
      ...['revoke', 'orders', 'billing', ...common, '--yes', '--wait', '--json'],
    ]);
    return { exitCode, ...JSON.parse(stdout) };
  };
  const counts = { succeeded: 2, unproven: 0, failed: 0, openTasks: 0, timeToContainmentMs: 900 };

  test('proven is success', async () => {
    expect(await end({ outcome: 'proven', ...counts })).toMatchObject({
      exitCode: 0,
      outcome: 'proven',
      timeToContainmentMs: 900,
      completedMs: 2_000,
    });
  });

  test('what is open, failed or rejected is a failed check', async () => {
    expect(await end({ outcome: 'open', ...counts, openTasks: 1 })).toMatchObject({
      exitCode: 1,
      openTasks: 1,
    });
    expect(await end(undefined, 'failed', 'RevocationUnproven')).toMatchObject({
      exitCode: 1,
      outcome: 'open',
    });
    expect(await end(undefined, 'failed', 'PlanChanged')).toMatchObject({
      exitCode: 1,
      outcome: 'rejected',
      error: { code: 'PlanChanged' },
    });
  });
});

test('an emergency goes on where the function that shows plans does not answer', async () => {
  const cloud = cloudOfShop();
  cloud.failures.plans = Object.assign(new Error('no answer'), { name: 'TimeoutError' });
  const shown = await rekey(cloud, ['revoke', '--everything', ...common, '--plan']);
  expect(shown.exitCode).not.toBe(0);
  const { exitCode, stderr } = await rekey(cloud, ['revoke', '--everything', ...common, '--yes']);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('The plan could not be shown');
  expect(requestOf(cloud)).not.toHaveProperty('plan');
});

describe('environments elsewhere', () => {
  const place = { account: '222222222222', region: 'us-west-2' };
  const role = 'arn:aws:iam::222222222222:role/member';
  const digest = 'ab'.repeat(32);
  const west = { name: 'west', environment: 'prod', ...place };
  const east = { name: 'east', environment: 'staging', ...place };

  function cloudWithMembers(): FakeCloud {
    const cloud = cloudOfShop();
    cloud.members = {
      members: [west, east].map((member) => ({ ...member, role })),
      ask: async ({ members }) =>
        members.map(({ name }) =>
          name === 'west'
            ? {
                ...west,
                digest,
                secrets: [{ name: '/prod/orders', target: 'db', owner: 'team-orders' }],
                tasks: 0,
                unknown: [],
              }
            : { ...east, secrets: [], tasks: 0, unreachable: 'Unreachable', unknown: [] },
        ),
    };
    return cloud;
  }

  test('are in the plan that is shown, and one that cannot be asked is said to be so', async () => {
    const cloud = cloudWithMembers();
    const { exitCode, stderr } = await rekey(cloud, [
      'revoke',
      'orders',
      ...common,
      '--members',
      'all',
      '--plan',
    ]);
    expect(exitCode).toBe(0);
    for (const text of [
      'prod in 222222222222, us-west-2',
      '/prod/orders',
      'could not be asked (Unreachable)',
      'Revoke in east (staging in 222222222222, us-west-2)',
    ]) {
      expect(stderr).toContain(text);
    }
    expect(cloud.published).toEqual([]);
  });

  test('are asked for by name, with the digest of each part that was shown', async () => {
    const cloud = cloudWithMembers();
    await rekey(cloud, ['revoke', 'orders', ...common, '--members', 'west,east', '--yes']);
    expect(requestOf(cloud)).toMatchObject({
      select: { secret: 'orders' },
      members: ['west', 'east'],
      memberPlans: { west: digest },
      plan: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('that the configuration does not name are refused before anything is sent', async () => {
    const cloud = cloudWithMembers();
    const { exitCode, stderr } = await rekey(cloud, [
      'revoke',
      'orders',
      ...common,
      '--members',
      'north',
      '--yes',
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('has the members west, east');
    expect(cloud.published).toEqual([]);
  });

  test('are named, or all', async () => {
    const { exitCode } = await rekey(cloudWithMembers(), [
      'revoke',
      'orders',
      ...common,
      '--members',
      'all,west',
    ]);
    expect(exitCode).toBe(2);
  });
});
