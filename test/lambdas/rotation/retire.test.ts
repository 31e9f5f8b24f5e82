import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import type { SecretStore } from '../../../core/ports.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { endOverlaps } from '../../../lambdas/rotation/overlaps.ts';
import { dailyHour } from '../../../lambdas/rotation/retire.ts';
import { engine, MemoryBus, noDatabases } from './engine.ts';
import { IssuingTarget, issuingRotator } from './issuing-target.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/key-AbCdEf';
const hourMs = 3_600_000;

function world(strategy: Strategy = 'dual-credential') {
  const target = new IssuingTarget();
  const rotator = issuingRotator(target);
  const store = new MemoryStore();
  const bus = new MemoryBus();
  const first = { ...target.issue('by hand'), team: 'orders' };
  store.create(arn, JSON.stringify(first));
  let rotations = 0;
  const current = () => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? 'null');
  const begin = () => {
    rotations += 1;
    const token = `version-${rotations}`;
    store.begin(arn, token);
    return token;
  };
  const run = (step: string, token: string, over: SecretStore = store) =>
    engine({ rotator, store: over, strategy, bus }).run({
      Step: step,
      SecretId: arn,
      ClientRequestToken: token,
    });
  const rotate = async () => {
    const token = begin();
    for (const step of steps) await run(step, token);
    return current();
  };
  /** What the schedule does `hours` after the current version was made. */
  const sweep = async (hours: number, over: SecretStore = store) => {
    const made = (await store.read(arn, { stage: 'AWSCURRENT' }))?.created?.getTime() ?? 0;
    const clock = { now: () => new Date(made + hours * hourMs) };
    const [outcome] = await endOverlaps(
      [arn],
      { overlapHours: 24, graceHours: 48 },
      {
        rotator,
        strategy,
        store: over,
        databases: noDatabases,
        records: bus,
        origin: { source: 'rekey.rotation', environment: 'test', actor: 'test', clock, random: systemRandom },
        target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
        remainingMs: () => 60_000,
        wait: async () => undefined,
      },
    );
    if (outcome !== undefined && 'failure' in outcome) throw outcome.failure;
    return outcome?.report;
  };
  const retired = () =>
    bus.events.flatMap(({ detailType, detail }) => (detailType === 'Credential Retired' ? [detail] : []));
  return { target, store, bus, first, current, begin, run, rotate, sweep, retired };
}

/** The store with some of its calls replaced. */
const replacing = (store: SecretStore, calls: Partial<SecretStore>): SecretStore =>
  new Proxy(store, {
    get(object, name) {
      const call: unknown = Reflect.get(calls, name) ?? Reflect.get(object, name);
      return typeof call === 'function' ? call.bind(object) : call;
    },
  });

describe('a target that issues the credential', () => {
  test('two keys work after a rotation, and every other key of the JSON stays', async () => {
    const { target, rotate, first } = world();
    const second = await rotate();
    expect(second).toEqual({ id: 'id-2', key: 'key 2 of the target', team: 'orders' });
    expect([target.accepts(first), target.accepts(second)]).toEqual([true, true]);
  });

  test('the key before the current one makes room for the next, and that is recorded', async () => {
    const { target, rotate, first, retired } = world();
    const second = await rotate();
    const third = await rotate();
    expect([first, second, third].map((key) => target.accepts(key))).toEqual([false, true, true]);
    expect(retired().map(({ data }) => data)).toMatchObject([
      { identity: 'id-1', done: 'removed', versionId: 'v1', currentVersionId: 'version-1' },
    ]);
  });

  test('the key before the current one stays where there is room, for as long as its overlap lasts', async () => {
    const { target, rotate, first, retired } = world();
    target.places = 3;
    await rotate();
    await rotate();
    expect(target.accepts(first)).toBe(true);
    expect(retired()).toEqual([]);
  });

  test('a target that is full of what the secret does not know is left alone', async () => {
    const { target, begin, run } = world();
    target.issue('somebody else');
    await expect(run('createSecret', begin())).rejects.toMatchObject({ code: 'SlotsTaken' });
    expect([...target.keys.keys()]).toEqual(['id-1', 'id-2']);
  });

  test('the only key that works stays when AWSCURRENT was moved back to one that does not', async () => {
    const { target, rotate, first, begin, run, sweep, store, bus } = world();
    const second = await rotate();
    target.keys.delete(first.id);
    target.issue('somebody else');
    await store.moveCurrent(arn, { to: 'v1', from: 'version-1' });
    await expect(run('createSecret', begin())).rejects.toMatchObject({ code: 'SlotsTaken' });
    store.removePending(arn);
    expect(await sweep(100)).toBe('current not accepted');
    expect(target.accepts(second)).toBe(true);
    expect(bus.events.map(({ detailType }) => detailType)).toContain('Finding Raised');
  });

  test('labels that move between two looks, as after a rotation that has just ended, end no overlap', async () => {
    const { target, rotate, first, store, sweep } = world();
    await rotate();
    const before = await store.describe(arn);
    const second = await rotate();
    let looks = 0;
    const old = replacing(store, {
      describe: async (id) => (looks++ === 0 ? before : store.describe(id)),
    });
    target.keys.set(first.id, { key: first.key, enabled: true, madeFor: 'by hand' });
    expect(await sweep(30, old)).toBe('labels moving');
    expect([target.accepts(first), target.accepts(second)]).toEqual([true, true]);
  });

  test('a version that a person made current is neither announced nor the reason to remove another', async () => {
    const { target, run, store, first, retired, bus } = world('single-user');
    const byHand = target.issue('a person');
    await store.putPending(arn, 'by-hand', JSON.stringify(byHand));
    await store.moveCurrent(arn, { to: 'by-hand', from: 'v1' });
    store.removePending(arn);
    expect(await run('finishSecret', 'by-hand')).toEqual({ step: 'finishSecret', done: false });
    expect(target.accepts(first)).toBe(true);
    expect([...retired(), ...bus.events]).toEqual([]);
  });

  test('an old key that cannot be removed is a finding, and the rotation has succeeded', async () => {
    const { target, rotate, bus } = world('single-user');
    target.stuck = true;
    const second = await rotate();
    expect(target.accepts(second)).toBe(true);
    expect(bus.events.map(({ detailType }) => detailType)).toEqual([
      'Secret Rotation Started',
      'Secret Rotation Succeeded',
      'Finding Raised',
    ]);
  });

  test('a created key is made once, however often the step is delivered', async () => {
    const { target, begin, run } = world();
    const token = begin();
    await run('createSecret', token);
    await run('createSecret', token);
    expect(target.keys.size).toBe(2);
  });

  test('a step that dies before the key is stored leaves none behind when it is tried again', async () => {
    const { target, begin, run, store, rotate } = world();
    const token = begin();
    const dying = replacing(store, {
      putPending: () => Promise.reject(new Error('the process ended here')),
    });
    await expect(run('createSecret', token, dying)).rejects.toThrow();
    expect(target.keys.size).toBe(2);
    for (const step of steps) await run(step, token);
    expect(target.keys.size).toBe(2);
    expect(target.accepts(await rotate())).toBe(true);
  });

  test('a key whose place was taken by another run of the step is taken back', async () => {
    const { target, begin, run, store, current } = world();
    target.places = 3;
    const token = begin();
    const stored = { ...target.issue('another run'), team: 'orders' };
    const beaten = replacing(store, {
      read: (id, which) =>
        'versionId' in which && which.versionId === token
          ? Promise.resolve(undefined)
          : store.read(id, which),
    });
    await store.putPending(arn, token, JSON.stringify(stored));
    await run('createSecret', token, beaten);
    expect([...target.keys.keys()]).toEqual(['id-1', stored.id]);
    for (const step of steps.slice(1)) await run(step, token);
    expect(current().id).toBe(stored.id);
  });

  test('with one user the old key goes as soon as the new one is current', async () => {
    const { target, rotate, first, retired } = world('single-user');
    const second = await rotate();
    expect([target.accepts(first), target.accepts(second)]).toEqual([false, true]);
    expect(retired()).toHaveLength(1);
  });
});

describe('the end of an overlap', () => {
  test.each([
    [23, 'overlap not over', true],
    [24, 'disabled', false],
    [71, 'disabled', false],
    [72, 'removed', false],
    [119, 'removed', false],
  ])('%d hours after the rotation: %s', async (hours, report, accepted) => {
    const { target, rotate, sweep, first } = world();
    const second = await rotate();
    expect(await sweep(hours)).toBe(report);
    expect([target.accepts(first), target.accepts(second)]).toEqual([accepted, true]);
  });

  test('is looked for once a day when it is long over', async () => {
    const { rotate, sweep, store } = world();
    await rotate();
    const made = (await store.read(arn, { stage: 'AWSCURRENT' }))?.created?.getTime() ?? 0;
    const reports = new Map<number, unknown>();
    for (let hour = 121; hour < 121 + 24; hour += 1) {
      reports.set(new Date(made + hour * hourMs).getUTCHours(), await sweep(hour));
    }
    expect([...reports.values()].filter((report) => report === 'long over')).toHaveLength(23);
    // In an hour of its own, so that not all secrets are looked at in the same one.
    expect(reports.get(dailyHour(arn))).toBe('removed');
  });

  test('counts from when the version became current, not from when it was made', async () => {
    const { rotate, sweep, store } = world();
    await rotate();
    const { created } = (await store.read(arn, { stage: 'AWSCURRENT' })) ?? {};
    store.noteRotated(arn, new Date((created?.getTime() ?? 0) + 100 * hourMs));
    expect(await sweep(101)).toBe('overlap not over');
    expect(await sweep(124)).toBe('disabled');
  });

  test('comes in two acts, each recorded once', async () => {
    const { rotate, sweep, retired, bus } = world();
    await rotate();
    const reports = [];
    for (const hours of [24, 25, 72, 73]) reports.push(await sweep(hours));
    expect(reports).toEqual(['disabled', 'nothing', 'removed', 'nothing']);
    expect(retired().map(({ data }) => data.done)).toEqual(['disabled', 'removed']);
    expect(new Set(retired().map(({ metadata }) => metadata.id)).size).toBe(2);
    for (const event of bus.events) {
      expect(detailSchema(event.detailType).safeParse(event.detail).success).toBe(true);
    }
    expect(JSON.stringify(bus.events)).not.toContain('of the target');
  });

  test('waits for a rotation under way', async () => {
    const { target, rotate, begin, sweep, first } = world();
    await rotate();
    begin();
    expect(await sweep(48)).toBe('rotation under way');
    expect(target.accepts(first)).toBe(true);
  });

  test('finds nothing to do before the first rotation, or where the previous version is no credential', async () => {
    const fresh = world();
    expect(await fresh.sweep(48)).toBe('no previous version');
    const odd = world();
    await odd.rotate();
    odd.store.create(arn, 'no JSON');
    await odd.store.putPending(arn, 'v2', JSON.stringify(odd.first));
    await odd.store.moveCurrent(arn, { to: 'v2', from: 'v1' });
    odd.store.removePending(arn);
    expect(await odd.sweep(48)).toBe('nothing');
    expect(odd.target.accepts(odd.first)).toBe(true);
  });
});
