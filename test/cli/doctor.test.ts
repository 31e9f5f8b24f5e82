import { describe, expect, test } from '@jest/globals';
import type { Cloud } from '../../core/operator-ports.ts';
import { accessDenied, ago, day, FakeCloud, healthy, hour, minute, rekey } from './fixture.ts';

interface Found {
  name: string;
  status: string;
  detail: string;
  advice?: string;
}

async function doctor(cloud: FakeCloud): Promise<{ exitCode: number; healthy: boolean; checks: Found[] }> {
  const { exitCode, stdout } = await rekey(cloud, ['doctor', '--json']);
  return { exitCode, ...JSON.parse(stdout) };
}

function well(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders');
  cloud.record(ago(3 * day), {
    detailType: 'Secret Rotation Succeeded',
    detail: { data: { secretArn: 'a' } },
  });
  return cloud;
}

test('a healthy environment ends with 0', async () => {
  const found = await doctor(well());
  expect(found).toMatchObject({ exitCode: 0, healthy: true });
  expect(found.checks.filter(({ status }) => status !== 'ok').map(({ name }) => name)).toEqual([
    'may rotate',
  ]);
  const { stdout } = await rekey(well(), ['doctor']);
  expect(stdout).toContain('Nothing is broken: 0 to look at, 1 not looked at.');
});

test('a secret that ended on its last day is in order', async () => {
  const cloud = well();
  cloud.add('over', { ...healthy, rotationEnabled: false }).tags = {
    'rekey:expired': '2026-01-31 version-2',
  };
  const { exitCode, checks } = await doctor(cloud);
  expect(exitCode).toBe(0);
  expect(checks.find(({ name }) => name === 'rotations')?.detail).toBe(
    '1 of 1 secrets are in order, 1 more ended on their last day',
  );
});

test('the functions of the other parts are looked at, each by its name', async () => {
  const cloud = well();
  cloud.environments.dev = {
    ...cloud.environments.dev,
    parts: JSON.stringify({
      approvals: { functions: ['desk', 'answers', 'waits'] },
      notifier: { functions: ['notifier'], deadLetters: 'https://sqs/notifier-dead' },
    }),
  };
  const found = async () =>
    (await doctor(cloud)).checks
      .filter(({ name }) => /approvals|notifier/.test(name))
      .map(({ name, status, detail }) => [name, status, detail]);
  expect(await found()).toEqual([
    ['approvals', 'ok', '3 functions can run'],
    ['notifier', 'ok', '1 function can run'],
    ['notifier dead letters', 'ok', 'empty'],
  ]);
  cloud.depths['https://sqs/notifier-dead'] = 3;
  cloud.functionState = undefined;
  expect(await found()).toEqual([
    ['approvals', 'fail', 'there is no function desk'],
    ['approvals', 'fail', 'there is no function answers'],
    ['approvals', 'fail', 'there is no function waits'],
    ['notifier', 'fail', 'there is no function notifier'],
    ['notifier dead letters', 'fail', '3 messages that nobody could handle'],
  ]);
  cloud.failures.functions = accessDenied('lambda:GetFunctionConfiguration');
  expect((await found())[0]).toEqual(['approvals', 'skip', expect.stringContaining('not permitted')]);
});

describe('what is broken is a failure with advice, and ends with 1', () => {
  test.each<[string, (cloud: FakeCloud) => void, string]>([
    [
      'a fact is missing',
      (cloud) => {
        cloud.environments.dev = { auditBucket: 'b' };
      },
      'deployment',
    ],
    [
      'a rotation is overdue',
      (cloud) => {
        cloud.add('late', { ...healthy, nextRotation: ago(hour) });
      },
      'secret late',
    ],
    [
      'a secret is over and was not cut off',
      (cloud) => {
        cloud.add('over', { ...healthy, rotationEnabled: false }).tags = {
          'rekey:expired': '2026-01-31 pending',
        };
      },
      'secret over',
    ],
    [
      'a version is left over',
      (cloud) => {
        cloud.add('stuck', { ...healthy, versions: { a: ['AWSCURRENT'], b: ['AWSPENDING'] } });
      },
      'secret stuck',
    ],
    [
      'a secret is a replica of one in another region',
      (cloud) => {
        cloud.add('copy', { ...healthy, rotationEnabled: false, replicaOf: 'eu-west-1' });
      },
      'secret copy',
    ],
    [
      'a secret is gone',
      (cloud) => {
        delete cloud.add('gone').description;
      },
      'secret gone',
    ],
    [
      'a function is gone',
      (cloud) => {
        cloud.functionState = undefined;
      },
      'function',
    ],
    [
      'a function cannot run',
      (cloud) => {
        cloud.functionState = { state: 'Failed', reason: 'no subnet' };
      },
      'function',
    ],
    [
      'a rule is disabled',
      (cloud) => {
        cloud.rules = [{ name: 'to-audit', enabled: false }];
      },
      'event bus',
    ],
    [
      'there is no bus, for which EventBridge goes on taking events',
      (cloud) => {
        cloud.rules = undefined;
      },
      'event bus',
    ],
    [
      'there are no rules',
      (cloud) => {
        cloud.rules = [];
      },
      'event bus',
    ],
    [
      'the workflow is gone',
      (cloud) => {
        cloud.workflowActive = false;
      },
      'revocation workflow',
    ],
    [
      'records lie in the dead letters',
      (cloud) => {
        cloud.depths['https://sqs/audit-dead'] = 2;
      },
      'audit dead letters',
    ],
    [
      'requests lie in the dead letters',
      (cloud) => {
        cloud.depths['https://sqs/revocation-dead'] = 1;
      },
      'revocation dead letters',
    ],
    [
      'a rotation is not in the log',
      (cloud) => {
        cloud.add('new', { ...healthy, lastRotated: ago(hour) });
      },
      'audit writer',
    ],
    [
      'a service does not answer',
      (cloud) => {
        cloud.failures.queues = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
      },
      'queues',
    ],
  ])('%s', async (_what, broken, name) => {
    const cloud = well();
    broken(cloud);
    const { exitCode, healthy: isHealthy, checks } = await doctor(cloud);
    expect({ exitCode, isHealthy }).toEqual({ exitCode: 1, isHealthy: false });
    const failed = checks.filter(({ status }) => status === 'fail');
    expect([...new Set(failed.map((check) => check.name))]).toEqual([name]);
    expect(failed[0]?.advice).not.toBeUndefined();
  });
});

test('a network that no function is in is named with the command that deletes its stack', async () => {
  const cloud = well();
  cloud.functionState = { state: 'Active', securityGroups: ['sg-used'] };
  cloud.networks = [
    { stack: 'rekey-dev-network-orders-1', securityGroup: 'sg-left' },
    { stack: 'rekey-dev-network-orders-2', securityGroup: 'sg-used' },
  ];
  const { exitCode, checks } = await doctor(cloud);
  expect(exitCode).toBe(0);
  expect(checks.filter(({ name }) => name === 'network')).toEqual([
    {
      name: 'network',
      status: 'warn',
      detail: expect.stringContaining('rekey-dev-network-orders-1'),
      advice: expect.stringContaining(
        'aws cloudformation delete-stack --stack-name rekey-dev-network-orders-1',
      ),
    },
  ]);
});

test('what this caller may not look at is skipped and named; the rest is looked at', async () => {
  for (const port of [
    'secrets',
    'functions',
    'rules',
    'queues',
    'workflows',
    'auditObjects',
  ] as (keyof Cloud)[]) {
    const cloud = well();
    cloud.failures[port] = accessDenied(`${port}:Look`);
    const { exitCode, checks } = await doctor(cloud);
    expect(exitCode).toBe(0);
    expect(checks.filter(({ detail }) => detail.includes('not permitted'))).not.toEqual([]);
    expect(checks.filter(({ status }) => status === 'ok').length).toBeGreaterThan(3);
  }
});

test('a caller who may not revoke is told so', async () => {
  const cloud = well();
  cloud.publishDenied = true;
  const { exitCode, checks } = await doctor(cloud);
  expect(exitCode).toBe(0);
  expect(checks.find(({ name }) => name === 'may revoke')).toMatchObject({ status: 'skip' });
});

test('open failures of the last day are shown, those followed by a success are not', async () => {
  const failure = (secretArn: string) => ({
    detailType: 'Secret Rotation Failed',
    detail: {
      data: {
        secretArn,
        secretName: secretArn,
        step: 'setSecret',
        error: { code: 'TargetUnreachable', message: 'no answer' },
      },
    },
  });
  const cloud = well();
  cloud.record(ago(2 * hour), failure('healed'), failure('ill'));
  cloud.record(ago(hour), {
    detailType: 'Secret Rotation Succeeded',
    detail: { data: { secretArn: 'healed' } },
  });
  const { exitCode, checks } = await doctor(cloud);
  expect(exitCode).toBe(0);
  expect(checks.filter(({ name }) => name === 'last day')).toEqual([
    expect.objectContaining({
      status: 'warn',
      detail: expect.stringMatching(
        /^Secret Rotation Failed of ill in setSecret \(record 3, .*TargetUnreachable: no answer$/,
      ),
    }),
  ]);
});

test('a rotation of this minute has no record yet, and that is no failure', async () => {
  const cloud = well();
  cloud.add('new', { ...healthy, lastRotated: ago(minute) });
  expect((await doctor(cloud)).exitCode).toBe(0);
});
