import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeEach } from './each.ts';
import { failure, Scene, startTarget, stopTargets, type Target } from './scene.ts';

afterAll(stopTargets);

describeEach(({ type, strategy, issued }) => {
  let target: Target;
  let hasty: Target;
  beforeAll(async () => {
    target = await startTarget(type);
    hasty = {
      ...target,
      context: { ...target.context, connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
    };
  });

  test('every outage has its name, quotes no secret, takes no longer than allowed, and leaves the secret working', async () => {
    expect(target.outages.length).toBeGreaterThan(0);
    for (const outage of target.outages) {
      const world = new Scene(target, strategy, await target.createAccount());
      await world.rotate();
      const next = await world.propose();
      // Short only where it is what ends the wait; what is answered may take as long as a busy machine takes.
      if (outage.silent) world.target = hasty;
      await outage.begin();
      try {
        for (const work of [
          ...(issued ? [() => world.propose()] : []),
          () => target.rotator.apply(next, world.applyContext),
          () => world.contain(world.current),
          async () => {
            const result = await target.rotator.probe(next, world.context);
            expect([outage.name, result.outcome]).toEqual([outage.name, 'unreachable']);
            if ('error' in result) throw result.error;
          },
        ]) {
          const begun = performance.now();
          const { code, text } = await failure(work());
          expect([outage.name, code]).toEqual([outage.name, outage.code]);
          // Far below the limit that the others have: it was the short one that ended it.
          if (outage.silent) expect(performance.now() - begun).toBeLessThan(30_000);
          for (const secret of [...world.secrets, target.passwordOf(next)]) {
            expect(text.includes(secret)).toBe(false);
          }
        }
      } finally {
        await outage.end();
        world.target = target;
      }
      expect([outage.name, await target.logsIn(world.current)]).toEqual([outage.name, true]);
      expect([outage.name, await target.logsIn(await world.rotate(next))]).toEqual([outage.name, true]);
    }
  });

  test('a permission that the admin lacks is named, and nothing is changed', async () => {
    const missing = target.missingPermissions.filter(({ strategies }) => strategies.includes(strategy));
    expect(missing.length).toBeGreaterThan(0);
    for (const permission of missing) {
      const world = new Scene(target, strategy, await target.createAccount());
      await world.rotate();
      await permission.remove(world.account);
      const session = await target.openSession(world.current);
      const { code, message, text } = await failure(
        permission.act === 'apply' ? world.rotate() : world.contain(world.current),
      );
      expect([permission.name, code]).toEqual([permission.name, 'PermissionMissing']);
      expect(message).toContain(permission.names);
      for (const secret of world.secrets) expect(text.includes(secret)).toBe(false);
      await permission.restore?.();
      if (permission.act === 'apply') expect(await target.logsIn(world.current)).toBe(true);
      await session.close();
    }
  });
});
