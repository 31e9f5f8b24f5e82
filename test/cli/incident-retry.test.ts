import { describe, expect, test } from '@jest/globals';
import { type AnyEvent, detailSchema } from '../../core/events/catalogue.ts';
import { planned, requested, revocation, start, type Told, told } from '../core/incident/sample.ts';
import { errorOf, FakeCloud, rekey } from './fixture.ts';

const at = (ms: number) => new Date(start + ms);
const orders: Told = {
  requestId: 'r1',
  secretName: '/prod/orders/db',
  incident: 'INC-1',
  versions: ['v1', 'v2'],
};

function log(...events: Parameters<FakeCloud['record']>[1][]): FakeCloud {
  const cloud = new FakeCloud();
  cloud.record(at(60_000), ...events);
  return cloud;
}
const failed = () => log(...revocation(orders, 'Failed'));
const retry = (cloud: FakeCloud, ...argv: string[]) =>
  rekey(cloud, ['incident', 'retry', 'INC-1', '--yes', ...argv]);

/** Gives the requests that were sent, checked against the catalogue. */
const sent = ({ published }: FakeCloud) =>
  published.map((event: AnyEvent) => detailSchema('Secret Revocation Requested').parse(event.detail));

describe('incident retry', () => {
  test('asks again for what failed, with its versions, its incident and what led to it', async () => {
    const cloud = failed();
    const { exitCode, stderr, stdout } = await retry(cloud);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/former request +r1/);
    expect(stderr).toContain('/prod/orders/db: failed, RevocationUnproven; versions v1, v2');
    expect(stdout).toContain('Requested again: 1 secret');
    const [request, ...others] = sent(cloud);
    expect(others).toEqual([]);
    expect(request?.metadata).toMatchObject({ correlationId: 'r1', causationId: 'r1' });
    expect(request?.data).toEqual({
      select: { secret: expect.stringContaining(':secret:/prod/orders/db') },
      versions: ['v1', 'v2'],
      mode: 'kill',
      // What was taken then, by the clock of the function that said so.
      asOf: at(400).toISOString(),
      reason: 'found in a public repository',
      incident: 'INC-1',
      drill: false,
    });
  });

  test('twice is one request; what was rejected meanwhile makes it another', async () => {
    const cloud = failed();
    await retry(cloud);
    cloud.clock += 30_000;
    await retry(cloud);
    const [first, second] = sent(cloud);
    expect(first?.metadata.id).toBe(second?.metadata.id);
    const id = first?.metadata.id ?? '';
    const again: Told = { ...orders, requestId: id, at: 90_000, causationId: 'r1', correlationId: 'r1' };
    // Its record changes nothing yet: it may still begin.
    cloud.record(at(100_000), requested(again));
    await retry(cloud);
    expect(sent(cloud)[2]?.metadata.id).toBe(id);
    const error = { code: 'SecretUnknown', message: 'not there', retryable: false };
    cloud.record(
      at(110_000),
      told('Secret Revocation Rejected', 100_000, { requestId: id, requestSource: 'rekey.cli', error }),
    );
    await retry(cloud);
    expect(sent(cloud)[3]?.metadata.id).not.toBe(id);
  });

  test('of a plan is one request for its failed secrets, and --secret narrows', async () => {
    const argv = ['incident', 'retry', 'INC-4711', '--yes', '--json'];
    const cloud = log(...planned(['Succeeded', 'Failed', 'Unproven']));
    const { stdout } = await rekey(cloud, argv);
    const { requests } = JSON.parse(stdout);
    expect(requests).toMatchObject([
      { retries: 'root-request', mode: 'kill', secrets: ['/prod/part-1', '/prod/part-2'] },
    ]);
    expect(sent(cloud)[0]?.data).toMatchObject({
      select: {
        secrets: [
          { secret: expect.stringContaining('/prod/part-1'), versions: ['v1'] },
          { secret: expect.stringContaining('/prod/part-2'), versions: ['v1'] },
        ],
      },
      incident: 'INC-4711',
    });
    const one = log(...planned(['Succeeded', 'Failed', 'Unproven']));
    await rekey(one, [
      ...argv,
      '--secret',
      '/prod/part-2',
      '--mode',
      'replace',
      '--reason',
      'the target is back',
    ]);
    expect(sent(one)[0]?.data).toMatchObject({
      select: { secrets: [{ secret: expect.stringContaining('/prod/part-2') }] },
      mode: 'replace',
      reason: 'the target is back',
    });
  });

  test('asks first, and sends nothing without a yes', async () => {
    const cloud = failed();
    const argv = ['incident', 'retry', 'INC-1'];
    expect((await rekey(cloud, argv)).exitCode).toBe(2);
    expect((await rekey(cloud, argv, { answer: 'n' })).exitCode).toBe(1);
    expect(cloud.published).toEqual([]);
    expect((await rekey(cloud, argv, { answer: 'y' })).exitCode).toBe(0);
    expect(cloud.published).toHaveLength(1);
  });

  test.each([
    ['all is proven', revocation(orders), /no revocation of it failed or stayed unproven/],
    ['it is under way', revocation(orders).slice(0, -1), /1 of its revocations are under way/],
  ])('where %s there is nothing to do, which is success', async (_, events, sentence) => {
    const cloud = log(...events);
    const { exitCode, stdout } = await retry(cloud);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(sentence);
    expect(cloud.published).toEqual([]);
  });

  test('a secret that the incident has not is wrong usage', async () => {
    const cloud = failed();
    expect(errorOf(await retry(cloud, '--secret', '/prod/order/db', '--json'))).toMatchObject({
      code: 'SecretUnknown',
      exitCode: 2,
      message: expect.stringContaining('it has /prod/orders/db'),
    });
  });

  test('a second person is told of it beforehand, as of any request', async () => {
    const cloud = failed();
    const approvals = {
      revocation: ['kill'],
      approvers: ['grace'],
      minutes: 30,
      onExpiry: 'refuse',
      breakGlass: true,
      desk: 'desk',
      answers: 'answers',
    };
    const facts = cloud.environments.dev ?? {};
    cloud.environments = { dev: { ...facts, approvals: JSON.stringify(approvals) } };
    const { exitCode, stderr } = await retry(cloud);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('grace') });
    expect(cloud.asked).toMatchObject([{ requestId: sent(cloud)[0]?.metadata.id, before: 0 }]);
  });

  test('a responder of one owner asks as that owner', async () => {
    const cloud = failed();
    cloud.add('/prod/orders/db');
    cloud.publishesOnlyAs = 'rekey.cli/team-orders';
    expect((await retry(cloud)).exitCode).toBe(0);
    expect(cloud.published.map(({ source }) => source)).toEqual(['rekey.cli/team-orders']);
  });

  describe('of an incident with environments elsewhere', () => {
    const place = { account: '222222222222', region: 'eu-west-1' };
    const parts = ['open', 'rejected', 'proven', 'none', 'unreachable'];
    const members = parts.map((member) => ({ member, environment: member, ...place, secrets: 1 }));
    const ended = (member: string) =>
      told('Revocation Member Concluded', 4_000, {
        requestId: 'root-request',
        member,
        environment: member,
        ...place,
        memberRequestId: `id-${member}`,
        outcome: member,
        secrets: member === 'open' ? [{ secretName: 'db', outcome: 'failed' }] : [],
      });
    const plan = () =>
      planned(['Succeeded']).map((event) =>
        event.detailType === 'Revocation Planned'
          ? told('Revocation Planned', 100, { ...dataOf(event), members })
          : event,
      );
    const dataOf = ({ detail }: ReturnType<typeof told>) => (detail as { data: object }).data;
    const task = (type: 'Opened' | 'Done') =>
      told(`Revocation Task ${type}`, 6_000, {
        requestId: 'root-request',
        taskId: 't2',
        ...(type === 'Opened' ? { task: 'Look after it', via: 'rejected' } : { note: 'revoked there' }),
      });
    const argv = ['incident', 'retry', 'INC-4711', '--yes'];

    test('names the parts that were not proven there, with what to run, and is no success', async () => {
      const cloud = log(...plan(), ...parts.map(ended), task('Opened'));
      const { exitCode, stdout } = await rekey(cloud, [...argv, '--json']);
      expect(exitCode).toBe(1);
      const in_ = (name: string) => `--environment ${name} --region eu-west-1`;
      const { elsewhere } = JSON.parse(stdout);
      expect(elsewhere).toMatchObject([
        { member: 'open', ...place, command: `rekey incident retry id-open ${in_('open')}` },
        {
          member: 'rejected',
          outcome: 'rejected',
          command: `rekey incident show id-rejected ${in_('rejected')}`,
        },
        { member: 'unreachable', command: `rekey incident show id-unreachable ${in_('unreachable')}` },
      ]);
      const words = await rekey(cloud, argv);
      expect(words.stdout).toContain('Nothing to retry in INC-4711 here');
      expect(words.stdout + words.stderr).toContain(`rekey incident retry id-open ${in_('open')}`);
      expect(cloud.published).toEqual([]);
    });

    test('sends what failed here, and names the parts as well; named secrets are about none of them', async () => {
      const events = [
        ...plan(),
        ...parts.map(ended),
        ...revocation({ ...orders, incident: 'INC-4711' }, 'Failed'),
      ];
      const both = await rekey(log(...events), argv);
      expect(both).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('Requested again: 1 secret'),
      });
      expect(both.stderr).toContain('rekey incident show id-unreachable');
      const named = await rekey(log(...events), [...argv, '--secret', '/prod/orders/db']);
      expect(named).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('id-unreachable') });
    });

    test('passes over a part that somebody looked after, and counts one under way', async () => {
      const done = [...plan(), ...['proven', 'none', 'rejected'].map(ended), task('Opened'), task('Done')];
      const lost = await rekey(log(...done), argv);
      expect(lost).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('2 parts elsewhere') });
      expect(lost.stderr).toContain('no end is recorded; rekey incident show INC-4711 --environment open');
      expect(lost.stderr).not.toContain('id-rejected');
      const under = plan().filter(({ detailType }) => detailType !== 'Revocation Concluded');
      const going = await rekey(
        log(...under, ...['proven', 'none', 'rejected'].map(ended), task('Opened'), task('Done')),
        argv,
      );
      expect(going).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('2 of its revocations are under way'),
      });
    });
  });
});
