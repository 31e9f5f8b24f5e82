import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { notifyBatch, waitSeconds } from '../../../lambdas/notification/queue.ts';
import { NotificationWorld, rotationFailed } from './world.ts';

let world: NotificationWorld;
beforeEach(() => {
  world = new NotificationWorld();
});
afterEach(() => world.stop());

test('a message waits twice as long after each attempt, as long as the receiver asks, and a quarter of an hour at the most', () => {
  expect([1, 2, 3, 8, 9, 12, 1_000].map((attempt) => waitSeconds(attempt, 0))).toEqual([
    5, 10, 20, 640, 900, 900, 900,
  ]);
  expect(waitSeconds(1, 90_500)).toBe(91);
  expect(waitSeconds(1, 10_000_000)).toBe(900);
});

describe('a batch', () => {
  const record = (messageId: string, event: unknown, attempt = 1) => ({
    messageId,
    receiptHandle: `handle-${messageId}`,
    body: typeof event === 'string' ? event : JSON.stringify(event),
    attributes: { ApproximateReceiveCount: String(attempt) },
  });

  async function run(records: readonly ReturnType<typeof record>[], delay?: () => Promise<void>) {
    const delays: [string, number][] = [];
    const failures: { isLasting: boolean; attempt: number }[] = [];
    const answer = await notifyBatch(records, world.context, {
      delay: delay ?? (async (handle, seconds) => void delays.push([handle, seconds])),
      failed: (failure) => failures.push(failure),
    });
    return { again: answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), delays, failures };
  }

  test('gives back what failed alone, with the wait that its receiver asked for', async () => {
    const receiver = await world.channel('it', 'webhook');
    const failure = (name: string) => world.event('Secret Rotation Failed', rotationFailed(name));
    receiver.next({ status: 429, headers: { 'retry-after': '77' }, body: '' });
    const first = await run([record('a', failure('orders'), 3)]);
    expect(first).toEqual({
      again: ['a'],
      delays: [['handle-a', 77]],
      failures: [{ isLasting: false, attempt: 3 }],
    });
    world.pass(2);
    expect(await run([record('b', failure('stock'))])).toEqual({ again: [], delays: [], failures: [] });
  });

  test('with something that is no event tells of the others, and calls it a lasting failure', async () => {
    const receiver = await world.channel('it', 'webhook');
    const good = world.event('Secret Rotation Failed', rotationFailed('orders'));
    const broken = { ...good, detail: { ...good.detail, data: { secretName: 'only' } } };
    const { again, failures } = await run([record('a', 'no JSON'), record('b', broken), record('c', good)]);
    expect(again).toEqual(['a', 'b']);
    expect(failures).toEqual([
      { isLasting: true, attempt: 1 },
      { isLasting: true, attempt: 1 },
    ]);
    expect(receiver.taken).toHaveLength(1);
  });

  test('whose queue cannot be told to wait gives the message back all the same', async () => {
    const receiver = await world.channel('it', 'webhook');
    receiver.next({ status: 500, body: '' });
    const event = world.event('Secret Rotation Failed', rotationFailed('orders'));
    const { again } = await run([record('a', event)], async () => {
      throw new Error('denied');
    });
    expect(again).toEqual(['a']);
  });

  test('leaves aside what it does not know, and a malformed request, whose rejection is told', async () => {
    await world.channel('it', 'webhook');
    const unknown = { source: 'acme', 'detail-type': 'Something', time: '2026-03-10T12:00:00Z', detail: {} };
    const request = { ...unknown, 'detail-type': 'Secret Revocation Requested' };
    expect((await run([record('a', unknown), record('b', request)])).again).toEqual([]);
  });
});
