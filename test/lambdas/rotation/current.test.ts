import { describe, expect, test } from '@jest/globals';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../../core/ports.ts';
import { moveCurrent } from '../../../lambdas/rotation/move-current.ts';
import { engine, MemoryBus } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const token = '11111111-2222-4333-8444-555555555555';

describe('a step of a version that is current already', () => {
  /** A secret that was rotated, with notes of what is asked of the rotator and which labels are moved. */
  async function rotated() {
    const target = new ModelTarget();
    const store = new MemoryStore();
    const bus = new MemoryBus();
    const calls: string[] = [];
    store.create(arn, JSON.stringify({ username: 'app', password: 'first password' }));
    store.begin(arn, token);
    target.passwords.set('app', 'first password');
    const rotator = modelRotator(target);
    const noting = <A extends unknown[], R>(name: string, call: (...args: A) => R) => {
      return (...args: A): R => {
        calls.push(name);
        return call(...args);
      };
    };
    const lifecycle = engine({
      rotator: {
        ...rotator,
        propose: noting('propose', rotator.propose),
        check: noting('check', rotator.check),
        apply: noting('apply', rotator.apply),
        probe: noting('probe', rotator.probe),
      },
      store: new Proxy(store, {
        get: (object, key) => {
          if (key === 'moveCurrent') return noting('moveCurrent', object.moveCurrent.bind(object));
          const member: unknown = Reflect.get(object, key, object);
          return typeof member === 'function' ? member.bind(object) : member;
        },
      }),
      bus,
    });
    const run = (Step: string) => lifecycle.run({ Step, SecretId: arn, ClientRequestToken: token });
    for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) await run(step);
    return { run, calls, bus };
  }

  test.each(['createSecret', 'setSecret', 'testSecret'])('%s does nothing and says so', async (step) => {
    const { run, calls, bus } = await rotated();
    expect(calls).toEqual(['propose', 'check', 'apply', 'probe', 'moveCurrent']);
    const [before, published] = [calls.length, bus.events.length];
    expect(await run(step)).toEqual({ step, done: false });
    expect(calls.slice(before)).toEqual([]);
    expect(bus.events).toHaveLength(published);
  });

  test('finishSecret announces the success again and moves no label', async () => {
    const { run, calls, bus } = await rotated();
    const before = calls.length;
    expect(await run('finishSecret')).toEqual({ step: 'finishSecret', done: false, announced: true });
    expect(calls.slice(before)).toEqual([]);
    expect(bus.events.map(({ detailType }) => detailType)).toEqual([
      'Secret Rotation Started',
      'Secret Rotation Succeeded',
      'Secret Rotation Succeeded',
    ]);
  });
});

describe('the label of the current version', () => {
  const description = { arn, name: '/test/app', rotationEnabled: true, versions: {}, tags: {} };
  type Store = Pick<SecretStore, 'describe' | 'moveCurrent'>;

  /** A store whose answers are these; the labels are looked up after each refusal. */
  function scripted(refusals: readonly unknown[], labels: Readonly<Record<string, readonly string[]>>) {
    const left = [...refusals];
    const moves: unknown[] = [];
    const waits: number[] = [];
    const store: Store = {
      describe: async () => ({ ...description, versions: labels }) as Awaited<ReturnType<Store['describe']>>,
      moveCurrent: async (secret, move) => {
        moves.push([secret, move]);
        const refusal = left.shift();
        if (refusal !== undefined) throw refusal;
      },
    };
    const wait = async (ms: number) => waits.push(ms);
    const move = () => moveCurrent(description, { to: 'new', from: 'v1' }, { store, wait });
    return { move, moves, waits };
  }
  const overtaken = new SecretError('CurrentMoved', 'AWSCURRENT is not on v1');

  test('is moved once', async () => {
    const { move, moves, waits } = scripted([], {});
    await move();
    expect([moves, waits]).toEqual([[[arn, { to: 'new', from: 'v1' }]], []]);
  });

  test('a duplicate of the step that was faster has done what was to be done', async () => {
    const { move, moves, waits } = scripted([overtaken], { new: ['AWSCURRENT'], v1: ['AWSPREVIOUS'] });
    await move();
    expect([moves.length, waits]).toEqual([1, []]);
  });

  test('a refusal that an old answer explains is tried again', async () => {
    const { move, moves, waits } = scripted([overtaken, overtaken], { new: ['AWSPENDING'] });
    await move();
    expect([moves.length, waits]).toEqual([3, [100, 200]]);
  });

  test('a refusal that stays is thrown, after three seconds', async () => {
    const { move, moves, waits } = scripted(Array(9).fill(overtaken), { new: ['AWSPENDING'] });
    await expect(move()).rejects.toBe(overtaken);
    expect([moves.length, waits]).toEqual([6, [100, 200, 400, 800, 1_600]]);
  });

  test.each([
    ['another refusal of Secrets Manager', new SecretError('SecretAccessDenied', 'denied')],
    ['a refusal that is no error of ours', Object.assign(new Error('x'), { code: 'CurrentMoved' })],
  ])('%s is thrown at once', async (_name, refusal) => {
    const { move, moves, waits } = scripted([refusal], {});
    await expect(move()).rejects.toBe(refusal);
    expect([moves.length, waits]).toEqual([1, []]);
  });

  test('that no version holds is moved nowhere', async () => {
    const store = new MemoryStore();
    await expect(moveCurrent(description, { to: 'new', from: undefined }, { store })).rejects.toMatchObject({
      code: 'SecretValueMissing',
      message: expect.stringContaining('no version of /test/app is labelled AWSCURRENT'),
    });
  });
});
