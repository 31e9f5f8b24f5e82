import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Held } from '../../../core/notification/digest.ts';
import type { Incident } from '../../../core/notification/incident.ts';
import type { NotificationMemory } from '../../../core/notification/ports.ts';

const now = new Date('2026-03-10T12:00:00.000Z');
const later = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const held = (id: string): Held => ({
  id,
  kind: 'Secret Rotation Failed',
  urgency: 'warning',
  subject: 'orders',
  title: 'a title',
  time: now.toISOString(),
  environment: 'test',
});
const incident = (id: string, more: Partial<Incident> = {}): Incident => ({
  id,
  subject: 'orders',
  event: 'Secret Rotation Failed',
  urgency: 'warning',
  openedAt: now.toISOString(),
  steps: 0,
  told: [],
  ...more,
});

/** What every memory of the notifier keeps to. Each test uses names of its own. */
export function memoryContract(open: () => NotificationMemory): void {
  describe('a claim', () => {
    test('is one caller’s until it ends, is sent, or is given back', async () => {
      const memory = open();
      expect(await memory.claim('chat', 'a', now)).toBe('mine');
      expect(await memory.claim('chat', 'a', later(1))).toBe('taken');
      expect(await memory.claim('mail', 'a', now)).toBe('mine');
      await memory.unclaim('chat', 'a');
      expect(await memory.claim('chat', 'a', now)).toBe('mine');
      expect(await memory.claim('chat', 'a', later(2))).toBe('mine');
      await memory.sent('chat', 'a', later(2));
      expect(await memory.claim('chat', 'a', later(10))).toBe('done');
    });

    test('of many at once is one caller’s', async () => {
      const memory = open();
      const outcomes = await Promise.all(Array.from({ length: 12 }, () => memory.claim('chat', 'race', now)));
      expect(outcomes.toSorted()).toEqual(['mine', ...Array.from({ length: 11 }, () => 'taken')]);
    });
  });

  test('held messages come when they are due, in order, and are done for every later delivery', async () => {
    const memory = open();
    await memory.claim('held', 'one', now);
    await memory.hold('held', held('one'), later(5), now);
    await memory.hold('held', held('other'), later(10), now);
    await memory.hold('held', held('one'), later(5), now);
    expect(await memory.claim('held', 'one', later(60))).toBe('done');
    expect(await memory.due('held', later(4), 10)).toEqual([]);
    const due = await memory.due('held', later(10), 10);
    expect(due.map((entry) => entry.held)).toEqual([held('one'), held('other')]);
    expect(await memory.due('held', later(10), 1)).toHaveLength(1);
    await memory.forget('held', due.slice(0, 1));
    expect((await memory.due('held', later(10), 10)).map((entry) => entry.held.id)).toEqual(['other']);
  });

  test('hundreds of held messages are all listed and all forgotten', async () => {
    const memory = open();
    await Promise.all(
      Array.from({ length: 130 }, (_, index) => memory.hold('many', held(`many-${index}`), later(1), now)),
    );
    const due = await memory.due('many', later(1), 1_000);
    expect(new Set(due.map((entry) => entry.held.id)).size).toBe(130);
    await memory.forget('many', due);
    expect(await memory.due('many', later(1), 1_000)).toEqual([]);
  });

  describe('a count', () => {
    test('has as many places as its limit, and one who has a place keeps it', async () => {
      const memory = open();
      expect(await memory.take('bucket', 'a', 2, later(60))).toBe(true);
      expect(await memory.take('bucket', 'b', 2, later(60))).toBe(true);
      expect(await memory.take('bucket', 'c', 2, later(60))).toBe(false);
      expect(await memory.take('bucket', 'a', 2, later(60))).toBe(true);
      expect(await memory.take('another', 'c', 2, later(60))).toBe(true);
    });

    test('of many at once has no place more', async () => {
      const memory = open();
      const taken = await Promise.all(
        Array.from({ length: 15 }, (_, index) => memory.take('race', `t${index}`, 4, later(60))),
      );
      expect(taken.filter(Boolean)).toHaveLength(4);
    });
  });

  test('a pause is remembered for its channel', async () => {
    const memory = open();
    await memory.pause('paused', later(3));
    expect(await memory.pausedUntil('paused')).toEqual(later(3));
    expect(await memory.pausedUntil('never')).toBeUndefined();
  });

  describe('an incident', () => {
    test('is replaced by whoever read its last version, and by nobody else', async () => {
      const memory = open();
      const id = 'aaaaaaaaaaaa';
      expect(await memory.incident(id)).toBeUndefined();
      expect(await memory.replace(0, incident(id), {})).toBe(true);
      expect(await memory.replace(0, incident(id), {})).toBe(false);
      expect(await memory.incident(id)).toEqual({ incident: incident(id), version: 1 });
      expect(await memory.replace(1, incident(id, { steps: 1 }), {})).toBe(true);
      expect(await memory.replace(1, incident(id, { steps: 2 }), {})).toBe(false);
      expect(await memory.incident(id)).toEqual({ incident: incident(id, { steps: 1 }), version: 2 });
    });

    test('has one next step, which moves with it', async () => {
      const memory = open();
      const id = 'bbbbbbbbbbbb';
      const steps = async () => (await memory.dueSteps(later(1_000), 100)).filter((step) => step.id === id);
      await memory.replace(0, incident(id), { next: later(100) });
      expect(await steps()).toEqual([{ id, due: later(100) }]);
      await memory.replace(1, incident(id), { before: later(100), next: later(100) });
      expect(await steps()).toEqual([{ id, due: later(100) }]);
      await memory.replace(2, incident(id), { before: later(100), next: later(200) });
      expect(await steps()).toEqual([{ id, due: later(200) }]);
      expect((await memory.dueSteps(later(199), 100)).filter((step) => step.id === id)).toEqual([]);
      await memory.replace(3, incident(id), { before: later(200) });
      expect(await steps()).toEqual([]);
    });

    test('that loses the race leaves no step behind', async () => {
      const memory = open();
      const id = 'cccccccccccc';
      const won = await Promise.all(
        [1, 2, 3, 4].map((minutes) => memory.replace(0, incident(id), { next: later(minutes * 10) })),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await memory.dueSteps(later(1_000), 100)).filter((step) => step.id === id)).toHaveLength(1);
    });
  });

  test('names may hold anything', async () => {
    const memory = open();
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 50 }), async (name) => {
        const id = `${name} ${crypto.randomUUID()}`;
        await memory.hold('names', { ...held(id), subject: name }, later(1), now);
        expect((await memory.due('names', later(1), 1_000)).map((entry) => entry.held.subject)).toContain(
          name,
        );
      }),
      { numRuns: 10 },
    );
  });
}
