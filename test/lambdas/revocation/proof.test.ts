import { describe, expect, test } from '@jest/globals';
import type { ContainmentInput } from '../../../core/deployed/revocation-state.ts';
import { containLeaks, verifyLeaks } from '../../../lambdas/revocation/contain.ts';
import { report } from '../../../lambdas/revocation/report.ts';
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

describe('a report', () => {
  const state = (verified: object) => ({
    requestId,
    requestDigest: 'd',
    correlationId: 'c',
    secretArn,
    secretName: 'orders',
    mode: 'kill',
    named: false,
    versions: ['v1'],
    consumers: [],
    containmentFunction: 'containment',
    requestedAt: '2026-03-01T11:59:00.000Z',
    rotated: {
      newVersionId: 'new',
      rotatedAt: '2026-03-01T11:59:30.000Z',
      containmentFunction: 'containment',
      lookups: 1,
    },
    swept: { value: { containments: [] } },
    verified: {
      value: {
        verifications: [{ versionId: 'v1', identity: 'app', outcome: 'rejected' }],
        unavailableVersions: [],
        current: 'accepted',
        ...verified,
      },
    },
  });
  const reported = async (verified: object) => {
    const world = new World();
    const result = await report(state(verified), { bus: world.bus, origin: world.origin() });
    return { outcome: result.outcome, published: world.published() };
  };

  test('without a time of refusal is of no success, though the current credential works', async () => {
    expect(await reported({})).toEqual({ outcome: 'unproven', published: ['Secret Revocation Unproven'] });
  });

  test('with one is of none while nobody could be asked about the current credential', async () => {
    const refusedAt = '2026-03-01T11:59:31.000Z';
    expect(await reported({ refusedAt, current: 'unverifiable' })).toMatchObject({ outcome: 'unproven' });
    expect(await reported({ refusedAt })).toEqual({
      outcome: 'succeeded',
      published: ['Secret Revocation Succeeded'],
    });
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
