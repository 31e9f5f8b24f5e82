import { describe, expect, test } from '@jest/globals';
import type { SecretStore } from '../../../core/ports.ts';
import { VersionCache } from '../../../lambdas/rotation/version-cache.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const longer = `${arn}2`;

/** A cache over a store that notes each read, with a clock that is set by hand. */
function world() {
  const memory = new MemoryStore();
  for (const secret of [arn, longer]) memory.create(secret, `value of ${secret}`);
  memory.begin(arn, 'next');
  const reads: string[] = [];
  const at = { ms: 0 };
  const read: SecretStore['read'] = async (secret, which) => {
    reads.push('versionId' in which ? which.versionId : which.stage);
    return await memory.read(secret, which);
  };
  const store = new Proxy<SecretStore>(memory, {
    get: (object, name: keyof SecretStore) => (name === 'read' ? read : object[name].bind(object)),
  });
  return { memory, reads, at, cache: new VersionCache(store, { now: () => new Date(at.ms) }) };
}

describe('a version', () => {
  test('is read once in two minutes', async () => {
    const { cache, reads, at } = world();
    for (const [ms, times] of [
      [0, 1],
      [119_999, 1],
      [120_000, 2],
      [239_999, 2],
    ] as const) {
      at.ms = ms;
      expect(await cache.read(arn, { versionId: 'v1' })).toMatchObject({ value: `value of ${arn}` });
      expect(reads).toHaveLength(times);
    }
  });

  test('is read each time where its label is asked for, which may move', async () => {
    const { cache, reads } = world();
    for (const _ of [1, 2]) await cache.read(arn, { stage: 'AWSCURRENT' });
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT']);
  });

  test('without a value is read again, since it may have one soon', async () => {
    const { cache, memory } = world();
    expect(await cache.read(arn, { versionId: 'next' })).toBeUndefined();
    await memory.putPending(arn, 'next', 'soon');
    expect(await cache.read(arn, { versionId: 'next' })).toMatchObject({ value: 'soon' });
  });

  test('that was stored here is not read, unless its date is wanted, which is read once', async () => {
    const { cache, reads } = world();
    expect(await cache.putPending(arn, 'next', 'mine')).toBe('stored');
    expect(await cache.read(arn, { versionId: 'next' })).toEqual({
      versionId: 'next',
      value: 'mine',
      stages: [],
    });
    expect(reads).toEqual([]);
    for (const _ of [1, 2]) {
      expect(await cache.readDated(arn, 'next')).toMatchObject({ value: 'mine', created: expect.any(Date) });
    }
    expect(reads).toEqual(['next']);
  });

  test('that was stored here counts though a read does not find it yet', async () => {
    const { cache, memory } = world();
    await cache.putPending(arn, 'next', 'mine');
    memory.read = async () => undefined;
    expect(await cache.readDated(arn, 'next')).toMatchObject({ value: 'mine' });
  });

  test('without a value has no date', async () => {
    const { cache, reads } = world();
    expect(await cache.readDated(arn, 'next')).toBeUndefined();
    expect(reads).toEqual(['next']);
  });

  test('that another run has stored is neither remembered nor dated by this clock', async () => {
    const { cache, memory } = world();
    await memory.putPending(arn, 'next', 'of another run');
    expect(await cache.putPending(arn, 'next', 'mine')).toBe('kept');
    expect(await cache.read(arn, { versionId: 'next' })).toMatchObject({ value: 'of another run' });
    expect(cache.storedAt(arn, 'next')).toBeUndefined();
  });
});

test('what is known of a secret is forgotten, and nothing of another one whose name begins with its name', async () => {
  const { cache, reads, at } = world();
  at.ms = 5;
  for (const secret of [arn, longer]) {
    await cache.putPending(secret, 'next', 'mine');
    cache.noteProven(secret, 'next');
    cache.noteContent(secret, 'next', 'mark');
    cache.noteBase(secret, 'next', 'v1');
  }
  const known = (secret: string) => [
    cache.isProven(secret, 'next'),
    cache.contentIn(secret, 'next'),
    cache.baseOf(secret, 'next'),
    cache.storedAt(secret, 'next'),
  ];
  cache.forget(arn);
  expect(known(arn)).toEqual([false, undefined, undefined, undefined]);
  expect(known(longer)).toEqual([true, 'mark', 'v1', new Date(5)]);
  for (const secret of [arn, longer]) await cache.read(secret, { versionId: 'next' });
  expect(reads).toEqual(['next']);
});
