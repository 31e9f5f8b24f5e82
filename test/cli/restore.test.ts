import { describe, expect, test } from '@jest/globals';
import { containmentTraces } from '../../cli/restore-words.ts';
import { secretTypes } from '../../rotators/registry.ts';
import { begun, planned, requested, revocation, start, type Told, told } from '../core/incident/sample.ts';
import { errorOf, FakeCloud, rekey } from './fixture.ts';

const orders: Told = { requestId: 'r1', secretName: '/prod/orders/db', incident: 'INC-1' };

function log(...events: Parameters<FakeCloud['record']>[1][]): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('/prod/orders/db');
  cloud.record(new Date(start + 60_000), ...events);
  return cloud;
}
const restore = (cloud: FakeCloud, request: string, ...argv: string[]) =>
  rekey(cloud, ['secret', 'restore', '/prod/orders/db', '--request', request, ...argv]);

describe('secret restore', () => {
  test.each(['r1', 'INC-1'])(
    'of what was proven says that nothing is left to restore (%s)',
    async (request) => {
      const cloud = log(...revocation(orders));
      const { exitCode, stdout } = await restore(cloud, request);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^cut off +orders_app: refused, 2 sessions ended$/m);
      expect(stdout).toContain('The role lost its LOGIN. Each rotation gives it back, with a new password.');
      expect(stdout).toContain('the new credential was seen to work after the rotation');
      // It explains, and changes nothing.
      expect(cloud.published).toEqual([]);
      expect(cloud.rotationsAsked).toEqual([]);
    },
  );

  test('of what failed brings nothing back, and names the ways out', async () => {
    const cloud = log(...revocation(orders, 'Failed'));
    const { exitCode, stdout } = await restore(cloud, 'r1', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'failed',
      restorable: false,
      replaced: false,
      cutOffs: [{ identity: 'orders_app', loginsRefused: true }],
      waysOut: [
        expect.stringContaining('rekey incident retry INC-1 --secret /prod/orders/db'),
        expect.stringContaining('rekey secret rotate /prod/orders/db'),
      ],
    });
    expect(cloud.published).toEqual([]);
  });

  test.each([
    ['is under way', [requested(orders), ...begun(orders)], /incident show INC-1 --follow/],
    ['is unproven', revocation(orders, 'Unproven'), /the new version is current/],
    [
      'was rejected',
      [
        requested(orders),
        told('Secret Revocation Rejected', 50, {
          requestId: 'r1',
          requestSource: 'rekey.cli',
          error: { code: 'VersionsNotKept', message: 'none', retryable: false },
        }),
      ],
      /nothing was done/,
    ],
  ])('of what %s says what comes next', async (_, events, words) => {
    const { exitCode, stdout } = await restore(log(...events), 'r1');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(words);
  });

  test('finds a secret of a plan by the request of the plan, and a definition is not needed', async () => {
    const cloud = new FakeCloud();
    cloud.record(new Date(start + 60_000), ...planned(['Succeeded', 'Failed']));
    const argv = ['secret', 'restore', '/prod/part-1', '--request', 'root-request', '--json'];
    expect(JSON.parse((await rekey(cloud, argv)).stdout)).toMatchObject({
      secret: '/prod/part-1',
      requestId: 'part-1',
      type: null,
      trace: null,
    });
  });

  test('of a secret that the incident has not is wrong usage', async () => {
    const cloud = log(...revocation({ ...orders, secretName: '/prod/other' }));
    expect(errorOf(await restore(cloud, 'r1', '--json'))).toMatchObject({
      code: 'SecretUnknown',
      exitCode: 2,
    });
    expect(errorOf(await restore(cloud, 'r9', '--json'))).toMatchObject({ code: 'IncidentUnknown' });
  });

  test('has words for every type', () => {
    expect(Object.keys(containmentTraces).toSorted()).toEqual([...secretTypes].toSorted());
  });
});
