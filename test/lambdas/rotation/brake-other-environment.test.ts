import { expect, test } from '@jest/globals';
import type { BrakeState } from '../../../core/brake.ts';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import { FunctionBrake } from '../../../lambdas/rotation/brake.ts';
import { MemoryBrake } from './memory-brake.ts';

const rotation = (name: string, began = new Date(0)) => ({
  began,
  secretArn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`,
  token: `${name}-1`,
});
const proven: BrakeState = { code: 'code', functionName: 'fn', proven: true, failed: [] };
const error = new TargetError('AuthenticationRefused', 'refused');

function environment(store: MemoryBrake) {
  return new FunctionBrake({
    store,
    rules: { functionName: 'fn', code: 'code', after: 3, leaseMs: 300_000 },
    clock: { now: () => new Date(1_000) },
    random: { integer: (limit) => Math.floor(limit / 2) },
    wait: async () => undefined,
  });
}
const begin = (brake: FunctionBrake, name: string) =>
  brake.requireReleased(rotation(name), { name, stepMs: 60_000, onBraked: async () => undefined });

/** docs/architecture.md, Brake: "what began before says nothing of what has broken since". */
test('a rotation that began before the first failure ends no row, also where another environment finishes it', async () => {
  const store = new MemoryBrake(proven);
  const [one, other] = [environment(store), environment(store)];
  await begin(one, 'early');
  await one.failed(rotation('a'), { error, lasting: true });
  await one.failed(rotation('b'), { error, lasting: true });
  await other.succeeded(rotation('early'));
  const { began: _unknown, ...repeated } = rotation('early');
  await other.succeeded(repeated);
  expect(store.state?.failed).toHaveLength(2);
  await other.succeeded(rotation('late', new Date(1_000)));
  expect(store.state).toEqual(proven);
});

/** Five secrets fail, one after the other; between them, rotations end elsewhere that began long before. */
test('old rotations that end elsewhere keep no brake from being engaged', async () => {
  const store = new MemoryBrake(proven);
  const one = environment(store);
  for (const name of ['x', 'y', 'z']) await begin(one, name);
  for (const [name, old] of [
    ['a', 'x'],
    ['b', 'y'],
    ['c', 'z'],
  ] as const) {
    await one.failed(rotation(name), { error, lasting: true });
    if (name !== 'c') await environment(store).succeeded(rotation(old));
  }
  expect(store.state?.brakedAt).toBeDefined();
});
