import { describe, expect, test } from '@jest/globals';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import type { RotationControl } from '../../../core/ports.ts';
import { rotateForRevocation } from '../../../lambdas/revocation/rotate.ts';
import { requestId, secretArn, World } from './world.ts';

const subject = { requestId, secretArn, secretName: 'orders' };
const token = revocationToken(requestId, secretArn);

/** Secrets Manager as it is in practice: it answers at once, and the rotation ends later. */
function slow(world: World, afterMs: number): { rotation: RotationControl; asked: number[] } {
  const asked: number[] = [];
  let ready = Number.POSITIVE_INFINITY;
  const wait = world.wait;
  Object.assign(world, {
    wait: async (ms: number) => {
      await wait(ms);
      if (world.clock.now().getTime() >= ready) {
        ready = Number.POSITIVE_INFINITY;
        await world.runRotation(secretArn, token);
      }
    },
  });
  const rotation: RotationControl = {
    async rotate(arn, version) {
      asked.push(world.clock.now().getTime());
      world.store.begin(arn, version);
      ready = world.clock.now().getTime() + afterMs;
      return 'started';
    },
  };
  return { rotation, asked };
}

describe('the rotation of a revocation', () => {
  test('the same request always makes the same version, another one does not', () => {
    expect(revocationToken(requestId, secretArn)).toBe(token);
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    expect(revocationToken('other', secretArn)).not.toBe(token);
    expect(revocationToken(requestId, `${secretArn}x`)).not.toBe(token);
  });

  test('asks once and waits until the version is current', async () => {
    const world = new World();
    const { rotation, asked } = slow(world, 3_000);
    const outcome = await rotateForRevocation(subject, { ...world, rotation });
    expect(outcome).toEqual({ newVersionId: token, rotatedAt: '2026-03-01T12:00:03.000Z' });
    expect(asked).toHaveLength(1);
  });

  test('gives up after its patience, retryable, and goes on where it was', async () => {
    const world = new World();
    const { rotation, asked } = slow(world, 30_000);
    await expect(
      rotateForRevocation(subject, { ...world, rotation, patienceMs: 5_000 }),
    ).rejects.toMatchObject({
      code: 'RotationPending',
      retryable: true,
    });
    await world.runRotation(secretArn, token);
    expect(await rotateForRevocation(subject, { ...world, rotation })).toMatchObject({ newVersionId: token });
    expect(asked).toHaveLength(1);
  });

  test('names the version of the earlier rotation that stands in the way', async () => {
    const world = new World();
    world.store.begin(secretArn, 'leftover');
    world.rotationFailures = 100;
    await expect(rotateForRevocation(subject, world)).rejects.toThrow(
      'version leftover of an earlier rotation',
    );
    expect(world.rotations).toEqual([]);
  });

  test('an earlier rotation is brought to its end first; then this one begins without delay', async () => {
    const world = new World();
    const begun = world.clock.now().getTime();
    world.store.begin(secretArn, 'leftover');
    await rotateForRevocation(subject, world);
    expect(world.store.peek(secretArn, 'AWSPREVIOUS')?.versionId).toBe('leftover');
    expect(world.clock.now().getTime() - begun).toBeLessThanOrEqual(400);
  });

  test('a version that was current meanwhile counts as done', async () => {
    const world = new World();
    await rotateForRevocation(subject, world);
    world.store.begin(secretArn, 'later');
    await world.runRotation(secretArn, 'later');
    expect(await rotateForRevocation(subject, world)).toMatchObject({ newVersionId: token });
    expect(world.rotations).toEqual([token]);
  });

  test('a refusal counts only when the labels do not show an earlier try of the same step as done', async () => {
    const world = new World('leaked-password', [3]);
    world.begin(secretArn, token);
    await world.runRotation(secretArn, token);
    const rotation = { rotate: () => Promise.reject(new SecretError('RotationDisabled', 'used before')) };
    const dependencies = { ...world, store: world.seen, rotation };
    expect(await rotateForRevocation(subject, dependencies)).toMatchObject({ newVersionId: token });
    const other = new World();
    await expect(
      rotateForRevocation(subject, { ...other, store: other.seen, rotation }),
    ).rejects.toMatchObject({ code: 'RotationDisabled' });
  });

  test('a rotation whose step may take minutes is waited for as long, and not started over and over', async () => {
    const world = new World();
    const { rotation, asked } = slow(world, 110_000);
    const outcome = await rotateForRevocation({ ...subject, stepSeconds: 600 }, { ...world, rotation });
    expect(outcome).toMatchObject({ newVersionId: token });
    expect(world.clock.now().getTime() - Date.parse('2026-03-01T12:00:00Z')).toBeLessThan(113_000);
    expect(asked).toHaveLength(1);
    const stuck = new World();
    stuck.rotationFailures = 1_000;
    await expect(rotateForRevocation({ ...subject, stepSeconds: 600 }, stuck)).rejects.toMatchObject({
      code: 'RotationPending',
    });
    expect(stuck.clock.now().getTime() - Date.parse('2026-03-01T12:00:00Z')).toBeGreaterThan(590_000);
  });
});
