import { describe, expect, test } from '@jest/globals';
import type { ContainmentInput } from '../../../core/deployed/revocation-state.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { requestId, secretArn, World } from './world.ts';

const input = (versions: readonly string[], change: Partial<ContainmentInput> = {}): ContainmentInput => ({
  action: 'contain',
  requestId,
  correlationId: 'c',
  secretArn,
  secretName: 'orders',
  versions: [...versions],
  named: false,
  ...change,
});

/** A secret whose leaked versions are of two users: `app` in `v1`, and `second` in `v0`. */
async function twoUsers(): Promise<World> {
  const world = new World();
  world.store.begin(secretArn, 'v0');
  await world.store.putPending(secretArn, 'v0', JSON.stringify({ username: 'second', password: 'x' }));
  world.store.removePending(secretArn);
  world.target.users.set('second', { password: 'x', mayLogIn: true, sessions: 0 });
  return world;
}

describe('the time of refusal', () => {
  test('is not told while one of several leaks still works', async () => {
    const world = await twoUsers();
    const dependencies = world.containment();
    const rotator = {
      ...world.rotator,
      contain: async (...[leaked, context]: Parameters<typeof world.rotator.contain>) =>
        leaked.username === 'second'
          ? { loginsRefused: false, sessionsEnded: 0, note: 'not permitted' }
          : await world.rotator.contain(leaked, context),
    };
    const { containments, refusedAt } = await containLeaks(input(['v0', 'v1']), { ...dependencies, rotator });
    expect(containments.map(({ loginsRefused }) => loginsRefused).sort()).toEqual([false, true]);
    expect(refusedAt).toBeUndefined();
  });

  test('is told once both are refused', async () => {
    const world = await twoUsers();
    const { refusedAt } = await containLeaks(input(['v0', 'v1']), world.containment());
    expect(refusedAt).toBe('2026-03-01T12:00:00.000Z');
  });

  test('is left to the proof where the rotation was before', async () => {
    const world = new World();
    world.store.begin(secretArn, 'new');
    await world.runRotation(secretArn, 'new');
    const outcome = await containLeaks(input(['v1'], { newVersionId: 'new' }), world.containment());
    expect(outcome).toEqual({ containments: [expect.objectContaining({ versionIds: ['v1'] })] });
  });

  test('is no part of a proof in which nobody could be asked about one of several leaks', async () => {
    const world = await twoUsers();
    world.store.begin(secretArn, 'new');
    await world.runRotation(secretArn, 'new');
    const rotator = {
      ...world.rotator,
      probe: async (...[credential, context]: Parameters<typeof world.rotator.probe>) =>
        credential.username === 'second'
          ? { outcome: 'unverifiable' as const, note: 'the consumers decide' }
          : await world.rotator.probe(credential, context),
    };
    const verified = await verifyLeaks(input(['v0', 'v1'], { action: 'verify', newVersionId: 'new' }), {
      ...world.containment(),
      rotator,
    });
    expect(new Map(verified.verifications.map(({ versionId, outcome }) => [versionId, outcome]))).toEqual(
      new Map([
        ['v1', 'rejected'],
        ['v0', 'unverifiable'],
      ]),
    );
    expect(verified.current).toBe('accepted');
    expect(verified.refusedAt).toBeUndefined();
  });
});

describe('a proof', () => {
  const verify = (world: World, versions: readonly string[], change: Partial<ContainmentInput> = {}) =>
    verifyLeaks(input(versions, { action: 'verify', ...change }), world.containment());

  test('names the user and the versions of a credential that still works', async () => {
    const world = await twoUsers();
    await expect(verify(world, ['v0'])).rejects.toThrow(
      'the target still accepts the credential of second in version v0 of orders',
    );
  });

  test('is given though the version that the rotation made is among those that were named', async () => {
    const world = new World();
    world.store.begin(secretArn, 'new');
    await world.runRotation(secretArn, 'new');
    const change = { named: true, newVersionId: 'new' };
    expect(await verify(world, ['v1', 'new'], change)).toStrictEqual({
      verifications: [{ versionId: 'v1', identity: 'app', outcome: 'rejected' }],
      unavailableVersions: [],
      current: 'accepted',
      refusedAt: '2026-03-01T12:00:00.000Z',
    });
  });

  test('waits for the first rotation of a secret whose value no target was told', async () => {
    const world = new World();
    world.store.create(secretArn, JSON.stringify({ password: 'the first value' }));
    await expect(verify(world, ['gone'])).rejects.toThrow(
      'orders holds its first value, which no target was told: there is nothing to prove before it has rotated',
    );
  });

  test('says what is wrong with the current version where nothing that leaked is kept', async () => {
    const world = new World();
    world.store.create(secretArn, 'no JSON');
    await expect(verify(world, ['gone'])).rejects.toMatchObject({ code: 'SecretValueInvalid' });
  });
});

describe('a containment', () => {
  test('announces what the rotator found, after what was done', async () => {
    const world = new World();
    const rotator = {
      ...world.rotator,
      contain: async (...[leaked, context]: Parameters<typeof world.rotator.contain>) => {
        context.finding({ code: 'PlaintextConnection', message: 'without TLS' });
        return await world.rotator.contain(leaked, context);
      },
    };
    await containLeaks(input(['v1']), { ...world.containment(), rotator });
    expect(world.published()).toEqual(['Credential Contained', 'Finding Raised']);
    expect(world.bus.events[1]?.detail).toMatchObject({
      metadata: { correlationId: 'c', causationId: requestId },
      data: { secretArn, code: 'PlaintextConnection', message: 'without TLS' },
    });
  });

  test('tells the rotator when the secret was rotated, and nothing where it was not', async () => {
    const told: unknown[] = [];
    for (const change of [{}, { rotatedAt: '2026-03-01T11:59:30.000Z' }]) {
      const world = new World();
      const rotator = {
        ...world.rotator,
        contain: async (...[leaked, context]: Parameters<typeof world.rotator.contain>) => {
          told.push('rotatedAt' in context ? context.rotatedAt : 'nothing');
          return await world.rotator.contain(leaked, context);
        },
      };
      await containLeaks(input(['v1'], change), { ...world.containment(), rotator });
    }
    expect(told).toEqual(['nothing', new Date('2026-03-01T11:59:30.000Z')]);
  });
});
