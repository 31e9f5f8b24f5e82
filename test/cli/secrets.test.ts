import { describe, expect, test } from '@jest/globals';
import { accessDenied, ago, day, errorOf, FakeCloud, healthy, hour, minute, now, rekey } from './fixture.ts';

const pending = (created: Date) => ({
  description: {
    ...healthy,
    versions: { ...healthy.versions, 'version-3': ['AWSPENDING'] },
  },
  created: { 'version-3': created },
});

/** A cloud with one secret in each state. */
function everyState(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('ok');
  cloud.add('rotating').created = pending(ago(minute)).created;
  Object.assign(cloud.secrets.at(-1) ?? {}, pending(ago(minute)));
  cloud.add('failed');
  Object.assign(cloud.secrets.at(-1) ?? {}, pending(ago(hour)));
  cloud.add('overdue', { ...healthy, nextRotation: ago(hour) });
  cloud.add('off', { ...healthy, rotationEnabled: false });
  cloud.add('over', { ...healthy, rotationEnabled: false }).tags = {
    'rekey:expired': '2026-01-31 version-2',
  };
  delete cloud.add('gone').description;
  return cloud;
}

describe('secret list', () => {
  test('tells each state apart', async () => {
    const { exitCode, stdout } = await rekey(everyState(), ['secret', 'list', '--json']);
    expect(exitCode).toBe(0);
    const { secrets } = JSON.parse(stdout);
    expect(secrets.map((one: { name: string; state: string }) => [one.name, one.state])).toEqual([
      ['failed', 'rotation failed'],
      ['gone', 'missing'],
      ['off', 'rotation off'],
      ['ok', 'ok'],
      ['over', 'ended'],
      ['overdue', 'overdue'],
      ['rotating', 'rotating'],
    ]);
    expect(secrets[3]).toEqual({
      name: 'ok',
      arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:ok-AbCdEf',
      type: 'postgresql',
      strategy: 'single-user',
      owner: 'team-orders',
      schedule: 'rate(30 days)',
      state: 'ok',
      lastRotated: ago(3 * day).toISOString(),
      nextRotation: new Date(now.getTime() + 27 * day).toISOString(),
      pendingVersionId: null,
    });
    expect(secrets[0].pendingVersionId).toBe('version-3');
  });

  test('a step that failed shows at once, unless the version was tried again', async () => {
    const cloud = everyState();
    const group = '/aws/lambda/arn:aws:lambda:eu-central-1:111122223333:function:rotation';
    const state = async () => {
      const { secrets } = JSON.parse((await rekey(cloud, ['secret', 'list', '--json'])).stdout);
      return secrets.at(-1).state;
    };
    cloud.log(group, now, stepFailed('another-version'));
    expect(await state()).toBe('rotating');
    cloud.log(group, now, stepFailed('version-3'));
    cloud.log(group, now, { message: 'Invoke Error version-3', errorType: 'TargetUnreachable' });
    expect(await state()).toBe('rotation failed');
    cloud.log(group, now, { ...stepFailed('version-3'), level: 'INFO', message: 'step done' });
    expect(await state()).toBe('rotating');
    cloud.log(group, now, stepFailed('version-3'));
    cloud.failures.logs = accessDenied('logs:FilterLogEvents');
    expect(await state()).toBe('rotating');
  });

  test('a created secret holds no credential before it has rotated, and its fields are never printed', async () => {
    const cloud = new FakeCloud();
    const { lastRotated: _, ...fresh } = healthy;
    const content = { fields: { host: 'db.internal' }, masterarn: 'arn:of:the:admin' };
    cloud.add('adopted', fresh);
    cloud.add('created', fresh, { content });
    const shown = await rekey(cloud, ['secret', 'show', 'created', '--json']);
    const listed = await rekey(cloud, ['secret', 'list', '--json']);
    const { secrets } = JSON.parse(listed.stdout);
    expect(secrets.map(({ state }: { state: string }) => state)).toEqual(['ok', 'not rotated yet']);
    const { stdout: checks } = await rekey(cloud, ['doctor']);
    expect(checks).toContain('rekey secret rotate created');
    for (const text of [shown.stdout, listed.stdout, checks]) {
      expect(text).not.toMatch(/db\.internal|of:the:admin/);
    }
  });

  test('a pending label on the current version is a rotation that has ended', async () => {
    const cloud = new FakeCloud();
    cloud.add('orders', { ...healthy, versions: { 'version-2': ['AWSCURRENT', 'AWSPENDING'] } });
    const { stdout } = await rekey(cloud, ['secret', 'list', '--json']);
    expect(JSON.parse(stdout).secrets[0]).toMatchObject({ state: 'ok', pendingVersionId: null });
  });

  test('the table is aligned', async () => {
    const { stdout } = await rekey(everyState(), ['secret', 'list']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^NAME +TYPE +STRATEGY +OWNER +LAST ROTATED +NEXT +STATE$/);
    const column = lines[0]?.indexOf('STATE') ?? -1;
    expect(lines.slice(1).map((line) => line.slice(column))).toEqual([
      'rotation failed',
      'missing',
      'rotation off',
      'ok',
      'ended',
      'overdue',
      'rotating',
    ]);
    expect(lines[4]).toContain('3 d ago');
    expect(lines[4]).toContain('in 27 d');
  });
});

describe('secret show', () => {
  test('versions, labels and consumers, never a value', async () => {
    const cloud = new FakeCloud();
    cloud.add('orders');
    const { exitCode, stdout } = await rekey(cloud, ['secret', 'show', 'orders', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      environment: 'dev',
      name: 'orders',
      consumers: ['orders-api', 'orders-batch'],
      network: null,
      rotationEnabled: true,
      versions: [
        { versionId: 'version-2', stages: ['AWSCURRENT'], created: ago(3 * day).toISOString() },
        { versionId: 'version-1', stages: ['AWSPREVIOUS'] },
      ],
    });
    const text = (await rekey(cloud, ['secret', 'show', 'orders'])).stdout;
    expect(text).toMatch(/consumers +orders-api, orders-batch\n/);
    expect(text).toMatch(/version-2 +AWSCURRENT +3 d ago\n/);
  });

  test('by ARN as well', async () => {
    const cloud = new FakeCloud();
    const { arn } = cloud.add('orders').definition;
    expect((await rekey(cloud, ['secret', 'show', arn])).exitCode).toBe(0);
  });

  test.each([
    ['prod/orders/bd', 'prod/orders/db'],
    ['orders/db', 'prod/orders/db'],
    ['prod/biling', 'prod/billing'],
  ])('%s: did you mean %s', async (typed, meant) => {
    const cloud = new FakeCloud();
    cloud.add('prod/orders/db');
    cloud.add('prod/billing');
    const error = errorOf(await rekey(cloud, ['secret', 'show', typed, '--json']));
    expect(error).toMatchObject({ code: 'SecretUnknown', exitCode: 2 });
    expect(error.message).toContain(`did you mean ${meant}?`);
  });

  test.each([
    ['prod/orders/db', '/prod/orders/db'],
    ['/prod/billing', 'prod/billing'],
    ['//prod/orders/db', '/prod/orders/db'],
  ])('%s: did you mean %s, which differs by its slash, and nothing else', async (typed, meant) => {
    const cloud = new FakeCloud();
    for (const name of ['/prod/orders/db', 'prod/billing', '/prod/orders/db2', '/prod/bilking'])
      cloud.add(name);
    const { message } = errorOf(await rekey(cloud, ['secret', 'show', typed, '--json']));
    expect(message).toBe(`environment dev has no secret "${typed}"; did you mean ${meant}?`);
  });

  test('nothing near: no suggestion', async () => {
    const cloud = new FakeCloud();
    cloud.add('prod/orders/db');
    expect(errorOf(await rekey(cloud, ['secret', 'show', 'zebra', '--json'])).message).toContain(
      'rekey secret list',
    );
  });

  test('a secret that is gone ends with 3', async () => {
    const cloud = new FakeCloud();
    delete cloud.add('orders').description;
    expect(errorOf(await rekey(cloud, ['secret', 'show', 'orders', '--json']))).toMatchObject({
      code: 'SecretMissing',
      exitCode: 3,
    });
  });
});

const failed = (versionId: string, retryable: boolean) => ({
  detailType: 'Secret Rotation Failed',
  detail: {
    data: {
      versionId,
      step: 'testSecret',
      error: { code: 'AuthenticationRefused', message: 'the login was refused', retryable },
    },
  },
});

/** What the rotation function logs about a step that failed. */
const stepFailed = (versionId: string, reason = 'no answer from db:5432') => ({
  message: 'failed',
  secret: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf',
  step: 'testSecret',
  versionId,
  code: 'TargetUnreachable',
  reason,
  retryable: true,
});

describe('secret rotate', () => {
  const one = () => {
    const cloud = new FakeCloud();
    const secret = cloud.add('orders');
    return { cloud, secret };
  };
  const finish = (secret: ReturnType<FakeCloud['add']>, versionId: string) => {
    secret.description = {
      ...healthy,
      versions: { [versionId]: ['AWSCURRENT'], 'version-2': ['AWSPREVIOUS'] },
    };
  };

  test('shows a plan and asks; anything but yes changes nothing', async () => {
    const { cloud } = one();
    const { exitCode, stdout, stderr } = await rekey(cloud, ['secret', 'rotate', 'orders'], { answer: 'n' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/Plan: rotate a secret[\s\S]*orders-api, orders-batch[\s\S]*NotConfirmed/);
    expect(cloud.rotationsAsked).toEqual([]);
  });

  test('without a terminal it wants --yes', async () => {
    const { cloud } = one();
    expect(errorOf(await rekey(cloud, ['secret', 'rotate', 'orders', '--json']))).toMatchObject({
      code: 'ConfirmationMissing',
      exitCode: 2,
    });
    expect(cloud.rotationsAsked).toEqual([]);
  });

  test('yes starts it', async () => {
    const { cloud } = one();
    const { exitCode, stdout } = await rekey(cloud, ['secret', 'rotate', 'orders'], { answer: 'yes' });
    expect(exitCode).toBe(0);
    expect(cloud.rotationsAsked).toHaveLength(1);
    expect(stdout).toContain(cloud.rotationsAsked[0]);
  });

  test('--wait ends when the new version is current', async () => {
    const { cloud, secret } = one();
    cloud.onSleep = (count) => {
      if (count === 3) finish(secret, cloud.rotationsAsked[0] ?? '');
    };
    const { exitCode, stdout } = await rekey(cloud, [
      'secret',
      'rotate',
      'orders',
      '--wait',
      '--yes',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      environment: 'dev',
      secret: 'orders',
      arn: secret.definition.arn,
      versionId: cloud.rotationsAsked[0],
      resumed: false,
      outcome: 'succeeded',
      durationMs: 3_000,
      failure: null,
    });
  });

  const wait = ['secret', 'rotate', 'orders', '--wait', '--yes'];

  test('--wait names the step that failed, from the log of the function, and ends at once', async () => {
    const { cloud, secret } = one();
    const group = `/aws/lambda/${secret.definition.rotationFunction}`;
    cloud.failures.auditObjects = accessDenied('s3:ListBucket');
    cloud.log(group, ago(minute), stepFailed('another-version'));
    cloud.onSleep = (count) => {
      const versionId = cloud.rotationsAsked[0] ?? '';
      // Lines of the same version that tell of no failed step.
      if (count === 1)
        cloud.log(group, now, { ...stepFailed(versionId), level: 'INFO', message: 'step done' });
      if (count === 1)
        cloud.log(group, now, { ...stepFailed(versionId), message: 'the event bus took no record' });
      if (count === 2) cloud.log(group, now, stepFailed(versionId));
    };
    const { exitCode, stdout, stderr } = await rekey(cloud, wait);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('failed in step testSecret: TargetUnreachable: no answer from db:5432');
    expect(stderr).toContain('Secrets Manager retries the rotation by itself');
    expect(stderr).toContain('may pass');
    expect(stderr).not.toContain('readable');
    expect(cloud.clock - now.getTime()).toBe(2_000);
  });

  test('a failure that does not pass by itself says so', async () => {
    const { cloud, secret } = one();
    cloud.onSleep = () =>
      cloud.log(`/aws/lambda/${secret.definition.rotationFunction}`, now, {
        ...stepFailed(cloud.rotationsAsked[0] ?? ''),
        retryable: false,
      });
    const { stdout, stderr } = await rekey(cloud, [...wait, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'failed',
      failure: {
        step: 'testSecret',
        code: 'TargetUnreachable',
        message: 'no answer from db:5432',
        retryable: false,
      },
    });
    expect(stderr).toContain('fails again until the cause is removed');
  });

  test('a failure of an earlier try of the same version is not taken for one of this try', async () => {
    const { cloud, secret } = one();
    const group = `/aws/lambda/${secret.definition.rotationFunction}`;
    Object.assign(secret, pending(ago(minute)));
    cloud.rotationAnswer = 'unfinished';
    // The function's clock runs ahead of the operator's.
    cloud.log(group, new Date(now.getTime() + minute), stepFailed('version-3', 'earlier'));
    cloud.onSleep = (count) => {
      if (count === 3) finish(secret, 'version-3');
    };
    expect((await rekey(cloud, wait)).exitCode).toBe(0);

    Object.assign(secret, pending(ago(minute)));
    cloud.onSleep = (count) => {
      if (count === 3) cloud.log(group, ago(minute), stepFailed('version-3', 'later'));
    };
    const again = await rekey(cloud, wait);
    expect(again.exitCode).toBe(1);
    expect(again.stdout).toContain('later');
  });

  test('a log that does not answer for once does not end the wait', async () => {
    const { cloud, secret } = one();
    cloud.onSleep = (count) => {
      if (count === 1) cloud.failLogs = accessDenied('logs:FilterLogEvents');
      if (count === 3) finish(secret, cloud.rotationsAsked[0] ?? '');
    };
    expect((await rekey(cloud, wait)).exitCode).toBe(0);
  });

  test('where the log of the function is not readable, the audit log names the step', async () => {
    const { cloud } = one();
    cloud.failures.logs = accessDenied('logs:FilterLogEvents');
    cloud.record(ago(minute), failed('another-version', false));
    cloud.onSleep = (count) => {
      if (count === 2) cloud.record(now, failed(cloud.rotationsAsked[0] ?? '', true));
    };
    const { exitCode, stdout } = await rekey(cloud, wait);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('failed in step testSecret: AuthenticationRefused: the login was refused');
    expect(cloud.clock - now.getTime()).toBe(2_000);
  });

  test('a wait that is too long ends with 1, also where neither log is readable', async () => {
    const { cloud } = one();
    cloud.failures.functions = accessDenied('lambda:GetFunctionConfiguration');
    cloud.failures.auditObjects = accessDenied('s3:ListBucket');
    const { exitCode, stdout, stderr } = await rekey(cloud, [...wait, '--timeout', '30s']);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('has not ended after 30.0 s');
    expect(stderr).toContain("Neither the function's log (AccessDenied) nor the audit log (AccessDenied)");
  });

  test('Ctrl-C ends the wait', async () => {
    const { cloud } = one();
    const argv = ['secret', 'rotate', 'orders', '--wait', '--yes', '--json'];
    const { exitCode, stdout } = await rekey(cloud, argv, { abortAfter: 2 });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'unfinished', durationMs: 2_000 });
  });

  test('an unfinished rotation is followed instead of a new one', async () => {
    const { cloud, secret } = one();
    Object.assign(secret, pending(ago(hour)));
    cloud.rotationAnswer = 'unfinished';
    cloud.onSleep = () => finish(secret, 'version-3');
    const { exitCode, stdout, stderr } = await rekey(cloud, [
      'secret',
      'rotate',
      'orders',
      '--wait',
      '--yes',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ versionId: 'version-3', resumed: true, outcome: 'succeeded' });
    expect(stderr).toContain('version version-3 of an earlier rotation');
  });

  test('rotation that is switched off is refused before anything is asked', async () => {
    const cloud = new FakeCloud();
    cloud.add('orders', { ...healthy, rotationEnabled: false });
    expect(errorOf(await rekey(cloud, ['secret', 'rotate', 'orders', '--yes', '--json']))).toMatchObject({
      code: 'RotationDisabled',
      exitCode: 3,
    });
    expect(cloud.rotationsAsked).toEqual([]);
  });
});
