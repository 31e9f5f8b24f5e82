import { describe, expect, test } from '@jest/globals';
import { SecretError } from '../../core/errors/rekey-error.ts';
import { detailSchema } from '../../core/events/catalogue.ts';
import { accessDenied, errorOf, FakeCloud, now, rekey } from './fixture.ts';

const argv = (...more: string[]) => ['revoke', 'orders', '--mode', 'kill', '--reason', 'leaked', ...more];

function cloudWithOrders(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders');
  return cloud;
}

const at = (ms: number) => new Date(now.getTime() + ms);

describe('the request', () => {
  test('is an event of the catalogue, from the caller, that correlates to itself', async () => {
    const cloud = cloudWithOrders();
    const { exitCode, stdout } = await rekey(
      cloud,
      argv('--incident', 'INC-7', '--version-id', 'version-2', 'version-1', '--drill', '--yes', '--json'),
    );
    expect(exitCode).toBe(0);
    const [event] = cloud.published;
    expect(event).toMatchObject({ source: 'rekey.cli', detailType: 'Secret Revocation Requested' });
    const detail = detailSchema('Secret Revocation Requested').parse(event?.detail);
    expect(detail.data).toEqual({
      select: { secret: 'orders' },
      mode: 'kill',
      reason: 'leaked',
      incident: 'INC-7',
      versions: ['version-2', 'version-1'],
      drill: true,
    });
    expect(detail.metadata).toMatchObject({
      environment: 'dev',
      actor: 'arn:aws:sts::111122223333:assumed-role/responder/ada',
      correlationId: detail.metadata.id,
      time: now.toISOString(),
    });
    expect(JSON.parse(stdout)).toEqual({
      environment: 'dev',
      secret: 'orders',
      requestId: detail.metadata.id,
      requestedAt: now.toISOString(),
      mode: 'kill',
      drill: true,
      outcome: 'requested',
      timings: null,
      newVersionId: null,
      sessionsEnded: null,
      note: null,
      error: null,
    });
  });

  test('is sent as that of the owner by whoever may act for one owner alone', async () => {
    const cloud = cloudWithOrders();
    cloud.publishesOnlyAs = 'rekey.cli/team-orders';
    expect((await rekey(cloud, argv('--yes'))).exitCode).toBe(0);
    expect(cloud.published.map(({ source }) => source)).toEqual(['rekey.cli/team-orders']);
  });

  test('is refused to whoever acts for another owner', async () => {
    const cloud = cloudWithOrders();
    cloud.publishesOnlyAs = 'rekey.cli/team-stock';
    const { exitCode, stderr } = await rekey(cloud, argv('--yes'));
    expect(exitCode).toBe(3);
    expect(stderr).toContain('events:PutEvents');
    expect(cloud.published).toEqual([]);
  });

  test('by default names no version, which means all', async () => {
    const cloud = cloudWithOrders();
    await rekey(cloud, argv('--yes'));
    expect(cloud.published[0]?.detail.data).not.toHaveProperty('versions');
  });

  test('the plan says what, whom and how; a no sends nothing', async () => {
    const cloud = cloudWithOrders();
    const { exitCode, stderr } = await rekey(cloud, argv(), { answer: '' });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/secret +orders/);
    expect(stderr).toMatch(/consumers +orders-api, orders-batch/);
    expect(stderr).toMatch(/version-2 +AWSCURRENT, 3 d ago/);
    expect(stderr).toContain('the old credential dies first');
    expect(cloud.published).toEqual([]);
  });

  test.each(['generic', 'external'])(
    'the plan for %s promises no death of the old credential',
    async (type) => {
      const cloud = new FakeCloud();
      cloud.add('orders', undefined, { type });
      const { stderr } = await rekey(cloud, argv(), { answer: '' });
      expect(stderr).toContain('Rekey can reach nothing that refuses it');
      expect(stderr).not.toContain('dies first');
    },
  );

  test('a version that the secret does not have is refused', async () => {
    const cloud = cloudWithOrders();
    const error = errorOf(await rekey(cloud, argv('--version-id', 'version-9', '--yes', '--json')));
    expect(error).toMatchObject({ code: 'VersionsNotKept', exitCode: 2 });
    expect(error.message).toContain('did you mean version-');
    expect(cloud.published).toEqual([]);
  });

  test('a reason that is too long is refused', async () => {
    const cloud = cloudWithOrders();
    const ran = await rekey(cloud, [
      'revoke',
      'orders',
      '--mode',
      'kill',
      '--reason',
      'x'.repeat(1_025),
      '--yes',
      '--json',
    ]);
    expect(errorOf(ran)).toMatchObject({ code: 'RequestInvalid', exitCode: 2 });
    expect(cloud.published).toEqual([]);
  });

  test('a responder who may not look at the secret can revoke it', async () => {
    const cloud = cloudWithOrders();
    cloud.failures.secrets = new SecretError('SecretAccessDenied', 'denied');
    const { exitCode, stderr } = await rekey(cloud, argv('--yes'));
    expect(exitCode).toBe(0);
    expect(stderr).toContain('this caller may not list them');
    expect(cloud.published).toHaveLength(1);
  });

  test('SSM does not hold up an emergency when the environment is named', async () => {
    const cloud = cloudWithOrders();
    cloud.failures.deployments = accessDenied('ssm:GetParametersByPath');
    const { exitCode, stderr } = await rekey(cloud, ['-e', 'dev', ...argv('--yes')]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('could not be read');
    expect(cloud.published[0]?.detail.data).toMatchObject({ select: { secret: 'orders' } });
    expect((await rekey(cloud, argv('--yes'))).exitCode).toBe(3);
    expect(cloud.published).toHaveLength(1);
  });

  test('a mistyped name is no emergency', async () => {
    const cloud = cloudWithOrders();
    const ran = await rekey(cloud, [
      '-e',
      'dev',
      'revoke',
      'ordres',
      '--mode',
      'kill',
      '--reason',
      'x',
      '--yes',
      '--json',
    ]);
    expect(errorOf(ran).message).toContain('did you mean orders?');
    expect(cloud.published).toEqual([]);
  });

  test('a bus that refuses ends with 3', async () => {
    const cloud = cloudWithOrders();
    cloud.failures.bus = accessDenied('events:PutEvents');
    expect(errorOf(await rekey(cloud, argv('--yes', '--json')))).toMatchObject({
      code: 'AccessDenied',
      exitCode: 3,
    });
  });
});

describe('--wait', () => {
  test('follows the execution named like the request, and tells the times', async () => {
    const cloud = cloudWithOrders();
    cloud.onSleep = (count) => {
      const id = cloud.published[0]?.detail.metadata.id ?? '';
      const started = at(400);
      if (count === 1) cloud.executions.set(id, { status: 'running', started });
      if (count === 4) {
        const output = {
          outcome: 'succeeded',
          timeToRefusalMs: 900,
          newVersionId: 'version-3',
          sessionsEnded: 2,
        };
        cloud.executions.set(id, { status: 'succeeded', started, stopped: at(2_000), output });
        cloud.stages = [
          { name: 'Contain at once', entered: at(450), left: at(800) },
          { name: 'Rotate', entered: at(800), left: at(1_900) },
        ];
      }
    };
    const ran = await rekey(cloud, argv('--yes', '--wait', '--json'));
    expect(ran.exitCode).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'succeeded',
      timings: { startedMs: 400, refusedMs: 900, completedMs: 2_000 },
      newVersionId: 'version-3',
      sessionsEnded: 2,
      error: null,
    });
  });

  test('prints time to refusal and stages', async () => {
    const cloud = cloudWithOrders();
    cloud.stages = [{ name: 'Rotate', entered: at(800), left: at(1_900) }];
    cloud.executions.set('any', {
      status: 'succeeded',
      started: at(400),
      stopped: at(2_000),
      output: { timeToRefusalMs: 900, newVersionId: 'version-3', sessionsEnded: 2 },
    });
    const { exitCode, stdout } = await rekey(cloud, argv('--yes', '--wait'));
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Revoked orders');
    expect(stdout).toMatch(/refused +900 ms after the request/);
    expect(stdout).toMatch(/sessions ended +2\n/);
    expect(stdout).toMatch(/new version +version-3\n/);
    expect(stdout).toMatch(/Rotate +1\.1 s/);
  });

  const unproven = {
    status: 'succeeded',
    started: at(400),
    stopped: at(2_000),
    output: {
      outcome: 'unproven',
      newVersionId: 'version-3',
      sessionsEnded: 0,
      note: 'the consumers that share it decide; consumers: orders-api; owner: team-orders',
    },
  } as const;

  test('what could not be proven is said in plain words, and is no success', async () => {
    const cloud = cloudWithOrders();
    cloud.executions.set('any', unproven);
    const { exitCode, stdout, stderr } = await rekey(cloud, argv('--yes', '--wait'));
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Replaced orders, not proven');
    expect(stdout).not.toContain('is refused at the target');
    expect(stdout).toMatch(/new version +version-3\n/);
    expect(stdout).not.toMatch(/^ +refused/m);
    expect(stderr).toContain('Make every consumer refuse the old value');
    expect(stderr).toContain('owner: team-orders');

    const again = cloudWithOrders();
    again.executions.set('any', unproven);
    const ran = await rekey(again, argv('--yes', '--wait', '--json'));
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'unproven',
      timings: { refusedMs: null, completedMs: 2_000 },
      newVersionId: 'version-3',
      note: unproven.output.note,
      error: null,
    });
  });

  test.each([
    ['failed', { code: 'RevocationUnproven', message: 'verify: still accepted' }, 'RevocationUnproven'],
    ['timed out', undefined, 'WorkflowEnded'],
    ['aborted', undefined, 'WorkflowEnded'],
  ] as const)('%s ends with 1', async (status, error, code) => {
    const cloud = cloudWithOrders();
    cloud.executions.set('any', { status, started: at(0), stopped: at(10), ...(error && { error }) });
    const ran = await rekey(cloud, argv('--yes', '--wait', '--json'));
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'failed', error: { code } });
  });

  const rejected = (requestId: string | undefined) => ({
    message: 'revocation request rejected',
    requestId,
    code: 'SourceNotAllowed',
    reason: 'the source may not ask',
    retryable: false,
  });

  test('a rejected request ends with 1 at once, and says why', async () => {
    const cloud = cloudWithOrders();
    cloud.log('intake', now, rejected('another'));
    cloud.onSleep = (count) => {
      if (count === 3) cloud.log('intake', now, rejected(cloud.published[0]?.detail.metadata.id));
    };
    const ran = await rekey(cloud, argv('--yes', '--wait', '--json'));
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'rejected',
      error: { code: 'SourceNotAllowed', message: 'the source may not ask' },
    });
    expect(cloud.clock - now.getTime()).toBe(2_000);

    const again = cloudWithOrders();
    again.onSleep = () => again.log('intake', now, rejected(again.published[0]?.detail.metadata.id));
    const { stdout, stderr } = await rekey(again, argv('--yes', '--wait'));
    expect(stdout).toContain('was rejected: SourceNotAllowed: the source may not ask');
    expect(stderr).toContain('the credential still works');
  });

  test('a responder who may not read the log of the intake waits as before', async () => {
    const cloud = cloudWithOrders();
    cloud.failLogs = accessDenied('logs:FilterLogEvents');
    const ran = await rekey(cloud, argv('--yes', '--wait'));
    expect(ran).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('was not taken up') });
  });

  test('a request that nobody takes up ends with 1 after a minute', async () => {
    const cloud = cloudWithOrders();
    const ran = await rekey(cloud, argv('--yes', '--wait'));
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).toContain('was not taken up');
    expect(cloud.clock - now.getTime()).toBe(60_000);
  });

  test('a revocation that goes on too long ends with 1', async () => {
    const cloud = cloudWithOrders();
    cloud.executions.set('any', { status: 'running', started: at(0) });
    const ran = await rekey(cloud, argv('--yes', '--wait', '--timeout', '90s', '--json'));
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'unfinished' });
    expect(cloud.clock - now.getTime()).toBe(90_000);
  });
});
