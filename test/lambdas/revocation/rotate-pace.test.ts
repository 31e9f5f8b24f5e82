import { describe, expect, test } from '@jest/globals';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import { RekeyError, SecretError } from '../../../core/errors/rekey-error.ts';
import { rotationPace } from '../../../core/pace/quotas.ts';
import type { TokenBucket } from '../../../core/pace/token-bucket.ts';
import type { RotationControl, SecretStore } from '../../../core/ports.ts';
import { stages } from '../../../core/secret/secret.ts';
import {
  type RotateStepDependencies,
  rotateForRevocation,
  rotateStep,
} from '../../../lambdas/revocation/rotate.ts';
import { requestId, secretArn } from './world.ts';

const token = revocationToken(requestId, secretArn);
const subject = { requestId, secretArn, secretName: 'orders' };
const begun = Date.parse('2026-03-01T12:00:00.000Z');
const { current, previous, pending } = stages;

type Labels = Record<string, string[]>;

/** Secrets Manager and the time: what its labels show, and what it answers, by the milliseconds since the beginning. */
function scene(
  labelsAt: (ms: number) => Labels,
  answer: (ms: number) => 'started' | 'unfinished' = () => 'started',
) {
  let ms = 0;
  const asked: number[] = [];
  const pauses: number[] = [];
  const rotation: RotationControl = {
    rotate: async (_arn, version) => {
      expect(version).toBe(token);
      asked.push(ms);
      return answer(ms);
    },
  };
  const dependencies = {
    store: { describe: async () => ({ versions: labelsAt(ms) }) } as unknown as SecretStore,
    rotation,
    clock: { now: () => new Date(begun + ms) },
    wait: async (pause: number) => {
      pauses.push(pause);
      ms += pause;
    },
  };
  return { dependencies, asked, pauses, elapsed: () => ms };
}

const before: Labels = { v1: [current] };
const done: Labels = { [token]: [current], v1: [previous] };

describe('the pace of a revocation’s rotation', () => {
  test('asks once and looks five times a second', async () => {
    const { dependencies, asked, pauses } = scene((ms) => (ms < 1_000 ? before : done));
    expect(await rotateForRevocation(subject, dependencies)).toEqual({
      newVersionId: token,
      rotatedAt: new Date(begun + 1_000).toISOString(),
    });
    expect({ asked, pauses }).toEqual({ asked: [0], pauses: [200, 200, 200, 200, 200] });
  });

  test.each([current, previous])('ends at once where the version has been made and has %s', async (label) => {
    const { dependencies, asked } = scene(() => ({ [token]: [label] }));
    await rotateForRevocation(subject, dependencies);
    expect(asked).toEqual([]);
  });

  test('gives its place free after six seconds, to be tried again', async () => {
    const { dependencies, asked, elapsed } = scene(() => before);
    const waiting = rotateForRevocation(subject, dependencies);
    await expect(waiting).rejects.toMatchObject({ code: 'RotationPending' });
    await expect(waiting).rejects.toThrow(/within 6000 ms$/);
    expect({ asked, elapsed: elapsed() }).toEqual({ asked: [0], elapsed: 6_000 });
  });

  test('asks again after ten seconds where it may wait for longer', async () => {
    const { dependencies, asked } = scene(() => before);
    const waiting = rotateForRevocation(subject, { ...dependencies, patienceMs: 20_100 });
    await expect(waiting).rejects.toMatchObject({ code: 'RotationPending' });
    expect(asked).toEqual([0, 10_000, 20_000]);
  });

  test.each<[string, Labels]>([
    ['with the label beside the current one', { v1: [previous], earlier: [current, pending] }],
    ['without a label', { v1: [previous], earlier: [current] }],
  ])('asks again as soon as an earlier rotation has ended %s', async (_, free) => {
    const taken: Labels = { v1: [current], earlier: [pending] };
    const { dependencies, asked } = scene(
      (ms) => (ms < 1_000 ? taken : ms < 2_000 ? free : done),
      (ms) => (ms < 1_000 ? 'unfinished' : 'started'),
    );
    await rotateForRevocation(subject, dependencies);
    expect(asked).toEqual([0, 1_000]);
  });

  test('names an earlier rotation that has not ended', async () => {
    const taken: Labels = { v1: [current], earlier: [pending] };
    await expect(rotateForRevocation(subject, scene(() => taken).dependencies)).rejects.toThrow(
      /; version earlier of an earlier rotation is still pending$/,
    );
    const own: Labels = { v1: [current], [token]: [pending] };
    await expect(rotateForRevocation(subject, scene(() => own).dependencies)).rejects.toThrow(
      /within 6000 ms$/,
    );
  });

  test('waits for minutes, and less often, where a step may take as long', async () => {
    const { dependencies, asked, pauses, elapsed } = scene(() => before);
    const waiting = rotateForRevocation({ ...subject, stepSeconds: 600 }, dependencies);
    await expect(waiting).rejects.toMatchObject({ code: 'RotationPending' });
    expect(elapsed()).toBeGreaterThan(590_000);
    expect(elapsed()).toBeLessThanOrEqual(600_000);
    // A usual rotation of such a type is seen at once.
    expect(pauses.slice(0, 31)).toEqual(Array.from({ length: 31 }, () => 200));
    expect(new Set(pauses.slice(31))).toEqual(new Set([2_000]));
    expect(asked).toEqual([0, 120_200, 240_200, 360_200, 480_200]);
  });

  test('is the usual one for a type of the usual time', async () => {
    const { dependencies, elapsed } = scene(() => before);
    const waiting = rotateForRevocation({ ...subject, stepSeconds: 60 }, dependencies);
    await expect(waiting).rejects.toMatchObject({ code: 'RotationPending' });
    expect(elapsed()).toBe(6_000);
  });

  test('takes a refusal for one only when the labels have shown for three seconds that it is', async () => {
    const refusal = new SecretError('RotationDisabled', 'rotation is off');
    const refuse = () => {
      throw refusal;
    };
    const { dependencies, asked, elapsed } = scene(() => before, refuse);
    await expect(rotateForRevocation(subject, dependencies)).rejects.toBe(refusal);
    expect({ asked, elapsed: elapsed() }).toEqual({ asked: [0], elapsed: 3_000 });
    const late = scene((ms) => (ms < 2_800 ? before : done), refuse);
    expect(await rotateForRevocation(subject, late.dependencies)).toMatchObject({ newVersionId: token });
  });
});

describe('the turn of a rotation', () => {
  const input = { ...subject, containmentFunction: 'containment' } as unknown as Parameters<
    typeof rotateStep
  >[0];
  const ofPlan = { ...input, partOf: 'request' };

  /** A bucket that gives starts so far ahead, or fails. */
  function paced(
    labelsAt: (ms: number) => Labels,
    give: () => Promise<number>,
    answer?: (ms: number) => 'started' | 'unfinished',
  ) {
    const { dependencies, ...seen } = scene(labelsAt, answer);
    const taken: string[] = [];
    const failures: string[] = [];
    const bucket: TokenBucket = {
      take: async (name) => {
        taken.push(name);
        return await give();
      },
    };
    const pacing = { bucket, pace: rotationPace, onFailure: (code: string) => void failures.push(code) };
    const definitions = { find: async () => undefined };
    return {
      ...seen,
      taken,
      failures,
      dependencies: { ...dependencies, pacing, definitions } as RotateStepDependencies,
    };
  }

  test('is moments away: it is waited for here, and takes nothing from the time of the rotation', async () => {
    const { dependencies, asked, taken } = paced(
      (ms) => (ms < 8_500 ? before : done),
      async () => 3_000,
    );
    expect(await rotateStep(ofPlan, dependencies)).toMatchObject({ newVersionId: token });
    expect({ asked, taken }).toEqual({ asked: [3_000], taken: ['rotate'] });
  });

  test('is later: nothing is asked for, and the workflow is told when to come back', async () => {
    const { dependencies, asked, elapsed } = paced(
      () => before,
      async () => 3_001,
    );
    const later = await rotateStep(ofPlan, dependencies);
    expect(later).toEqual({ waitSeconds: 4, turnAt: new Date(begun + 3_001).toISOString(), lookups: 0 });
    expect({ asked, elapsed: elapsed() }).toEqual({ asked: [], elapsed: 0 });
  });

  test('is kept by who comes back, also too early', async () => {
    const { dependencies, asked, taken } = paced(
      (ms) => (ms < 5_000 ? before : done),
      async () => 60_000,
    );
    const kept = { lookups: 0, turnAt: new Date(begun + 500).toISOString() };
    await rotateStep({ ...ofPlan, rotated: kept }, dependencies);
    expect({ asked, taken }).toEqual({ asked: [500], taken: [] });
    const early = { lookups: 0, turnAt: new Date(begun + 60_000).toISOString() };
    const again = paced(
      () => before,
      async () => 0,
    );
    expect(await rotateStep({ ...ofPlan, rotated: early }, again.dependencies)).toMatchObject({
      waitSeconds: 60,
      turnAt: early.turnAt,
    });
    expect(again.taken).toEqual([]);
  });

  test('has passed when who comes back is late', async () => {
    const { dependencies, asked } = paced(
      (ms) => (ms < 1_000 ? before : done),
      async () => 0,
    );
    const kept = { lookups: 0, turnAt: new Date(begun - 5_000).toISOString() };
    await rotateStep({ ...ofPlan, rotated: kept }, dependencies);
    expect(asked).toEqual([0]);
  });

  test('is taken once: what was asked for before takes none', async () => {
    const { dependencies, taken } = paced(
      (ms) => (ms < 1_000 ? { v1: [current], [token]: [pending] } : done),
      async () => 60_000,
    );
    await rotateStep(ofPlan, dependencies);
    const twice = paced(
      (ms) => (ms < 3_000 ? before : done),
      async () => 0,
      (ms) => (ms < 1_000 ? 'unfinished' : 'started'),
    );
    await rotateStep(ofPlan, twice.dependencies);
    expect({ taken, twice: twice.taken }).toEqual({ taken: [], twice: ['rotate'] });
  });

  test('counts for a revocation of one secret, which does not wait', async () => {
    const { dependencies, asked, taken } = paced(
      (ms) => (ms < 1_000 ? before : done),
      async () => 600_000,
    );
    expect(await rotateStep(input, dependencies)).toMatchObject({ newVersionId: token });
    expect({ asked, taken }).toEqual({ asked: [0], taken: ['rotate'] });
  });

  test.each([
    ['says why', new RekeyError('AccessDenied', 'denied'), 'AccessDenied'],
    ['fails in a way that nobody knows', new Error('broken'), 'Unexpected'],
  ])('is now where the bucket %s', async (_, error, code) => {
    for (const asking of [input, ofPlan]) {
      const { dependencies, asked, failures } = paced(
        (ms) => (ms < 1_000 ? before : done),
        () => Promise.reject(error),
      );
      expect(await rotateStep(asking, dependencies)).toMatchObject({ newVersionId: token });
      expect({ asked, failures }).toEqual({ asked: [0], failures: [code] });
    }
  });

  test('is never more than an hour away', async () => {
    const { dependencies } = paced(
      () => before,
      async () => Number.MAX_SAFE_INTEGER,
    );
    expect(await rotateStep(ofPlan, dependencies)).toMatchObject({ waitSeconds: 3_600 });
  });

  test('holds nothing up that fails for another reason', async () => {
    const { dependencies } = paced(
      () => before,
      async () => 0,
    );
    await expect(rotateStep(input, dependencies)).rejects.toMatchObject({ code: 'RotationPending' });
  });
});

describe('the step of the workflow', () => {
  const input = { ...subject, containmentFunction: 'as the intake knew it' } as unknown as Parameters<
    typeof rotateStep
  >[0];
  const withDefinition = (find: () => Promise<unknown>) => {
    const { dependencies, pauses } = scene(() => done);
    return {
      pauses,
      dependencies: { ...dependencies, definitions: { find } } as unknown as RotateStepDependencies,
    };
  };

  test('names the function that the definition has by now, without waiting', async () => {
    const { dependencies, pauses } = withDefinition(async () => ({ containmentFunction: 'of the deploy' }));
    expect(await rotateStep(input, dependencies)).toMatchObject({
      containmentFunction: 'of the deploy',
      lookups: 1,
    });
    expect(pauses).toEqual([]);
  });

  test.each([
    ['is gone', async () => undefined],
    ['cannot be read', () => Promise.reject(new Error('away'))],
  ])('names the one that the intake knew where the definition %s', async (_, find) => {
    expect(await rotateStep(input, withDefinition(find).dependencies)).toMatchObject({
      containmentFunction: 'as the intake knew it',
    });
  });

  test('looks again after a pause', async () => {
    const { dependencies, pauses } = withDefinition(async () => ({ containmentFunction: 'of the deploy' }));
    const again = { ...input, rotated: { lookups: 1 } } as unknown as typeof input;
    expect(await rotateStep(again, dependencies)).toMatchObject({ lookups: 2 });
    expect(pauses).toEqual([2_000]);
  });
});
