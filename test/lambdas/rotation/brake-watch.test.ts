import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import type { BrakeState } from '../../../core/brake.ts';
import { RekeyError, SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import { FunctionBrake } from '../../../lambdas/rotation/brake.ts';
import { BrakeWatch, isHeldUp } from '../../../lambdas/rotation/brake-watch.ts';
import type { Tools } from '../../../lambdas/tools.ts';
import { MemoryBus } from './engine.ts';
import { MemoryBrake } from './memory-brake.ts';

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const rotation = (name: string) => ({ secretArn: arn(name), token: `${name}-1` });
const proven: BrakeState = { code: 'code', functionName: 'fn', proven: true, failed: [] };
const failure = { error: new TargetError('AuthenticationRefused', 'refused'), lasting: true };

/** A function whose brake is in such a state, with the metrics and warnings that it has made. */
function world(store?: MemoryBrake) {
  const bus = new MemoryBus();
  const metrics: string[] = [];
  const warnings: string[] = [];
  const at = { ms: 0 };
  const clock = { now: () => new Date(at.ms) };
  const tools = {
    functionName: 'fn',
    remainingMs: () => 1_000,
    metrics: { addMetric: (name: string, _unit: string, value: number) => metrics.push(`${name} ${value}`) },
    logger: { warn: (text: string) => warnings.push(text) },
  } as unknown as Tools;
  const watch = new BrakeWatch({
    brake:
      store &&
      new FunctionBrake({
        store,
        clock,
        random: { integer: (limit) => Math.floor(limit / 2) },
        rules: { functionName: 'fn', code: 'code', after: 2, leaseMs: 300_000 },
        wait: async () => undefined,
      }),
    origin: {
      source: 'rekey.rotation',
      environment: 'test',
      actor: 'test',
      random: systemRandom,
      clock,
    },
    records: bus,
    tools,
  });
  const begin = (name: string) => {
    const { secretArn, token } = rotation(name);
    const secret = { arn: secretArn, name, rotationEnabled: true, versions: {}, tags: {} };
    return watch.mayBegin(secret, token);
  };
  const events = () => bus.events.map(({ detailType, detail: { data } }) => [detailType, data]);
  return { watch, begin, bus, events, metrics, warnings, at };
}

test('the failure that engages the brake is counted and recorded, and the ones before it are not', async () => {
  const { watch, metrics, events } = world(new MemoryBrake(proven));
  await watch.failed(rotation('a'), failure);
  expect([metrics, events()]).toEqual([[], []]);
  await watch.failed(rotation('b'), failure);
  expect(metrics).toEqual(['RotationBraked 1']);
  expect(events()).toEqual([
    ['Rotation Function Braked', { functionName: 'fn', failedSecrets: ['a-AbCdEf', 'b-AbCdEf'] }],
  ]);
});

test('the rotation that finds the last canary gone is refused, and that is recorded', async () => {
  const { watch, begin, events, at, bus } = world(new MemoryBrake());
  await begin('a');
  await watch.failed(rotation('a'), failure);
  await begin('b');
  at.ms += 300_000;
  await expect(begin('c')).rejects.toMatchObject({ code: 'RotationBraked' });
  expect(events()).toEqual([
    ['Rotation Function Braked', { functionName: 'fn', failedSecrets: ['a-AbCdEf', 'b-AbCdEf'] }],
  ]);
  expect(bus.events.at(0)?.detail.metadata.correlationId).toBe('c-1');
});

test('a success that ends a row is told', async () => {
  const store = new MemoryBrake({ ...proven, failed: ['a-AbCdEf'] });
  const { watch, events, metrics } = world(store);
  await watch.succeeded({ ...rotation('b'), began: new Date(0) });
  expect([store.state, events(), metrics]).toEqual([proven, [], []]);
});

describe('a brake that does not answer', () => {
  const denied = new RekeyError('AccessDenied', 'ssm:GetParametersByPath is denied');

  test.each<[string, (scene: ReturnType<typeof world>) => Promise<void>]>([
    ['is asked', ({ begin }) => begin('a')],
    ['is told of a success', ({ watch }) => watch.succeeded(rotation('a'))],
    ['is told of a failure', ({ watch }) => watch.failed(rotation('a'), failure)],
  ])('is a finding when it %s', async (_name, act) => {
    const store = new MemoryBrake(proven);
    store.failure = denied;
    const scene = world(store);
    await act(scene);
    expect(scene.metrics).toEqual([]);
    expect(scene.events()).toEqual([
      [
        'Finding Raised',
        expect.objectContaining({
          secretArn: arn('a'),
          code: 'BrakeUnreachable',
          message: expect.stringContaining('(AccessDenied: ssm:GetParametersByPath is denied)'),
        }),
      ],
    ]);
  });
});

test('a function without a brake is told nothing and asks nobody', async () => {
  const { watch, begin, events, metrics } = world();
  await begin('a');
  await watch.failed(rotation('a'), failure);
  await watch.succeeded(rotation('a'));
  expect([events(), metrics]).toEqual([[], []]);
});

test.each([
  ['RotationBraked', true, ['RotationBraked 1']],
  ['CanaryUnfinished', true, []],
  ['RotationPaused', true, []],
  ['VersionUnknown', false, []],
] as const)('%s: held up %p, and counted by the alarm of the brake: %j', (code, heldUp, counted) => {
  const { watch, metrics, warnings } = world();
  const error = new SecretError(code, 'not now');
  expect([isHeldUp(error), isHeldUp(Object.assign(new Error('x'), { code }))]).toEqual([heldUp, false]);
  if (!heldUp) return;
  watch.noteRefusal(error);
  expect([metrics, warnings.length]).toEqual([counted, 1]);
});
