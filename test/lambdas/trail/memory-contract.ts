import { expect, test } from '@jest/globals';
import type { AskingCall } from '../../../core/trail/attribution.ts';
import type { Claim } from '../../../core/trail/claim.ts';
import type { TrailMemory } from '../../../core/trail/ports.ts';

const claim = (eventId: string): Claim => ({
  eventId,
  factId: `fact ${eventId}`,
  requestId: 'r1',
  about: 'Secret Revocation Requested',
  subject: 'orders',
  claimed: 'alice',
  correlationId: 'INC-7',
});
const call = (id: string): AskingCall => ({
  id,
  time: '2026-03-07T00:51:07.000Z',
  caller: { principal: 'arn:aws:sts::111122223333:assumed-role/a/b', session: 'b' },
  sourceAddress: '192.0.2.1',
  userAgent: 'aws-cli',
  secret: 'orders',
});
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

/** What every memory of a trail keeps to. Each test uses names of its own. */
export function trailMemoryContract(open: () => TrailMemory): void {
  test('whoever brings the second half of a pair sees both, however often each comes', async () => {
    expect(await open().claim('pair 1', claim('e1'))).toMatchObject({ claims: [claim('e1')], calls: [] });
    const both = { claims: [claim('e1')], calls: [call('c1')] };
    expect(await open().call('pair 1', call('c1'))).toMatchObject(both);
    expect(await open().claim('pair 1', claim('e1'))).toMatchObject(both);
    expect(await open().call('pair 1', call('c2'))).toMatchObject({ calls: [call('c1'), call('c2')] });
    expect(await open().call('pair 2', call('c1'))).toMatchObject({ claims: [], calls: [call('c1')] });
  });

  test('of two halves that come at the same time, one sees both', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const seen = await Promise.all([
        open().claim(`at once ${turn}`, claim('e1')),
        open().call(`at once ${turn}`, call('c1')),
      ]);
      expect(seen.some(({ claims, calls }) => claims.length + calls.length === 2)).toBe(true);
    }
  });

  test('what was told is known', async () => {
    await open().claim('pair 3', claim('e3'));
    await open().tell('pair 3', 'e3 c3');
    const { told } = await open().claim('pair 3', claim('e3'));
    expect([...told]).toEqual(['e3 c3']);
  });

  test('of reads the latest stays, whatever the order and the number', async () => {
    const identity = 'arn:aws:iam::111122223333:role/reader';
    const [early, late] = [minutesAgo(9), minutesAgo(2)];
    await open().read([{ identity, secret: 'a', time: late }]);
    await open().read([
      { identity, secret: 'a', time: early },
      { identity, secret: 'b', time: early },
      { identity: `${identity}-other`, secret: 'c', time: early },
      { identity, secret: 'x'.repeat(2_000), time: early },
    ]);
    const { reads } = await open().readBy(identity);
    expect(reads.filter(({ secret }) => secret.length < 2_000)).toMatchObject([
      { secret: 'a', time: late },
      { secret: 'b', time: early },
    ]);
  });

  test('how far the trail was read is known by its first and last call', async () => {
    const [first, middle, last] = [minutesAgo(50), minutesAgo(30), minutesAgo(-10)];
    for (const time of [middle, last, first, middle]) await open().reached(time);
    expect(await open().readBy('nobody')).toMatchObject({ since: first, until: last, reads: [] });
  });
}
