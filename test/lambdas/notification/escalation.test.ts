import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AnyEvent } from '../../../core/events/catalogue.ts';
import {
  NotificationWorld,
  revocationStarted,
  revocationSucceeded,
  rotationFailed,
  rotationSucceeded,
} from './world.ts';

let world: NotificationWorld;
beforeEach(async () => {
  world = new NotificationWorld();
  await world.channel('owners', 'webhook', { owners: ['nobody'], emergencies: true });
  await world.channel('backup', 'webhook', { emergencies: false });
  await world.channel('oncall', 'webhook', { emergencies: false });
  world.configure({
    escalation: {
      urgencies: ['emergency', 'warning'],
      steps: [
        { afterMinutes: 10, to: ['owner'] },
        { afterMinutes: 20, to: ['backup'] },
        { afterMinutes: 40, to: ['oncall', 'backup'] },
      ],
    },
  });
});
afterEach(() => world.stop());

const told = (name: string): number => world.receivers.get(name)?.taken.length ?? 0;
const everybody = () => ({ owners: told('owners'), backup: told('backup'), oncall: told('oncall') });

/** Lets minutes pass, each with its tick, and brings what was announced back as the bus does. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) {
    world.pass(1);
    await world.tick();
    await bring();
  }
}

async function bring(): Promise<void> {
  for (const event of world.published.splice(0)) await world.notify(delivered(event));
}

const delivered = ({ source, detailType, detail }: AnyEvent) => ({
  source,
  'detail-type': detailType,
  time: `${world.now.toISOString().slice(0, 19)}Z`,
  detail,
});

const incidentId = (): string => [...world.memory.incidents.keys()][0] ?? '';

describe('an incident that nobody acknowledges', () => {
  test('goes from one step to the next, each once and recorded as an event', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    expect(everybody()).toEqual({ owners: 1, backup: 0, oncall: 0 });
    await minutes(9);
    expect(everybody()).toEqual({ owners: 1, backup: 0, oncall: 0 });
    await minutes(1);
    expect(everybody()).toEqual({ owners: 2, backup: 0, oncall: 0 });
    await minutes(10);
    expect(everybody()).toEqual({ owners: 2, backup: 1, oncall: 0 });
    await minutes(60);
    expect(everybody()).toEqual({ owners: 2, backup: 2, oncall: 1 });
    expect(world.memory.steps.size).toBe(0);
  });

  test('records each step with its incident, number and channels, under an id of its own', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    world.pass(10);
    await world.tick();
    expect(world.published).toMatchObject([
      {
        source: 'rekey.notification',
        detailType: 'Incident Escalated',
        detail: {
          data: {
            incidentId: incidentId(),
            subject: 'orders',
            step: 1,
            channels: ['owners'],
            urgency: 'emergency',
          },
        },
      },
    ]);
  });

  test('whose step was announced by a call that died is announced again as the same fact, and told once', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    world.pass(10);
    const before = structuredClone([...world.memory.incidents]);
    const steps = [...world.memory.steps];
    await world.tick();
    world.memory.incidents.clear();
    for (const [id, kept] of before) world.memory.incidents.set(id, kept);
    for (const step of steps) world.memory.steps.add(step);
    await world.tick();
    const [one, other] = world.published;
    expect(one?.detail.metadata.id).toBe(other?.detail.metadata.id);
    await bring();
    expect(told('owners')).toBe(2);
  });

  test('whose step the bus does not take is tried again the next minute', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    world.pass(10);
    const { publish } = world.context.bus;
    world.context.bus.publish = async () => {
      throw new Error('the bus is away');
    };
    await expect(world.tick()).rejects.toThrow('escalation');
    world.context.bus.publish = publish;
    await minutes(1);
    expect(told('owners')).toBe(2);
  });
});

describe('an incident ends', () => {
  test('its escalation when somebody acknowledges, who is told to those that were told', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    await minutes(12);
    await world.notify(world.event('Incident Acknowledged', { incidentId: incidentId(), note: 'on it' }));
    expect(everybody()).toEqual({ owners: 3, backup: 0, oncall: 0 });
    await minutes(60);
    expect(everybody()).toEqual({ owners: 3, backup: 0, oncall: 0 });
  });

  test('when the revocation succeeds', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    await minutes(1);
    await world.notify(world.event('Secret Revocation Succeeded', revocationSucceeded('orders')));
    await minutes(60);
    expect(everybody()).toEqual({ owners: 2, backup: 0, oncall: 0 });
  });

  test('when the rotation succeeds, of which nobody is told', async () => {
    await world.notify(world.event('Secret Rotation Failed', rotationFailed('orders')));
    await minutes(1);
    await world.notify(world.event('Secret Rotation Succeeded', rotationSucceeded('orders')));
    await minutes(60);
    expect(everybody()).toEqual({ owners: 1, backup: 0, oncall: 0 });
  });

  test('when the brake is released', async () => {
    await world.notify(world.event('Rotation Function Braked', { functionName: 'f', failedSecrets: ['a'] }));
    await minutes(1);
    await world.notify(world.event('Rotation Function Released', { functionName: 'f', reason: 'mended' }));
    await minutes(60);
    expect(everybody()).toEqual({ owners: 1, backup: 0, oncall: 0 });
  });

  test('and begins anew, with all of its steps, when it happens again', async () => {
    await world.notify(world.event('Secret Rotation Failed', rotationFailed('orders')));
    await world.notify(world.event('Incident Acknowledged', { incidentId: incidentId() }));
    world.pass(1);
    await world.notify(world.event('Secret Rotation Succeeded', rotationSucceeded('orders')));
    world.pass(60);
    await world.notify(world.event('Secret Rotation Failed', rotationFailed('orders')));
    const before = told('backup');
    await minutes(20);
    expect(told('backup')).toBe(before + 1);
  });
});

describe('events out of order', () => {
  test('a failure that comes after the success that followed it opens nothing', async () => {
    const failure = world.event('Secret Rotation Failed', rotationFailed('orders'));
    world.pass(1);
    await world.notify(world.event('Secret Rotation Succeeded', rotationSucceeded('orders')));
    await world.notify(failure);
    await minutes(60);
    expect(told('backup')).toBe(0);
  });

  test('a failure after an end that comes late is an incident of its own, with all of its steps', async () => {
    await world.notify(world.event('Secret Rotation Failed', rotationFailed('orders')));
    await minutes(5);
    const end = world.event('Secret Rotation Succeeded', rotationSucceeded('orders'));
    await minutes(5);
    await world.notify(world.event('Secret Rotation Failed', rotationFailed('orders')));
    await minutes(2);
    await world.notify(end);
    expect(world.memory.incidents.get(incidentId())?.incident).toMatchObject({
      openedAt: '2026-03-10T12:10:30.000Z',
      steps: 0,
    });
    await minutes(17);
    expect(told('backup')).toBe(0);
    await minutes(2);
    expect(told('backup')).toBe(1);
  });

  test('an acknowledgement that comes before what it is about counts', async () => {
    const started = world.event('Secret Revocation Started', revocationStarted('orders'));
    await world.notify(started);
    const id = incidentId();
    world.memory.incidents.clear();
    world.memory.steps.clear();
    world.pass(1);
    await world.notify(world.event('Incident Acknowledged', { incidentId: id }));
    await world.notify(started);
    await minutes(60);
    expect(told('backup')).toBe(0);
  });

  test('an acknowledgement from a clock that is behind counts by the time at which the bus got it', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    const late = world.event(
      'Incident Acknowledged',
      { incidentId: incidentId() },
      { at: new Date('2026-03-10T09:00:00Z') },
    );
    await world.notify({ ...late, time: `${world.now.toISOString().slice(0, 19)}Z` });
    await minutes(60);
    expect(told('backup')).toBe(0);
  });

  test('a step that is told after the end is told nobody', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    world.pass(10);
    await world.tick();
    await world.notify(world.event('Secret Revocation Succeeded', revocationSucceeded('orders')));
    const before = everybody();
    await bring();
    expect(everybody()).toEqual(before);
  });
});

describe('another configuration', () => {
  test('with later steps gives incidents that are open more time', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    world.configure({ escalation: { steps: [{ afterMinutes: 30, to: ['backup'] }] } });
    await minutes(29);
    expect(told('backup')).toBe(0);
    await minutes(1);
    expect(told('backup')).toBe(1);
  });

  test('without an escalation takes no more steps', async () => {
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    world.configure({ escalation: undefined });
    await minutes(60);
    expect(everybody()).toEqual({ owners: 1, backup: 0, oncall: 0 });
    expect(world.memory.steps.size).toBe(0);
  });
});
