import { describe, expect, test } from '@jest/globals';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import { AuditUnavailableError, SecretError } from '../../../core/errors/rekey-error.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { engine, MemoryBus } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const token = '11111111-2222-4333-8444-555555555555';
const first = { username: 'app', password: 'first password', team: 'orders', nested: { kept: [1, 2] } };

function world(value: string | null = JSON.stringify(first)) {
  const target = new ModelTarget();
  const store = new MemoryStore();
  const bus = new MemoryBus();
  store.create(arn, value ?? undefined);
  store.begin(arn, token);
  target.passwords.set('app', first.password);
  const lifecycle = engine({ rotator: modelRotator(target), store, bus });
  const run = (step: string, overrides: object = {}) =>
    lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token, ...overrides });
  const current = () => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? 'null');
  return { target, store, bus, run, current };
}

async function rotate(run: (step: string) => Promise<unknown>): Promise<void> {
  for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
    await run(step);
  }
}

describe('a rotation', () => {
  test('ends in a new password that logs in, keeps every other key, and is recorded from start to success', async () => {
    const { run, current, target, bus, store } = world();
    await rotate(run);
    const { password, ...others } = current();
    const { password: old, ...expected } = first;
    expect(others).toEqual(expected);
    expect(password).not.toBe(old);
    expect(password).toHaveLength(32);
    expect(target.passwords.get('app')).toBe(password);
    expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe(token);
    expect(store.peek(arn, 'AWSPREVIOUS')?.versionId).toBe('v1');
    expect(bus.events.map(({ detailType }) => detailType)).toEqual([
      'Secret Rotation Started',
      'Secret Rotation Succeeded',
    ]);
    for (const event of bus.events) {
      expect(detailSchema(event.detailType).safeParse(event.detail).success).toBe(true);
      expect(event.detail.metadata.correlationId).toBe(token);
    }
  });

  test('announces findings of one kind about different things as different facts', async () => {
    const target = new ModelTarget();
    const store = new MemoryStore();
    const bus = new MemoryBus();
    store.create(arn, JSON.stringify(first));
    store.begin(arn, token);
    target.passwords.set('app', first.password);
    const rotator = modelRotator(target);
    const lifecycle = engine({
      store,
      bus,
      rotator: {
        ...rotator,
        apply: async (next, context) => {
          for (const message of ['of the admin', 'of the user', 'of the user']) {
            context.finding({ code: 'PlaintextConnection', message });
          }
          await rotator.apply(next, context);
        },
      },
    });
    await rotate((step) => lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token }));
    const found = bus.events.filter(({ detailType }) => detailType === 'Finding Raised');
    expect(found).toHaveLength(3);
    expect(new Set(found.map(({ detail }) => detail.metadata.id)).size).toBe(2);
  });

  test('changes nothing when every step comes twice, and announces the same fact under the same id', async () => {
    const { run, current, bus, target } = world();
    for (const step of ['createSecret', 'setSecret', 'testSecret']) {
      await run(step);
      const before = target.passwords.get('app');
      await run(step);
      expect(step === 'createSecret' || target.passwords.get('app') === before).toBe(true);
    }
    await run('finishSecret');
    const settled = current();
    await rotate(run);
    expect(current()).toEqual(settled);
    const ids = (type: string) =>
      new Set(bus.events.flatMap((event) => (event.detailType === type ? [event.detail.metadata.id] : [])));
    expect(ids('Secret Rotation Started').size).toBe(1);
    expect(ids('Secret Rotation Succeeded').size).toBe(1);
  });

  test('does not begin when the record cannot be made: nothing is stored, nothing is changed', async () => {
    const { target, store } = world();
    const bus = {
      publish: () => Promise.reject(new AuditUnavailableError('bus rekey-test refused a record')),
    };
    const lifecycle = engine({ rotator: modelRotator(target), store, bus });
    await expect(
      lifecycle.run({ Step: 'createSecret', SecretId: arn, ClientRequestToken: token }),
    ).rejects.toMatchObject({
      code: 'AuditUnavailable',
    });
    expect(store.peek(arn, 'AWSPENDING')?.value).toBeUndefined();
    expect(target.passwords.get('app')).toBe(first.password);
  });

  test('still says what failed when the failure itself cannot be recorded', async () => {
    const { target, store } = world();
    const lifecycle = engine({
      rotator: modelRotator(target),
      store,
      bus: { publish: () => Promise.reject(new AuditUnavailableError('no bus, no queue')) },
    });
    await expect(
      lifecycle.run({ Step: 'setSecret', SecretId: arn, ClientRequestToken: token }),
    ).rejects.toMatchObject({
      code: 'SecretValueMissing',
      message: expect.stringContaining('no bus, no queue'),
    });
  });

  describe.each([
    ['RotationBraked', false],
    ['CanaryUnfinished', true],
  ] as const)('while the brake of the function says %s', (code, retryable) => {
    const braked = () => {
      const { target, store, ...rest } = world();
      const bus = new MemoryBus();
      const asked: string[] = [];
      const mayBegin = async (_secret: unknown, version: string) => {
        asked.push(version);
        throw new SecretError(code, 'not now');
      };
      const lifecycle = engine({ rotator: modelRotator(target), store, bus, mayBegin });
      const run = (Step: string, ClientRequestToken = token) =>
        lifecycle.run({ Step, SecretId: arn, ClientRequestToken });
      return { ...rest, target, store, bus, run, asked };
    };

    test('none begins: nothing is stored or changed, and no label is left that would keep others from beginning', async () => {
      const { run, store, target, bus } = braked();
      await expect(run('createSecret')).rejects.toMatchObject({ code, retryable });
      expect(store.peek(arn, 'AWSPENDING')).toBeUndefined();
      expect(target.passwords.get('app')).toBe(first.password);
      expect(bus.events.map(({ detailType }) => detailType)).toEqual(['Secret Rotation Failed']);
    });

    test('one that has begun goes on to its end', async () => {
      const { run, store, target } = braked();
      await store.putPending(arn, token, JSON.stringify({ ...first, password: 'begun before the brake' }));
      for (const step of steps) await run(step);
      expect(target.passwords.get('app')).toBe('begun before the brake');
    });

    test('that of a revocation begins without asking', async () => {
      const { run, store, asked } = braked();
      const urgent = revocationToken('request', arn);
      store.begin(arn, urgent);
      for (const step of steps) await run(step, urgent);
      expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe(urgent);
      expect(asked).toEqual([]);
    });
  });

  describe('while the rotations of a secret are paused', () => {
    const in_ = (ms: number) => ({ 'rekey:paused-until': new Date(Date.now() + ms).toISOString() });
    const paused = (tags: Record<string, string>) => {
      const { target, store, ...rest } = world();
      const seen = new Proxy(store, {
        get: (object, property) =>
          property === 'describe'
            ? async (id: string) => ({ ...(await object.describe(id)), tags })
            : typeof Reflect.get(object, property) === 'function'
              ? Reflect.get(object, property).bind(object)
              : Reflect.get(object, property),
      });
      const bus = new MemoryBus();
      const lifecycle = engine({ rotator: modelRotator(target), store: seen, bus });
      const run = (Step: string, ClientRequestToken = token) =>
        lifecycle.run({ Step, SecretId: arn, ClientRequestToken });
      return { ...rest, target, store, bus, run };
    };

    test('none begins: nothing is stored or changed, and no label is left that would keep others from beginning', async () => {
      const { run, store, target, bus } = paused(in_(60_000));
      await expect(run('createSecret')).rejects.toMatchObject({
        code: 'RotationPaused',
        retryable: true,
        message: expect.stringContaining('rekey resume'),
      });
      expect(store.peek(arn, 'AWSPENDING')).toBeUndefined();
      expect(target.passwords.get('app')).toBe(first.password);
      expect(bus.events.map(({ detailType }) => detailType)).toEqual(['Secret Rotation Failed']);
    });

    test('one that has begun goes on to its end', async () => {
      const { run, store, target } = paused(in_(60_000));
      await store.putPending(arn, token, JSON.stringify({ ...first, password: 'begun before the pause' }));
      for (const step of steps) await run(step);
      expect(target.passwords.get('app')).toBe('begun before the pause');
    });

    test('that of a revocation begins all the same', async () => {
      const { run, store, target } = paused(in_(60_000));
      const urgent = revocationToken('request', arn);
      store.begin(arn, urgent);
      for (const step of steps) await run(step, urgent);
      expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe(urgent);
      expect(target.passwords.get('app')).not.toBe(first.password);
    });

    test.each([
      ['is over', in_(-1)],
      ['holds no time', { 'rekey:paused-until': 'for ever' }],
      ['is empty', { 'rekey:paused-until': '' }],
    ])('a pause that %s pauses nothing', async (_name, tags) => {
      const { run, target } = paused(tags);
      for (const step of steps) await run(step);
      expect(target.passwords.get('app')).not.toBe(first.password);
    });
  });

  test('tells of no secret that is not its own, whoever invokes it', async () => {
    const { target, store } = world();
    for (const code of ['SecretAccessDenied', 'SecretMissing'] as const) {
      const bus = new MemoryBus();
      const foreign = new Proxy(store, {
        get: (object, property) =>
          property === 'describe'
            ? () => Promise.reject(new SecretError(code, 'a secret of somebody else'))
            : Reflect.get(object, property, object),
      });
      const lifecycle = engine({ rotator: modelRotator(target), store: foreign, bus });
      const event = { Step: 'testSecret', SecretId: '/prod/crown-jewels', ClientRequestToken: token };
      await expect(lifecycle.run(event)).rejects.toMatchObject({ code });
      expect(bus.events).toEqual([]);
    }
    const long = { Step: 'testSecret', SecretId: 'x'.repeat(150_000), ClientRequestToken: token };
    const bus = new MemoryBus();
    await expect(engine({ rotator: modelRotator(target), store, bus }).run(long)).rejects.toMatchObject({
      code: 'RotationEventInvalid',
    });
    expect(bus.events).toEqual([]);
  });

  test('is repaired by a re-run from any kept version after a cancelled rotation changed the target', async () => {
    const { run, store, target, current } = world();
    await run('createSecret');
    await run('setSecret');
    store.removePending(arn);
    store.begin(arn, 'next-token');
    await rotate((step) => run(step, { ClientRequestToken: 'next-token' }));
    expect(target.passwords.get('app')).toBe(current().password);
    expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe('next-token');
  });

  test('keeps AWSCURRENT when the new login is refused', async () => {
    const { run, store, target } = world();
    await run('createSecret');
    await expect(run('testSecret')).rejects.toMatchObject({ code: 'AuthenticationRefused' });
    expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe('v1');
    expect(target.passwords.get('app')).toBe(first.password);
  });

  test.each(['warm', 'cold'])(
    'moves AWSCURRENT to no version that was not tried, whoever calls (%s)',
    async (start) => {
      const { run, store, target } = world();
      await run('createSecret');
      const finish = { Step: 'finishSecret', SecretId: arn, ClientRequestToken: token };
      const finished =
        start === 'warm' ? run('finishSecret') : engine({ rotator: modelRotator(target), store }).run(finish);
      await expect(finished).rejects.toMatchObject({ code: 'AuthenticationRefused' });
      expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe('v1');
    },
  );

  test('of which Secrets Manager only tries the setup, tests the current credential', async () => {
    const { run, target } = world();
    await expect(run('testSecret')).resolves.toEqual({ step: 'testSecret', done: true });
    target.passwords.set('app', 'somebody changed it');
    await expect(run('testSecret')).rejects.toMatchObject({ code: 'AuthenticationRefused' });
  });
});

describe('refuses, and changes nothing:', () => {
  type World = ReturnType<typeof world>;
  const asItStands = () => {};
  const cases: [string, string, Record<string, unknown>, string, (world: World) => void][] = [
    ['an unknown step', 'dropSecret', {}, 'StepUnknown', asItStands],
    [
      'an event without a secret',
      'createSecret',
      { SecretId: undefined },
      'RotationEventInvalid',
      asItStands,
    ],
    [
      'an event without a token',
      'createSecret',
      { ClientRequestToken: '' },
      'RotationEventInvalid',
      asItStands,
    ],
    [
      'an unknown secret',
      'createSecret',
      { SecretId: 'arn:aws:secretsmanager:::secret:other' },
      'SecretMissing',
      asItStands,
    ],
    [
      'a token of another secret',
      'setSecret',
      { ClientRequestToken: 'foreign' },
      'VersionUnknown',
      asItStands,
    ],
    [
      'rotation that is disabled',
      'setSecret',
      {},
      'RotationDisabled',
      ({ store }) => store.setRotationEnabled(arn, false),
    ],
    [
      'a token without AWSPENDING',
      'setSecret',
      {},
      'VersionUnknown',
      ({ store }) => store.removePending(arn),
    ],
    ['setting a version without value', 'setSecret', {}, 'SecretValueMissing', asItStands],
    ['finishing a version without value', 'finishSecret', {}, 'SecretValueMissing', asItStands],
    [
      'a stale token that is AWSPREVIOUS by now',
      'setSecret',
      { ClientRequestToken: 'v1' },
      'VersionNotPending',
      ({ store }) => {
        void store.putPending(arn, token, JSON.stringify({ ...first, password: 'second password' }));
        void store.moveCurrent(arn, { from: 'v1', to: token });
      },
    ],
    [
      'a pending password that is empty',
      'setSecret',
      {},
      'PendingValueRefused',
      ({ store }) => {
        void store.putPending(arn, token, JSON.stringify({ ...first, password: '' }));
      },
    ],
    [
      'a pending value that is not JSON',
      'setSecret',
      {},
      'SecretValueInvalid',
      ({ store }) => {
        void store.putPending(arn, token, 'hunter2 is not JSON');
      },
    ],
  ];
  test.each(cases)('%s', async (_name, step, overrides, code, prepare) => {
    const scene = world();
    prepare(scene);
    const before = {
      password: scene.target.passwords.get('app'),
      current: scene.store.peek(arn, 'AWSCURRENT'),
    };
    await expect(scene.run(step, overrides)).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('hunter2'),
    });
    expect(scene.target.passwords.get('app')).toBe(before.password);
    expect(scene.store.peek(arn, 'AWSCURRENT')).toEqual(before.current);
  });

  test.each([
    ['no value', null, 'SecretValueMissing'],
    ['empty text', '', 'SecretValueInvalid'],
    ['text that is not JSON', 'hunter2', 'SecretValueInvalid'],
    ['a JSON string', '"hunter2"', 'SecretValueInvalid'],
    ['a JSON array', '["hunter2"]', 'SecretValueInvalid'],
    ['JSON null', 'null', 'SecretValueInvalid'],
    ['a password of the wrong type', '{"username":"app","password":12}', 'SecretValueInvalid'],
    ['a missing password', '{"username":"hunter2"}', 'SecretValueInvalid'],
  ])('a current version with %s, without quoting it', async (_name, value, code) => {
    const { run, store, bus } = world(value);
    await expect(run('createSecret')).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('hunter2'),
    });
    expect(store.peek(arn, 'AWSPENDING')?.value).toBeUndefined();
    expect(JSON.stringify(bus.events)).not.toContain('hunter2');
  });
});

test('a failed step is recorded with its code and step', async () => {
  const { run, bus } = world();
  await run('createSecret');
  await expect(run('testSecret')).rejects.toMatchObject({ code: 'AuthenticationRefused' });
  const failure = bus.events.find(({ detailType }) => detailType === 'Secret Rotation Failed');
  expect(failure?.detail.data).toMatchObject({
    step: 'testSecret',
    versionId: token,
    secretArn: arn,
    secretName: '/test/app-AbCdEf',
    error: { code: 'AuthenticationRefused', retryable: false },
  });
});

test('a strategy that the type does not have is refused at once', () => {
  expect(() =>
    engine({
      rotator: modelRotator(new ModelTarget()),
      store: new MemoryStore(),
      strategy: 'dual-credential',
    }),
  ).toThrow('model secrets do not support dual-credential; choose single-user or alternating-users');
});
