import { beforeEach, describe, expect, test } from '@jest/globals';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import { wholeSecret } from '../../../core/fingerprint/values.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import type { SecretDescription } from '../../../core/secret/secret.ts';
import { goneForMs, indexSecret, replacedForMs } from '../../../lambdas/fingerprint/index-secret.ts';
import { sweep } from '../../../lambdas/fingerprint/sweep.ts';
import { credentialKeysOf } from '../../../lambdas/functions/credential-keys.ts';
import { MemoryStore } from '../rotation/memory-store.ts';
import { MemoryIndex, MemoryKey } from './memory-index.ts';

const arnOf = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const arn = arnOf('/prod/orders');
const definition = (name: string, more: Partial<SecretDefinition> = {}): SecretDefinition => ({
  name,
  arn: arnOf(name),
  type: 'postgresql',
  strategy: 'single-user',
  owner: 'team-orders',
  consumers: [],
  schedule: 'rate(30 days)',
  rotationFunction: 'rotation',
  containmentFunction: 'containment',
  ...more,
});
const orders = definition('/prod/orders');
const json = (password: string) => JSON.stringify({ username: 'app', host: 'db', password });
const [first, second, third] = ['kT7/first-value', 'kT7/second-value', 'kT7/third-value'];

let store: MemoryStore;
let index: MemoryIndex;
let key: MemoryKey;
let time: number;
let reads: string[];

beforeEach(() => {
  store = new MemoryStore();
  index = new MemoryIndex();
  key = new MemoryKey();
  time = Date.parse('2026-03-01T00:00:00Z');
  reads = [];
  store.create(arn, json(first));
});

const dependencies = () => ({
  store: {
    describe: (id: string) => store.describe(id),
    listVersions: (id: string) => store.listVersions(id),
    read: (id: string, which: { versionId: string } | { stage: string }) => {
      reads.push('versionId' in which ? which.versionId : which.stage);
      return store.read(id, which);
    },
  },
  index,
  key,
  keysOf: credentialKeysOf,
  clock: {
    now: () => {
      time += 1_000;
      return new Date(time);
    },
  },
  wait: async () => undefined,
});
const indexed = async () => indexSecret(orders, await index.secret(arn), dependencies());
const found = async (value: string) => await index.find(await key.sign(hashOf(value)));
const labels = async (value: string) =>
  (await found(value)).map(({ versionId, labels }) => [versionId, ...labels]);

describe('one secret', () => {
  test('every version that is kept is found by its password and by the whole of it', async () => {
    await store.putPending(arn, 'v2', json(second));
    await store.moveCurrent(arn, { to: 'v2', from: 'v1' });
    await store.removePending(arn);
    await store.putPending(arn, 'v3', json(third));
    await store.removePending(arn);
    expect(await indexed()).toEqual({ arn, added: 3, relabelled: 0 });
    expect(await labels(first)).toEqual([['v1', 'AWSPREVIOUS']]);
    expect(await labels(second)).toEqual([['v2', 'AWSCURRENT']]);
    expect(await found(third)).toEqual([
      expect.objectContaining({ versionId: 'v3', labels: [], parts: ['password'] }),
    ]);
    expect(await found(json(second))).toEqual([
      expect.objectContaining({ versionId: 'v2', parts: [wholeSecret], secretName: expect.any(String) }),
    ]);
    expect(await found('app')).toEqual([]);
  });

  test('nothing of a value is in the index, nor its bare hash', async () => {
    await indexed();
    const written = JSON.stringify([...index.noted, ...index.kept, ...index.values]);
    for (const text of [first, hashOf(first), Buffer.from(hashOf(first), 'hex').toString('base64url')]) {
      expect(written).not.toContain(text);
    }
  });

  test('a second look reads and writes nothing', async () => {
    await indexed();
    const [writes, read, signed] = [index.writes, reads.length, key.signed.length];
    expect(await indexed()).toEqual({ arn, added: 0, relabelled: 0 });
    expect([index.writes, reads.length, key.signed.length]).toEqual([writes, read, signed]);
  });

  test('after a rotation only the new version is read, and the old one keeps the date when it lost its label', async () => {
    await indexed();
    for (const [id, value] of [
      ['v2', second],
      ['v3', third],
    ] as const) {
      await store.putPending(arn, id, json(value));
      const from = store.peek(arn, 'AWSCURRENT')?.versionId ?? '';
      await store.moveCurrent(arn, { to: id, from });
      await store.removePending(arn);
      await indexed();
    }
    expect(reads).toEqual(['v1', 'v2', 'v3']);
    expect(await labels(second)).toEqual([['v2', 'AWSPREVIOUS']]);
    const [dead] = await index.versions(arn);
    expect(dead).toMatchObject({ versionId: 'v1', labels: [] });
    const replacedBy = dead?.replacedBy as Date;
    expect(dead?.forgetAt).toEqual(new Date(replacedBy.getTime() + replacedForMs));
    // Later looks do not make it younger.
    time += 86_400_000;
    store.label(arn, 'AWSCURRENT', 'v2');
    await indexed();
    expect((await index.versions(arn))[0]?.replacedBy).toEqual(replacedBy);
  });

  test('a version that gets a label back is alive again, and remembered', async () => {
    await store.putPending(arn, 'v2', json(second));
    await store.removePending(arn);
    await indexed();
    expect((await index.versions(arn)).find(({ versionId }) => versionId === 'v2')?.forgetAt).toBeDefined();
    store.label(arn, 'AWSPENDING', 'v2');
    await indexed();
    const [back] = (await index.versions(arn)).filter(({ versionId }) => versionId === 'v2');
    expect(back).toMatchObject({ labels: ['AWSPENDING'] });
    expect([back?.forgetAt, back?.replacedBy]).toEqual([undefined, undefined]);
  });

  test('an old answer after a rotation is waited out', async () => {
    await indexed();
    const old = await store.describe(arn);
    await store.putPending(arn, 'v2', json(second));
    await store.moveCurrent(arn, { to: 'v2', from: 'v1' });
    const answers: SecretDescription[] = [old, old];
    const stale = dependencies();
    await indexSecret(
      orders,
      await index.secret(arn),
      { ...stale, store: { ...stale.store, describe: async (id) => answers.shift() ?? store.describe(id) } },
      'v2',
    );
    expect(await labels(second)).toEqual([['v2', expect.anything(), expect.anything()]]);
    expect(await labels(first)).toEqual([['v1', 'AWSPREVIOUS']]);
  });

  test('an empty pending version is left for later, and a guessable password is never kept', async () => {
    store.begin(arn, 'v2');
    store.put(arn, 'v3', json('Password123!'));
    await indexed();
    expect(await labels(first)).toEqual([['v1', 'AWSPREVIOUS']]);
    expect(await found('Password123!')).toEqual([]);
    expect(await found(json('Password123!'))).toEqual([]);
    await store.putPending(arn, 'v2', json(second));
    await indexed();
    expect(await labels(second)).toEqual([['v2', 'AWSPENDING']]);
  });
});

describe('a sweep', () => {
  const failures: string[] = [];
  const skipped: string[] = [];
  const sweeping = (
    definitions: readonly SecretDefinition[],
    remaining = 600_000,
    broken?: string,
    closed?: string,
  ) => {
    const all = dependencies();
    return sweep({
      ...all,
      store: {
        ...all.store,
        describe: async (id) => {
          if (id === broken) throw new TypeError('quotes a value');
          return await all.store.describe(id);
        },
        read: async (id, which) => {
          if (id === closed) throw new SecretError('SecretAccessDenied', 'its key denies it');
          return await all.store.read(id, which);
        },
      },
      definitions: { list: async () => definitions },
      remainingMs: () => remaining,
      failed: (name) => failures.push(name),
      skipped: (name) => skipped.push(name),
    });
  };

  test('brings in what was there before, whatever its type', async () => {
    const key = { accessKeyId: 'AKIAEXAMPLEEXAMPLE01', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };
    store.create(arnOf('deploy'), JSON.stringify({ username: 'ci', ...key }));
    store.create(arnOf('token'), JSON.stringify({ rotates: ['apiToken'], apiToken: third, other: second }));
    store.create(arnOf('plain'), 'not-json-at-all-4711');
    const report = await sweeping([
      orders,
      definition('deploy', { type: 'iam-access-key' }),
      definition('token', { type: 'generic' }),
      definition('plain', { type: 'external' }),
    ]);
    expect(report).toEqual({ secrets: 4, added: 4, relabelled: 0, gone: 0, skipped: [] });
    const places = await Promise.all(
      [first, key.accessKeyId, key.secretAccessKey, third, 'not-json-at-all-4711'].map(async (value) =>
        (await found(value)).map(({ secretArn, parts }) => [secretArn, ...parts]),
      ),
    );
    expect(places).toEqual([
      [[arn, 'password']],
      [[arnOf('deploy'), 'accessKeyId']],
      [[arnOf('deploy'), 'secretAccessKey']],
      [[arnOf('token'), 'apiToken']],
      [[arnOf('plain'), wholeSecret]],
    ]);
    expect(await found(second)).toEqual([]);
  });

  test('says of a secret that it is gone, forgets it after a month, and takes it back', async () => {
    store.create(arnOf('gone'), json(second));
    await store.putPending(arnOf('gone'), 'v2', json(third));
    await store.removePending(arnOf('gone'));
    const gone = definition('gone');
    await sweeping([orders, gone]);
    const replacedBy = (await found(third))[0]?.replacedBy;
    expect(await sweeping([orders])).toMatchObject({ secrets: 1, gone: 1 });
    expect(await sweeping([orders])).toMatchObject({ gone: 0 });
    const [match] = await found(second);
    expect(match).toMatchObject({ labels: ['AWSCURRENT'], goneBy: expect.any(String) });
    const [version] = await index.versions(arnOf('gone'));
    expect(version?.forgetAt).toEqual(new Date(Date.parse(match?.goneBy ?? '') + goneForMs));
    await sweeping([orders, gone]);
    const [back] = await found(second);
    expect([back?.goneBy, (await index.versions(arnOf('gone')))[0]?.forgetAt]).toEqual([
      undefined,
      undefined,
    ]);
    // What was dead before it went is not younger for that, and remembered as long as before.
    expect((await found(third))[0]).toMatchObject({ labels: [], replacedBy });
    expect((await index.versions(arnOf('gone')))[1]?.forgetAt).toEqual(
      new Date(Date.parse(replacedBy ?? '') + replacedForMs),
    );
  });

  test('a secret that cannot be looked at keeps no other, is named, and is not taken for gone', async () => {
    await sweeping([orders]);
    store.create(arnOf('other'), json(second));
    const error = await sweeping([orders, definition('other')], 600_000, arn).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'FingerprintsIncomplete', retryable: true });
    expect(error.message).toContain('/prod/orders (Unexpected)');
    expect(error.message).not.toContain('quotes a value');
    expect(failures).toEqual(['/prod/orders']);
    expect(await labels(second)).toEqual([['v1', 'AWSCURRENT']]);
    expect((await found(first))[0]?.goneBy).toBeUndefined();
  });

  test('a secret whose key denies it is skipped and named, fails nothing, and is not taken for gone', async () => {
    await sweeping([orders]);
    store.create(arnOf('other'), json(second));
    await store.putPending(arn, 'v9', json(third));
    expect(await sweeping([orders, definition('other')], 600_000, undefined, arn)).toMatchObject({
      added: 1,
      gone: 0,
      skipped: ['/prod/orders'],
    });
    expect(skipped).toEqual(['/prod/orders']);
    expect(await labels(second)).toEqual([['v1', 'AWSCURRENT']]);
    expect((await found(first))[0]?.goneBy).toBeUndefined();
  });

  test('without time it says so, and takes nothing for gone', async () => {
    await sweeping([orders]);
    await expect(sweeping([orders], 10_000)).rejects.toMatchObject({ code: 'FingerprintsDelayed' });
    expect((await found(first))[0]?.goneBy).toBeUndefined();
  });
});
