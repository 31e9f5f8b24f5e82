import { describe, expect, test } from '@jest/globals';
import { detailSchema } from '../../core/events/catalogue.ts';
import { accessDenied, errorOf, FakeCloud, rekey } from './fixture.ts';

const role = 'arn:aws:iam::111122223333:role/app-worker';
const user = 'arn:aws:iam::111122223333:user/app-ci';
const quarantine = JSON.stringify({
  principals: ['arn:aws:iam::111122223333:role/app-*', 'arn:aws:iam::111122223333:user/app-*'],
  logGroup: 'quarantine',
});

function configured(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.environments = { dev: { ...cloud.environments.dev, quarantine } };
  return cloud;
}
const why = ['--reason', 'host was entered'];
const place = (cloud: FakeCloud, ...argv: string[]) =>
  rekey(cloud, ['quarantine', 'principal', role, ...why, '--yes', ...argv]);
const requestId = '0195a000-0000-7000-8000-000000000001';

describe('quarantine principal', () => {
  test('shows what it denies, asks for it, and says how it is lifted', async () => {
    const cloud = configured();
    const { exitCode, stdout, stderr } = await place(cloud, '--incident', 'INC-7');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('everything to sessions that began before now; new ones work');
    const [event] = cloud.published;
    expect(event).toMatchObject({ source: 'rekey.cli', detailType: 'Principal Quarantine Requested' });
    const { metadata, data } = detailSchema('Principal Quarantine Requested').parse(event?.detail);
    expect(data).toEqual({
      principal: role,
      scope: 'sessions',
      reason: 'host was entered',
      incident: 'INC-7',
    });
    expect(metadata.correlationId).toBe(metadata.id);
    expect(stdout).toContain(metadata.id);
    expect(stderr).toContain(`rekey quarantine lift ${role} --request ${metadata.id}`);
  });

  test('asks first, and sends nothing without a yes', async () => {
    const cloud = configured();
    const argv = ['quarantine', 'principal', role, ...why];
    expect((await rekey(cloud, argv)).exitCode).toBe(2);
    expect((await rekey(cloud, argv, { answer: 'n' })).exitCode).toBe(1);
    expect(cloud.published).toEqual([]);
  });

  test.each([
    ['a user without --all', user, 'QuarantineScopeInvalid'],
    ['what is not named', 'arn:aws:iam::111122223333:role/deploy', 'PrincipalNotCovered'],
    ['what is no ARN', 'app-worker', 'UsageInvalid'],
    ['a role of AWS', 'arn:aws:iam::111122223333:role/aws-service-role/x/app-1', 'UsageInvalid'],
  ])('refuses %s before it sends anything', async (_, arn, code) => {
    const cloud = configured();
    const ran = await rekey(cloud, ['quarantine', 'principal', arn, ...why, '--yes', '--json']);
    expect(errorOf(ran)).toMatchObject({ code, exitCode: 2 });
    expect(cloud.published).toEqual([]);
  });

  test('refuses the principal that the caller acts as', async () => {
    const cloud = configured();
    const facts = quarantine.replaceAll('app-*', 'resp*');
    cloud.environments = { dev: { ...cloud.environments.dev, quarantine: facts } };
    const own = 'arn:aws:iam::111122223333:role/responder';
    const ran = await rekey(cloud, ['quarantine', 'principal', own, ...why, '--yes', '--json']);
    expect(errorOf(ran)).toMatchObject({ code: 'PrincipalProtected', exitCode: 2 });
  });

  test('where nobody is quarantined says so', async () => {
    expect(errorOf(await place(new FakeCloud(), '--json'))).toMatchObject({
      code: 'QuarantineOff',
      exitCode: 3,
    });
  });
});

describe('--wait', () => {
  const waiting = async (line: (id: string) => Record<string, unknown>, argv: readonly string[] = []) => {
    const cloud = configured();
    cloud.onSleep = (count) => {
      if (count !== 2) return;
      cloud.log('quarantine', new Date(cloud.clock), line(cloud.published[0]?.detail.metadata.id ?? ''));
    };
    return await place(cloud, '--wait', '--json', ...argv);
  };

  test('ends when it was carried out', async () => {
    const { exitCode, stdout } = await waiting((id) => ({
      level: 'INFO',
      message: 'quarantine request done',
      requestId: id,
      outcome: 'placed',
    }));
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'placed', error: null });
  });

  test('ends with 1 when it is refused, and says why', async () => {
    const { exitCode, stdout } = await waiting((id) => ({
      message: 'quarantine request refused',
      requestId: id,
      code: 'PrincipalProtected',
      reason: 'is Rekey’s own',
      retryable: false,
    }));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'refused', error: { code: 'PrincipalProtected' } });
  });

  test('ends with 1 when no answer comes in time; an answer to another request is none', async () => {
    const other = () => ({ message: 'quarantine request done', requestId, outcome: 'placed' });
    const { exitCode, stdout } = await waiting(other, ['--timeout', '10s']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'unfinished' });
  });

  test('a log that the caller may not read ends it', async () => {
    const cloud = configured();
    cloud.failLogs = accessDenied('logs:FilterLogEvents');
    expect(errorOf(await place(cloud, '--wait', '--json'))).toMatchObject({ code: 'AccessDenied' });
  });
});

test('quarantine lift names the request that it ends', async () => {
  const cloud = configured();
  const argv = ['quarantine', 'lift', role, '--reason', 'host was rebuilt', '--yes'];
  expect((await rekey(cloud, argv)).exitCode).toBe(2);
  expect(errorOf(await rekey(cloud, [...argv, '--request', 'q', '--json'])).code).toBe('RequestInvalid');
  const { stderr, exitCode } = await rekey(cloud, [...argv, '--request', requestId]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('its credentials work again, stolen ones too');
  expect(cloud.published[0]).toMatchObject({
    detailType: 'Principal Quarantine Lift Requested',
    detail: { data: { principal: role, quarantineId: requestId, reason: 'host was rebuilt' } },
  });
});
