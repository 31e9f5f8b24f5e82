import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NotificationWorld, revocationStarted, rotationFailed } from './world.ts';

let world: NotificationWorld;
beforeEach(() => {
  world = new NotificationWorld();
});
afterEach(() => world.stop());

const failure = (name: string) => world.event('Secret Rotation Failed', rotationFailed(name));
const titles = (bodies: readonly { readonly body: string }[]): string[] =>
  bodies.map(({ body }) => JSON.parse(body).data.title);

/** Lets minutes pass with what each of them does. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) {
    world.pass(1);
    await world.tick();
  }
}

describe('the same event', () => {
  test('delivered again is told once', async () => {
    const receiver = await world.channel('it', 'webhook');
    const event = failure('orders');
    expect(await world.notify(event)).toEqual({ it: 'sent' });
    expect(await world.notify(event)).toEqual({ it: 'done' });
    expect(receiver.taken).toHaveLength(1);
  });

  test('delivered twice at once is told once; the other delivery comes again', async () => {
    const receiver = await world.channel('it', 'webhook');
    const event = failure('orders');
    const outcomes = await Promise.allSettled([world.notify(event), world.notify(event)]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(receiver.taken).toHaveLength(1);
  });

  test('of a call that died is told after its claim has ended', async () => {
    await world.channel('it', 'webhook');
    const event = failure('orders');
    await world.memory.claim('it', `${event.detail.metadata.id} trigger`, world.now);
    await expect(world.notify(event)).rejects.toMatchObject({ waitMs: 60_000 });
    world.pass(2);
    expect(await world.notify(event)).toEqual({ it: 'sent' });
  });
});

describe('a storm', () => {
  test('of 1,000 failed rotations is a few messages, and the digest counts every one that was not told', async () => {
    const receiver = await world.channel('it', 'webhook');
    for (let index = 0; index < 1_000; index += 1) await world.notify(failure(`secret-${index}`));
    const told = receiver.taken.length;
    expect(told).toBe(5);
    await minutes(15);
    expect(titles(receiver.taken).slice(told)).toEqual(['995 messages were held back']);
    const { facts } = JSON.parse(receiver.taken.at(-1)?.body ?? '').data;
    expect(facts['Secret Rotation Failed (995)']).toMatch(/^secret-\d+, .* and 985 more$/);
    await minutes(60);
    expect(receiver.taken).toHaveLength(told + 1);
  });

  test('of one secret, which Secrets Manager tries again and again, is one message and a count', async () => {
    const receiver = await world.channel('it', 'webhook');
    for (let index = 0; index < 30; index += 1) await world.notify(failure('orders'));
    expect(receiver.taken).toHaveLength(1);
    await minutes(15);
    expect(titles(receiver.taken)).toEqual([
      'Rotation failed, the current credential still works: orders',
      '29 messages were held back',
    ]);
  });

  test('that goes on for hours keeps to the bound of each hour, with one digest per window, and counts everything', async () => {
    const receiver = await world.channel('it', 'webhook');
    world.configure({ bounds: { gatherMinutes: 10, messagesPerHour: 6 } });
    world.now = new Date('2026-03-10T12:00:00.000Z');
    for (let minute = 0; minute < 60; minute += 1) {
      for (let index = 0; index < 4; index += 1) await world.notify(failure(`secret-${minute}-${index}`));
      await minutes(1);
    }
    // Six by themselves, and at most one digest for each ten minutes.
    expect(receiver.taken.length).toBeLessThanOrEqual(6 + 6);
    await minutes(10);
    const counts = titles(receiver.taken).flatMap((title) => /^(\d+) message/.exec(title)?.[1] ?? []);
    expect(counts.reduce((sum, count) => sum + Number(count), 0) + 6).toBe(240);
  });

  test('of emergencies is told one by one up to the bound, and then within a minute', async () => {
    const receiver = await world.channel('it', 'webhook');
    for (let index = 0; index < 300; index += 1) {
      await world.notify(
        world.event('Secret Revocation Started', revocationStarted(`secret-${index}`, `r-${index}`)),
      );
    }
    expect(receiver.taken).toHaveLength(20);
    await minutes(1);
    expect(titles(receiver.taken).at(-1)).toBe('280 messages were held back');
    expect(JSON.parse(receiver.taken.at(-1)?.body ?? '').data.urgency).toBe('emergency');
  });

  test('of warnings takes no place from an emergency', async () => {
    const receiver = await world.channel('it', 'webhook');
    world.configure({ bounds: { messagesPerHour: 1 } });
    await world.notify(failure('one'));
    await world.notify(failure('other'));
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    expect(titles(receiver.taken)).toEqual([
      'Rotation failed, the current credential still works: one',
      'Revocation started: orders',
    ]);
  });
});

describe('quiet hours', () => {
  const night = { quietHours: { timeZone: 'Europe/Berlin', periods: [{ from: '22:00', to: '07:00' }] } };

  test('hold warnings back for one digest at their end, and no emergency', async () => {
    const receiver = await world.channel('it', 'webhook');
    world.configure(night);
    world.now = new Date('2026-03-10T23:00:00.000Z');
    expect(await world.notify(failure('orders'))).toEqual({ it: 'held' });
    expect(await world.notify(failure('stock'))).toEqual({ it: 'held' });
    expect(await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')))).toEqual(
      { it: 'sent' },
    );
    await minutes(6 * 60 + 59);
    expect(titles(receiver.taken)).toEqual(['Revocation started: orders']);
    await minutes(1);
    expect(titles(receiver.taken)).toEqual(['Revocation started: orders', '2 messages were held back']);
  });

  test('hold back the digest of what was gathered before them', async () => {
    const receiver = await world.channel('it', 'webhook');
    world.configure(night);
    world.now = new Date('2026-03-10T20:58:00.000Z');
    await world.notify(failure('orders'));
    await world.notify(failure('orders'));
    await minutes(30);
    expect(receiver.taken).toHaveLength(1);
    world.now = new Date('2026-03-11T06:00:00.000Z');
    await world.tick();
    expect(titles(receiver.taken).at(-1)).toBe('1 message was held back');
  });
});

describe('quiet hours that a deploy brings', () => {
  test('hold back what is due in them already, but no emergency', async () => {
    const receiver = await world.channel('it', 'webhook');
    world.configure({ bounds: { messagesPerHour: 1 } });
    await world.notify(failure('orders'));
    await world.notify(failure('orders'));
    for (const id of ['r-1', 'r-2']) {
      await world.notify(world.event('Secret Revocation Started', revocationStarted('orders', id)));
    }
    world.configure({ quietHours: { timeZone: 'UTC', periods: [{ from: '12:00', to: '13:00' }] } });
    await minutes(20);
    expect(titles(receiver.taken).slice(2)).toEqual(['1 message was held back']);
    expect(JSON.parse(receiver.taken.at(-1)?.body ?? '').data.urgency).toBe('emergency');
    await minutes(60);
    expect(receiver.taken).toHaveLength(4);
  });
});

describe('a digest', () => {
  test('that fails stays whole for the next minute, and is told once', async () => {
    const receiver = await world.channel('it', 'webhook');
    await world.notify(failure('orders'));
    await world.notify(failure('orders'));
    world.pass(15);
    receiver.next({ status: 500, body: '' });
    await expect(world.tick()).rejects.toThrow('digest of it: ChannelUnavailable');
    expect(await world.tick()).toEqual({ digests: 1, escalated: 0 });
    expect(await world.tick()).toEqual({ digests: 0, escalated: 0 });
    expect(receiver.taken).toHaveLength(2);
  });

  test('of a channel that fails does not keep those of others', async () => {
    const one = await world.channel('one', 'webhook');
    const other = await world.channel('other', 'webhook');
    await world.notify(failure('orders'));
    await world.notify(failure('orders'));
    world.pass(15);
    one.next({ status: 500, body: '' });
    await expect(world.tick()).rejects.toThrow('digest of one');
    expect(other.taken).toHaveLength(2);
  });
});
