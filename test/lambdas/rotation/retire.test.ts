import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import type { SecretStore } from '../../../core/ports.ts';
import type { IssuingRotator, Rotator } from '../../../core/rotator.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { dailyHour, endOverlaps } from '../../../lambdas/rotation/overlaps.ts';
import { engine, MemoryBus, noDatabases } from './engine.ts';
import { type IssuedSecret, IssuingTarget, issuingRotator } from './issuing-target.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/key-AbCdEf';
const hourMs = 3_600_000;

function world(
  strategy: Strategy = 'dual-credential',
  adapt: (rotator: IssuingRotator<IssuedSecret>) => Rotator<IssuedSecret> = (rotator) => rotator,
) {
  const target = new IssuingTarget();
  const rotator = adapt(issuingRotator(target));
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

  test('a key that cannot be made for another reason than room costs no other key', async () => {
    const unusable = new SecretError('CredentialUnusable', 'the current key may make no other');
    const { target, begin, run, rotate, first } = world('dual-credential', (rotator) => ({
      ...rotator,
      propose: (current, context) =>
        context.token === 'version-2' ? Promise.reject(unusable) : rotator.propose(current, context),
    }));
    await rotate();
    await expect(run('createSecret', begin())).rejects.toMatchObject({ code: 'CredentialUnusable' });
    expect(target.accepts(first)).toBe(true);
  });

  test('a created key is made once, however often the step is delivered', async () => {
    const { target, begin, run } = world();
    const token = begin();
    for (const _ of [1, 2]) {
      expect(await run('createSecret', token)).toEqual({ step: 'createSecret', done: true });
    }
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

  test('with one user of a target that issues nothing, none is removed', async () => {
    const { target, rotate, first, retired } = world('single-user', (rotator) => ({
      ...rotator,
      kind: 'overlapping',
    }));
    await rotate();
    expect([target.accepts(first), retired()]).toEqual([true, []]);
  });
});

describe('the end of an overlap', () => {
  test.each([
    [23, 'overlap not over', true],
    [24, 'disabled', false],
    [71, 'disabled', false],
    [72, 'removed', false],
    [120, 'removed', false],
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

  test('counts from the current version, though a later one was given up', async () => {
    const { begin, rotate, sweep, store } = world();
    await rotate();
    begin();
    await store.removePending(arn);
    expect(await sweep(24)).toBe('disabled');
  });

  test.each<[string, Partial<SecretStore>]>([
    ['is not in the list of versions', { listVersions: async () => [] }],
    ['is not found', { read: async () => undefined }],
  ])('waits while the current version %s', async (_why, calls) => {
    const { target, rotate, sweep, first, store } = world();
    await rotate();
    expect(await sweep(48, replacing(store, calls))).toBe('no previous version');
    expect(target.accepts(first)).toBe(true);
  });

  test('waits for a rotation that begins between the two looks', async () => {
    const { target, rotate, begin, sweep, first, store } = world();
    await rotate();
    let looks = 0;
    const beginning = replacing(store, {
      describe: (id) => {
        if (looks++ === 1) begin();
        return store.describe(id);
      },
    });
    expect(await sweep(48, beginning)).toBe('labels moving');
    expect(target.accepts(first)).toBe(true);
  });

  test('spares the credential in use where both versions hold it', async () => {
    const { target, rotate, store, sweep } = world();
    const second = await rotate();
    store.put(arn, 'stored again', JSON.stringify(second));
    expect(await sweep(100)).toBe('nothing');
    expect(target.accepts(second)).toBe(true);
  });

  test('spares a credential of another place than the current one', async () => {
    const { target, rotate, store, sweep, first } = world('dual-credential', (rotator) => ({
      ...rotator,
      boundTo: ({ team }) => ({ host: `${team}` }),
    }));
    const second = await rotate();
    store.put(arn, 'moved', JSON.stringify({ ...second, team: 'billing' }));
    expect(await sweep(100)).toBe('nothing');
    expect([target.accepts(first), target.accepts(second)]).toEqual([true, true]);
  });

  test('fails while the target does not answer, and ends nothing', async () => {
    const error = new TargetError('TargetUnreachable', 'no answer');
    const { target, rotate, sweep, first } = world('dual-credential', (rotator) => ({
      ...rotator,
      probe: async (credential, context) =>
        target.stuck ? { outcome: 'unreachable', error } : rotator.probe(credential, context),
    }));
    await rotate();
    target.stuck = true;
    await expect(sweep(48)).rejects.toBe(error);
    expect(target.accepts(first)).toBe(true);
  });

  test('removes one that the target refuses, though it refuses the current one too', async () => {
    const { target, rotate, sweep, first } = world();
    const second = await rotate();
    expect(await sweep(48)).toBe('disabled');
    target.keys.delete(second.id);
    expect(await sweep(72)).toBe('removed');
    expect(target.keys.has(first.id)).toBe(false);
  });

  test('is none where the target accepts one credential at a time', async () => {
    const { target, rotate, sweep, first } = world('single-user', (rotator) => ({
      ...rotator,
      kind: 'replacing',
      strategies: ['single-user'],
    }));
    await rotate();
    expect(await sweep(48)).toBe('nothing');
    expect(target.accepts(first)).toBe(true);
  });

  test.each(['it was in use a minute ago', undefined])('is recorded with the note: %s', async (note) => {
    const { rotate, sweep, retired } = world('dual-credential', (rotator) => ({
      ...rotator,
      retire: async () => ({ done: 'disabled', ...(note !== undefined && { note }) }),
    }));
    await rotate();
    await sweep(48);
    expect(retired().map(({ data }) => Reflect.get(data, 'note'))).toEqual([note]);
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
