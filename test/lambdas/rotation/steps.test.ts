import { describe, expect, test } from '@jest/globals';
import { RekeyError, SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../../core/ports.ts';
import type { IssuingRotator } from '../../../core/rotator.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { engine, MemoryBus } from './engine.ts';
import { IssuingTarget, issuingRotator } from './issuing-target.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const token = 'next';
const first = { username: 'app', password: 'first password' };

/** A secret whose rotation has begun, with the calls of its store that may be replaced. */
function world() {
  const target = new ModelTarget();
  const store = new MemoryStore();
  const bus = new MemoryBus();
  store.create(arn, JSON.stringify(first));
  store.begin(arn, token);
  target.passwords.set('app', first.password);
  const calls: string[] = [];
  const waits: number[] = [];
  const instead: Partial<SecretStore> = {};
  const seen = new Proxy<SecretStore>(store, {
    get:
      (object, name: keyof SecretStore) =>
      (...args: never[]) => {
        calls.push(name);
        return ((instead[name] ?? object[name]) as (...all: never[]) => unknown).apply(object, args);
      },
  });
  const start = () =>
    engine({ rotator: modelRotator(target), store: seen, bus, wait: async (ms) => waits.push(ms) });
  let warm = start();
  const run = (Step: string, ClientRequestToken = token) =>
    warm.run({ Step, SecretId: arn, ClientRequestToken });
  const upTo = async (last: (typeof steps)[number]) => {
    for (const step of steps.slice(0, steps.indexOf(last) + 1)) await run(step);
  };
  const cold = () => {
    warm = start();
  };
  const succeeded = () =>
    bus.events.flatMap(({ detailType, detail: { data } }) =>
      detailType === 'Secret Rotation Succeeded' ? [data] : [],
    );
  return { target, store, bus, calls, waits, instead, run, upTo, cold, succeeded };
}

describe('what a step reports', () => {
  test('is that it was done, and the last one that the rotation has succeeded', async () => {
    const { run } = world();
    for (const step of ['createSecret', 'setSecret', 'testSecret']) {
      expect(await run(step)).toStrictEqual({ step, done: true });
    }
    expect(await run('finishSecret')).toStrictEqual({
      step: 'finishSecret',
      done: true,
      announced: true,
      rotationMs: expect.any(Number),
    });
  });

  /** The last step where the version that becomes current was made so many milliseconds ago. */
  async function finished(ago: number | undefined) {
    const { store, instead, cold, run, upTo, succeeded } = world();
    await upTo('testSecret');
    instead.read = async (...which) => {
      const version = await store.read(...which);
      if (version === undefined) return undefined;
      const { created: _, ...undated } = version;
      const isNext = version.versionId === token;
      return isNext && ago !== undefined ? { ...undated, created: new Date(Date.now() - ago) } : undated;
    };
    cold();
    const report = await run('finishSecret');
    return { report, rotationMs: report.rotationMs, data: succeeded()[0] };
  }

  test('is how long the rotation took, which its record says too', async () => {
    const { rotationMs, data } = await finished(3_600_000);
    expect(rotationMs).toBeGreaterThanOrEqual(3_600_000);
    expect(rotationMs).toBeLessThan(7_200_000);
    expect(data).toMatchObject({ versionId: token, previousVersionId: 'v1', durationMs: rotationMs });
  });

  test('is no time below none, where the clocks differ', async () => {
    expect((await finished(-3_600_000)).rotationMs).toBe(0);
  });

  test('is no time where nobody knows when the version was made', async () => {
    const { report, data } = await finished(undefined);
    expect(report).toStrictEqual({ step: 'finishSecret', done: true, announced: true });
    expect(data).not.toHaveProperty('durationMs');
  });

  test('is no time when the last step is repeated, since the version is current for longer', async () => {
    const { run, upTo, cold, succeeded } = world();
    await upTo('finishSecret');
    cold();
    expect(await run('finishSecret')).toStrictEqual({ step: 'finishSecret', done: false, announced: true });
    const [said, again] = succeeded();
    expect(said).toMatchObject({ previousVersionId: 'v1', durationMs: expect.any(Number) });
    expect(again).toMatchObject({ previousVersionId: 'v1' });
    expect(again).not.toHaveProperty('durationMs');
  });

  test('names no version before the first one', async () => {
    const { store, run, succeeded } = world();
    store.noteRotated(arn);
    expect(await run('finishSecret', 'v1')).toMatchObject({ done: false, announced: true });
    expect(succeeded()).toMatchObject([{ versionId: 'v1' }]);
    expect(succeeded()[0]).not.toHaveProperty('previousVersionId');
  });
});

describe('an answer of Secrets Manager that is older than the rotation', () => {
  test.each<[string, Partial<Awaited<ReturnType<SecretStore['describe']>>>]>([
    ['without the schedule', { rotationEnabled: false }],
    ['without the version', { versions: { v1: ['AWSCURRENT'] } }],
  ])('%s is asked for again', async (_name, old) => {
    const { store, instead, waits, run } = world();
    let looks = 0;
    instead.describe = async (id) => ({ ...(await store.describe(id)), ...(looks++ < 2 && old) });
    expect(await run('createSecret')).toMatchObject({ done: true });
    expect(waits).toEqual([100, 200]);
  });

  test('without the value of a version is asked for again', async () => {
    const { store, instead, waits, cold, run } = world();
    await run('createSecret');
    cold();
    let looks = 0;
    instead.read = async (id, which) => {
      const isNext = 'versionId' in which && which.versionId === token;
      return isNext && looks++ < 2 ? undefined : await store.read(id, which);
    };
    expect(await run('setSecret')).toMatchObject({ done: true });
    expect(waits).toEqual([100]);
  });

  test('is believed after three seconds', async () => {
    const { waits, run } = world();
    await expect(run('setSecret')).rejects.toMatchObject({
      code: 'SecretValueMissing',
      message: expect.stringContaining('has no value yet; createSecret must run first'),
    });
    expect(waits).toEqual([100, 200, 400, 800, 1_600]);
  });
});

test('what a step goes on with is read while the secret is described, but not before its first value is stored', async () => {
  const { calls, upTo, cold, run } = world();
  await run('createSecret');
  expect(calls.slice(0, 2)).toEqual(['describe', 'read']);
  await upTo('testSecret');
  cold();
  calls.length = 0;
  await run('finishSecret');
  expect(calls.slice(0, 2)).toEqual(['read', 'describe']);
});

test('what cannot be read ahead is said by the step, after what the description says', async () => {
  const { store, instead, run } = world();
  instead.read = () => Promise.reject(new SecretError('SecretAccessDenied', 'no kms:Decrypt'));
  store.setRotationEnabled(arn, false);
  await expect(run('setSecret')).rejects.toMatchObject({ code: 'RotationDisabled' });
  store.setRotationEnabled(arn, true);
  await expect(run('setSecret')).rejects.toMatchObject({ code: 'SecretAccessDenied' });
});

test('a rotation that has ended leaves nothing in memory', async () => {
  const { calls, upTo, run } = world();
  await upTo('finishSecret');
  calls.length = 0;
  await run('finishSecret');
  expect(calls).toContain('read');
});

test('the try of a setup proves no version that has no value yet', async () => {
  const { store, run } = world();
  await run('testSecret');
  await run('createSecret');
  await expect(run('finishSecret')).rejects.toMatchObject({ code: 'AuthenticationRefused' });
  expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe('v1');
});

test('a password that Secrets Manager refuses to store is refused with its reason', async () => {
  const { instead, run } = world();
  const error = new SecretError('SecretTooLarge', 'more than 65,536 bytes');
  instead.putPending = () => Promise.reject(error);
  await expect(run('createSecret')).rejects.toBe(error);
});

test('the secret that a step has described is known by its ARN, whatever the event calls it', async () => {
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(first));
  store.begin(arn, token);
  const describe: SecretStore['describe'] = () => store.describe(arn);
  const named = new Proxy<SecretStore>(store, {
    get: (object, name: keyof SecretStore) => (name === 'describe' ? describe : object[name].bind(object)),
  });
  const lifecycle = engine({ rotator: modelRotator(new ModelTarget()), store: named });
  expect(lifecycle.secretArn).toBeUndefined();
  await lifecycle
    .run({ Step: 'setSecret', SecretId: '/test/app', ClientRequestToken: token })
    .catch(() => undefined);
  expect(lifecycle.secretArn).toBe(arn);
});

test('a failed step leaves nothing in memory that the next try would go by', async () => {
  const { target, instead, calls, upTo, run } = world();
  await upTo('testSecret');
  instead.moveCurrent = () => Promise.reject(new RekeyError('ResourceBusy', 'too many requests'));
  await expect(run('finishSecret')).rejects.toMatchObject({ code: 'ResourceBusy' });
  delete instead.moveCurrent;
  target.passwords.set('app', 'set by somebody');
  calls.length = 0;
  await expect(run('finishSecret')).rejects.toMatchObject({ code: 'AuthenticationRefused' });
  expect(calls).toContain('read');
});

test.each([
  ['answers nobody for now', 'describe', new RekeyError('ResourceBusy', 'too many requests'), arn],
  ['fails in a way that nobody foresaw', 'describe', new Error('socket hang up'), arn],
  ['may not be read', 'read', new SecretError('SecretAccessDenied', 'no kms:Decrypt'), '/test/app-AbCdEf'],
] as const)('a failed step is recorded of a secret that %s', async (_name, call, error, secretName) => {
  const { bus, instead, run } = world();
  Object.assign(instead, { [call]: () => Promise.reject(error) });
  await expect(run('createSecret')).rejects.toBe(error);
  expect(bus.events.map(({ detailType, detail: { data } }) => [detailType, data])).toEqual([
    ['Secret Rotation Failed', expect.objectContaining({ secretArn: arn, secretName })],
  ]);
});

test('no step publishes an empty list of records', async () => {
  const { bus, upTo } = world();
  const publish = bus.publish.bind(bus);
  const sizes: number[] = [];
  bus.publish = async (events) => {
    sizes.push(events.length);
    await publish(events);
  };
  await upTo('finishSecret');
  expect(sizes).toEqual([1, 1]);
});

describe('the replaced credential of one user, which the target has issued', () => {
  /** The last step of a rotation whose retirement is answered like this, at first. */
  async function scene(error: Error) {
    const target = new IssuingTarget();
    const store = new MemoryStore();
    const bus = new MemoryBus();
    const old = target.issue('by hand');
    store.create(arn, JSON.stringify(old));
    store.begin(arn, token);
    let failing = true;
    const issuing = issuingRotator(target);
    const rotator: IssuingRotator<typeof old> = {
      ...issuing,
      retire: (...args) => (failing ? Promise.reject(error) : issuing.retire(...args)),
    };
    const run = (Step: string) =>
      engine({ rotator, store, bus }).run({ Step, SecretId: arn, ClientRequestToken: token });
    for (const step of steps.slice(0, 3)) await run(step);
    const mend = () => {
      failing = false;
    };
    return { target, store, bus, old, run, mend };
  }

  test('is tried again with the step where its removal may succeed later', async () => {
    const error = new TargetError('TargetUnreachable', 'no answer');
    const { target, store, bus, old, run, mend } = await scene(error);
    await expect(run('finishSecret')).rejects.toBe(error);
    expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe(token);
    expect(bus.events.map(({ detailType }) => detailType)).not.toContain('Finding Raised');
    mend();
    await run('finishSecret');
    expect(target.keys.has(old.id)).toBe(false);
  });

  test('is a finding that says why where it never will', async () => {
    const { bus, run } = await scene(new TargetError('PermissionMissing', 'may not remove keys'));
    await run('finishSecret');
    expect(bus.events.at(-1)?.detail.data).toMatchObject({
      code: 'PreviousCredentialRemains',
      message: expect.stringContaining('(PermissionMissing: may not remove keys)'),
    });
  });
});
