import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BrakeState } from '../../../core/brake.ts';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import { RekeyError, SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import { FunctionBrake } from '../../../lambdas/rotation/brake.ts';
import { propertyRuns } from '../../property-runs.ts';
import { MemoryBrake } from './memory-brake.ts';

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const rotation = (name: string, token = `${name}-1`) => ({ secretArn: arn(name), token });
const refused = new TargetError('AuthenticationRefused', 'refused');
const proven: BrakeState = { code: 'code', functionName: 'fn', proven: true, failed: [] };

/** An environment of the function; its time passes by its waiting only. */
function environment(store: MemoryBrake, { code = 'code', at = { ms: 0 }, stepMs = 60_000 } = {}) {
  const engaged: BrakeState[] = [];
  const pauses: number[] = [];
  const brake = new FunctionBrake({
    store,
    rules: { functionName: 'fn', code, after: 3, leaseMs: 300_000 },
    clock: { now: () => new Date(at.ms) },
    random: { integer: (limit) => Math.floor(limit / 2) },
    wait: async (ms) => {
      at.ms += ms;
      pauses.push(ms);
    },
  });
  const begin = (name: string, token?: string) =>
    brake.requireReleased(rotation(name, token), {
      name,
      stepMs,
      onBraked: async (state) => {
        engaged.push(state);
      },
    });
  const fail = (name: string, { error = refused as unknown, lasting = true, token = `${name}-1` } = {}) =>
    brake.failed(rotation(name, token), { error, lasting });
  const succeed = (name: string, token?: string) =>
    brake.succeeded({ ...rotation(name, token), began: new Date(at.ms) });
  return { begin, fail, succeed, engaged, at, pauses };
}

describe('what it costs', () => {
  test('a rotation of proven code is one read and no write', async () => {
    const store = new MemoryBrake(proven);
    const { begin, succeed } = environment(store);
    await begin('a');
    await succeed('a');
    expect([store.reads, store.writes]).toEqual([1, 0]);
  });

  test('several at once in one process are one read each, of which it remembers a hundred', async () => {
    const store = new MemoryBrake(proven);
    const { begin, succeed } = environment(store);
    const names = Array.from({ length: 100 }, (_, index) => `s${index}`);
    for (const name of names) await begin(name);
    await succeed('s0');
    await succeed('s1');
    expect(store.reads).toBe(100);
    for (const name of ['a', 'b', 'c']) await begin(name);
    await succeed('c');
    expect(store.reads).toBe(103);
    await succeed('s99');
    expect(store.reads).toBe(104);
  });

  test('one that ends in another environment is one read more', async () => {
    const store = new MemoryBrake(proven);
    await environment(store).begin('a');
    await environment(store).succeed('a');
    expect([store.reads, store.writes]).toEqual([2, 0]);
  });

  test('that of a revocation neither asks nor tells', async () => {
    const store = new MemoryBrake(proven);
    const { fail, succeed } = environment(store);
    const token = revocationToken('request', arn('a'));
    await succeed('a', token);
    await fail('a', { token });
    expect([store.reads, store.writes]).toEqual([0, 0]);
  });
});

test('several secrets in a row engage it once, whoever counts; the next is refused and told of them', async () => {
  const store = new MemoryBrake(proven);
  const [one, other] = [environment(store), environment(store)];
  expect(await one.fail('a')).toEqual({});
  expect(await one.fail('a', { token: 'a-2' })).toEqual({});
  expect(await other.fail('b')).toEqual({});
  expect(await one.fail('c')).toMatchObject({ braked: { failed: ['a-AbCdEf', 'b-AbCdEf', 'c-AbCdEf'] } });
  expect(await other.fail('d')).toEqual({});
  await expect(other.begin('e')).rejects.toMatchObject({
    code: 'RotationBraked',
    retryable: false,
    message: expect.stringMatching(/of fn .*3 secrets.*a-AbCdEf.*rekey resume/),
  });
});

test('a success between ends the row, also one that ends in another environment', async () => {
  const store = new MemoryBrake(proven);
  const one = environment(store);
  await one.fail('a');
  await one.fail('b');
  await one.begin('c');
  await environment(store).succeed('c');
  expect(store.state).toEqual(proven);
  await one.fail('a', { token: 'a-2' });
  await one.begin('d');
  await one.succeed('d');
  expect(store.state).toEqual(proven);
});

test('a rotation that failed and succeeds when it is tried again ends the row that it began', async () => {
  const store = new MemoryBrake(proven);
  const { begin, fail, succeed } = environment(store);
  await begin('a');
  await fail('a');
  expect(store.state?.failed).toEqual(['a-AbCdEf']);
  await succeed('a');
  expect(store.state).toEqual(proven);
});

test.each([
  ['RotationPaused', new SecretError('RotationPaused', 'x')],
  ['RotationBraked', new SecretError('RotationBraked', 'x')],
  ['CanaryUnfinished', new SecretError('CanaryUnfinished', 'x')],
  ['VersionNotPending', new SecretError('VersionNotPending', 'x')],
  ['VersionUnknown', new SecretError('VersionUnknown', 'x')],
  ['RotationDisabled', new SecretError('RotationDisabled', 'x')],
])('%s says nothing of the function and counts for nothing', async (_code, error) => {
  const store = new MemoryBrake(proven);
  const { fail } = environment(store);
  for (const name of ['a', 'b', 'c', 'd']) expect(await fail(name, { error })).toEqual({});
  expect(store.state).toEqual(proven);
});

test('a failure that may pass by itself does not count', async () => {
  const store = new MemoryBrake(proven);
  const { fail } = environment(store);
  for (const name of ['a', 'b', 'c', 'd']) await fail(name, { lasting: false });
  expect(store.state).toEqual(proven);
});

describe('a canary', () => {
  test('is waited for, in a part of the time that the step has', async () => {
    const store = new MemoryBrake();
    const at = { ms: 0 };
    const [canary, other] = [environment(store), environment(store, { at })];
    await canary.begin('a');
    await expect(other.begin('b')).rejects.toMatchObject({ code: 'CanaryUnfinished', retryable: true });
    expect(at.ms).toBeGreaterThan(10_000);
    expect(at.ms).toBeLessThanOrEqual(20_000);
    expect(store.reads).toBeLessThan(12);
  });

  test.each([
    [600_000, [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]],
    [58_500, [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]],
    [58_497, [500, 1_000, 2_000, 4_000, 4_000, 4_000]],
    [6_000, [500, 1_000]],
    [1_000, []],
  ])(
    'is waited for in a step of %d ms with growing pauses, for a third of it and 20 s at the most',
    async (stepMs, expected) => {
      const store = new MemoryBrake();
      await environment(store).begin('a');
      const { begin, pauses } = environment(store, { stepMs });
      await expect(begin('b')).rejects.toMatchObject({ code: 'CanaryUnfinished' });
      expect(pauses).toEqual(expected);
    },
  );

  test('that succeeds meanwhile lets who waits begin; that fails makes who waits the next one', async () => {
    for (const end of ['succeed', 'fail'] as const) {
      const store = new MemoryBrake();
      const canary = environment(store);
      await canary.begin('a');
      const read = store.read.bind(store);
      store.read = async () => {
        if (store.reads === 3) {
          store.read = read;
          await canary[end]('a');
        }
        return read();
      };
      await environment(store).begin('b');
      expect(store.state).toMatchObject(
        end === 'succeed' ? { proven: true } : { canary: { token: 'b-1' }, failed: ['a-AbCdEf'] },
      );
    }
  });

  test('that fails after the others have engaged the brake engages it no second time', async () => {
    const store = new MemoryBrake();
    const { begin, fail } = environment(store);
    await begin('a');
    await fail('b');
    await fail('c');
    expect(await fail('d')).toMatchObject({ braked: { failed: ['b-AbCdEf', 'c-AbCdEf', 'd-AbCdEf'] } });
    expect(await fail('a')).toEqual({});
    expect(store.state).not.toHaveProperty('canary');
  });

  test('that vanishes as the last of so many engages the brake, and says so', async () => {
    const at = { ms: 0 };
    const store = new MemoryBrake();
    const { begin, fail, engaged } = environment(store, { at });
    await begin('a');
    await fail('a');
    await begin('b');
    await fail('b');
    await begin('c');
    at.ms += 300_000;
    await expect(begin('d')).rejects.toMatchObject({ code: 'RotationBraked' });
    expect(engaged).toHaveLength(1);
    await expect(begin('e')).rejects.toMatchObject({ code: 'RotationBraked' });
    expect(engaged).toHaveLength(1);
  });
});

describe('a store that does not answer', () => {
  const denied = new RekeyError('AccessDenied', 'ssm:GetParametersByPath is denied');

  test('holds nothing up, says so, and is not asked again for a while', async () => {
    const store = new MemoryBrake(proven);
    store.failure = denied;
    const { begin, fail, succeed, at } = environment(store);
    expect(await begin('a')).toEqual({ unreachable: denied });
    at.ms += 30_000;
    expect(await begin('b')).toEqual({});
    expect(await succeed('a')).toEqual({});
    expect(await fail('b')).toEqual({});
    expect(store.reads).toBe(1);
    at.ms += 30_000;
    expect(await succeed('z')).toEqual({ unreachable: denied });
    expect(store.reads).toBe(2);
  });

  test('cannot be written either: the rotation goes on', async () => {
    const store = new MemoryBrake();
    store.replace = async () => Promise.reject(denied);
    expect(await environment(store).begin('a')).toEqual({ unreachable: denied });
  });

  test('that answers no more while a canary is waited for has the others go on waiting', async () => {
    const store = new MemoryBrake();
    await environment(store).begin('a');
    const read = store.read.bind(store);
    store.read = async () => {
      if (store.reads > 1) store.failure = denied;
      return read();
    };
    await expect(environment(store).begin('b')).rejects.toMatchObject({ code: 'CanaryUnfinished' });
  });

  test('loses every race: as if it did not answer', async () => {
    const store = new MemoryBrake();
    store.replace = async () => false;
    expect(await environment(store).begin('a')).toMatchObject({ unreachable: { code: 'ResourceBusy' } });
    expect(store.reads).toBe(10);
  });

  test('loses every race of a failure that is told: the same', async () => {
    const store = new MemoryBrake(proven);
    store.replace = async () => false;
    expect(await environment(store).fail('a')).toMatchObject({ unreachable: { code: 'ResourceBusy' } });
    expect(store.reads).toBe(10);
  });

  test('loses a race: what the faster one has stored counts', async () => {
    const store = new MemoryBrake(proven);
    const replace = store.replace.bind(store);
    store.replace = async (version, state) => {
      store.replace = replace;
      await environment(store).fail('a');
      return replace(version, state);
    };
    expect(await environment(store).fail('b')).toEqual({});
    expect(store.state?.failed).toEqual(['a-AbCdEf', 'b-AbCdEf']);
  });
});

test('environments that race for the canary, in any order of their calls: one begins, the others wait', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 6 }), async (scheduler, count) => {
      const store = new MemoryBrake();
      const [read, replace] = [store.read.bind(store), store.replace.bind(store)];
      store.read = scheduler.scheduleFunction(read);
      store.replace = scheduler.scheduleFunction(replace);
      const begun: string[] = [];
      const all = Array.from({ length: count }, async (_, index) => {
        const outcome = await environment(store)
          .begin(`s${index}`)
          .catch((error: unknown) => (error as RekeyError).code);
        if (typeof outcome === 'object' && outcome.unreachable === undefined) begun.push(`s${index}`);
      });
      await scheduler.waitFor(Promise.all(all));
      expect(begun).toHaveLength(1);
      expect(store.state?.canary?.token).toBe(`${begun[0]}-1`);
    }),
    { numRuns: propertyRuns(200) },
  );
});
