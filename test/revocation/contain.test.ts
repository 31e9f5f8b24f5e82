import { describe, expect, test } from '@jest/globals';
import { containLeaks, verifyLeaks } from '../../lambdas/revocation/contain.ts';
import type { ContainmentInput } from '../../lambdas/revocation/state.ts';
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

/** A secret with old versions that have lost their labels. */
async function aged(passwords: readonly string[]): Promise<World> {
  const world = new World();
  for (const [index, password] of passwords.entries()) {
    world.store.begin(secretArn, `old${index}`);
    await world.store.putPending(secretArn, `old${index}`, JSON.stringify({ username: 'app', password }));
    world.store.removePending(secretArn);
  }
  return world;
}

describe('cutting off', () => {
  test('the credential in use comes first; forgotten ones of the same login that are refused cost a login only', async () => {
    const world = await aged(['a', 'b', 'c']);
    const { containments, refusedAt } = await containLeaks(
      input(['old0', 'old1', 'old2', 'v1']),
      world.containment(),
    );
    expect(world.target.contained).toEqual(['leaked-password']);
    expect(containments).toEqual([
      { versionIds: ['v1'], identity: 'app', loginsRefused: true, sessionsEnded: 2 },
      {
        versionIds: ['old0', 'old1', 'old2'],
        identity: 'app',
        loginsRefused: true,
        sessionsEnded: 0,
        note: 'refused already',
      },
    ]);
    expect(refusedAt).toBe('2026-03-01T12:00:00.000Z');
  });

  test('versions with the same value are one credential', async () => {
    const world = await aged(['leaked-password']);
    const { containments } = await containLeaks(input(['old0', 'v1']), world.containment());
    expect(containments).toEqual([expect.objectContaining({ versionIds: ['v1', 'old0'] })]);
    expect(world.target.contained).toHaveLength(1);
  });

  test('one that cannot be cut off does not keep the others from it, and the error is thrown afterwards', async () => {
    const world = new World();
    world.store.begin(secretArn, 'v9');
    await world.store.putPending(secretArn, 'v9', JSON.stringify({ username: 'second', password: 'x' }));
    world.target.users.set('second', { password: 'x', mayLogIn: true, sessions: 1 });
    const contain = world.rotator.contain;
    world.rotator.contain = async (leaked, context) => {
      if (leaked.username === 'app') {
        throw Object.assign(new Error('SELECT s3cret'), { name: 'DriverError' });
      }
      return contain(leaked, context);
    };
    await expect(containLeaks(input(['v1', 'v9']), world.containment())).rejects.toThrow();
    expect(world.target.users.get('second')?.mayLogIn).toBe(false);
    const recorded = JSON.stringify(world.bus.events);
    expect(recorded).toContain('unexpected DriverError');
    expect(recorded).not.toContain('s3cret');
  });

  test('a target that does not do what it says leaves no time of refusal', async () => {
    const world = new World();
    world.target.stubborn = true;
    const { refusedAt } = await containLeaks(input(['v1']), world.containment());
    expect(refusedAt).toBeUndefined();
  });
});

describe('the proof', () => {
  const verify = (world: World, versions: readonly string[], named = false) =>
    verifyLeaks(input(versions, { action: 'verify', named }), world.containment());

  test('a revoked version that is still current is none', async () => {
    await expect(verify(new World(), ['v1'])).rejects.toMatchObject({
      code: 'RevocationUnproven',
      message: expect.stringContaining('still the current one'),
    });
  });

  test('a target that does not answer is none, and may be asked again', async () => {
    const world = await aged(['a']);
    world.target.unreachable = 1;
    await expect(verify(world, ['old0'])).rejects.toMatchObject({
      code: 'TargetUnreachable',
      retryable: true,
    });
    expect(await verify(world, ['old0'])).toMatchObject({
      verifications: [{ versionId: 'old0', identity: 'app', outcome: 'rejected' }],
    });
  });

  test('a current credential that is refused is none: nobody must be locked out', async () => {
    const world = await aged(['a']);
    world.target.users.set('app', { password: 'changed-by-hand', mayLogIn: true, sessions: 0 });
    await expect(verify(world, ['old0'])).rejects.toMatchObject({
      code: 'RevocationUnproven',
      message: expect.stringContaining('refuses the current credential'),
    });
  });

  test('what nobody can be asked about neither proves nor disproves', async () => {
    const world = await aged(['a']);
    world.target.nobody = 'the consumers decide';
    expect(await verify(world, ['old0'])).toEqual({
      verifications: [
        { versionId: 'old0', identity: 'app', outcome: 'unverifiable', note: 'the consumers decide' },
      ],
      unavailableVersions: [],
      current: 'unverifiable',
      note: 'the consumers decide',
    });
    const { containments, refusedAt } = await containLeaks(input(['old0', 'v1']), world.containment());
    expect(containments.map(({ loginsRefused }) => loginsRefused)).toEqual([false, false]);
    expect(refusedAt).toBeUndefined();
  });

  test('a current version that holds the leaked value is none, whoever could be asked', async () => {
    const world = await aged(['leaked-password']);
    world.target.nobody = 'the consumers decide';
    await expect(verify(world, ['old0'])).rejects.toMatchObject({
      code: 'RevocationUnproven',
      message: expect.stringContaining('the rotation changed nothing'),
    });
  });

  test('nothing that could be tried is none', async () => {
    await expect(verify(new World(), ['gone'])).rejects.toMatchObject({ code: 'RevocationUnproven' });
  });
});
