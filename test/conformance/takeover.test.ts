import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pairOf } from '../../core/secret/alternating-users.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { describeEach } from './each.ts';
import { failure, Scene, startTarget, stopTargets, type Target } from './scene.ts';

/** Whoever may write a secret can name any user of the server in it; the admin of the secret must not act for that one. */

afterAll(stopTargets);

describeEach(({ type, strategy }) => {
  const { usersByAdmin }: SecretTypeDescriptor = registry[type];
  if (!usersByAdmin) {
    test('has no admin that acts for users whom its secrets name', () => {
      expect(usersByAdmin).toBeUndefined();
    });
    return;
  }
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(type);
  });

  /** A secret of a user of its own, whose JSON somebody has rewritten; the deployment says nothing of it. */
  const tampered = async (more: Record<string, unknown> = {}) => {
    const [own, victim] = [await target.createAccount(), await target.createAccount()];
    // The admin of the secret could change the other user: that is what it must not do.
    const world = new Scene(target, strategy, { secret: own.secret, admin: victim.admin });
    world.isAssigned = false;
    const guess = target.withPassword(victim.secret, 'a guess of the writer');
    world.versions.unshift({ ...own.secret, ...guess, ...more });
    return { world, own, victim: victim.secret };
  };

  test('a user as whom no version logs in keeps its password, and the error names the line to add', async () => {
    const { world, victim } = await tampered();
    const { code, message } = await failure(world.rotate());
    expect(code).toBe('CredentialUnusable');
    expect(message).toContain(`identity: { username: ${JSON.stringify(victim.username).slice(0, -1)}`);
    expect(await target.logsIn(victim)).toBe(true);
    expect(world.findings.map(({ code: finding }) => finding)).not.toContain('LoginRestored');
  });

  test('neither its login nor its sessions end with a revocation of that secret', async () => {
    const { world, own, victim } = await tampered();
    const session = await target.openSession(victim);
    try {
      const { loginsRefused, sessionsEnded, note } = await world.contain(world.current);
      expect({ loginsRefused, sessionsEnded }).toEqual({ loginsRefused: true, sessionsEnded: 0 });
      expect(note).toContain('identity:');
      expect(await session.alive()).toBe(true);
      expect(await target.logsIn(victim)).toBe(true);
      // What really is of the secret is cut off all the same.
      const tamperedOwn = new Scene(target, strategy, own);
      tamperedOwn.isAssigned = false;
      tamperedOwn.versions.unshift(world.current);
      await tamperedOwn.contain(own.secret);
      await tamperedOwn.contain(own.secret);
      expect(await target.logsIn(own.secret)).toBe(false);
    } finally {
      await session.close();
    }
  });

  test('what the deployment names is repaired by the admin', async () => {
    const { world, victim } = await tampered();
    world.isAssigned = true;
    const next = await world.rotate();
    expect(await target.logsIn(next)).toBe(true);
    expect(pairOf(String(next.username)).base).toBe(pairOf(String(victim.username)).base);
  });

  describe('of a secret that the deployment says nothing of', () => {
    const plain = async () => {
      const world = new Scene(target, strategy, await target.createAccount());
      world.isAssigned = false;
      return world;
    };

    test('a credential that was cut off is replaced by the next rotation', async () => {
      const world = await plain();
      const leaked = world.current;
      await world.contain(leaked);
      await world.contain(leaked);
      expect(await target.logsIn(await world.rotate())).toBe(true);
      expect(await target.logsIn(leaked)).toBe(strategy === 'alternating-users' && type === 'redshift');
      await world.contain(leaked, new Date());
      expect(await target.logsIn(leaked)).toBe(false);
      expect(await target.logsIn(world.current)).toBe(true);
    });

    if (strategy === 'alternating-users') {
      test('the one of the pair that logs in is proof for the other, whose sessions end', async () => {
        const world = await plain();
        const first = world.current;
        const second = await world.rotate();
        await world.rotate();
        const session = await target.openSession(world.current);
        try {
          // The password of the user without the suffix was changed by hand; the session began before.
          const lost = target.withPassword(world.current, 'nobody has this one');
          world.versions.splice(0, world.versions.length, second, lost);
          const { loginsRefused } = await world.contain(lost);
          expect([loginsRefused, await session.alive()]).toEqual([true, false]);
          expect(await target.logsIn(second)).toBe(true);
          expect(first.username).toBe(lost.username);
        } finally {
          await session.close();
        }
      });
    }

    test('a password that was changed back to an older version is proof enough', async () => {
      const world = await plain();
      const first = await world.rotate();
      await world.rotate();
      await world.rotate();
      world.versions.unshift(target.withPassword(world.current, 'nobody has this one'));
      world.versions.push(first);
      expect(await target.logsIn(await world.rotate())).toBe(true);
    });
  });
});
