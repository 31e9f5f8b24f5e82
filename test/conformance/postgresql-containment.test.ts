import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { Scene, type Target } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<PostgresUnderTest['ask']>[0];

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

const world = (
  strategy: 'single-user' | 'alternating-users',
  options?: Parameters<PostgresUnderTest['createAccount']>[0],
) => worldOf(target, strategy, options);

describe('containment while another rotation is between set and finish', () => {
  test.each([
    ['single-user', 0],
    ['alternating-users', 0],
    ['alternating-users', 1],
  ] as const)(
    '%s: leaves the LOGIN to the user that is about to be current (version %i)',
    async (strategy, at) => {
      const { scene, rotate, current } = await world(strategy);
      for (let version = 0; version < at; version += 1) await rotate();
      const leaked = current();
      const stolen = await target.openSession(leaked);
      await rotate();
      // Of the same user as the leaked one; that its password is set, no version tells yet.
      const next = (await scene.propose()) as unknown as Secret;
      expect(next.username).toBe(leaked.username);
      await target.rotator.apply(next, scene.applyContext as never);
      expect(await scene.contain(leaked as never, new Date())).toMatchObject({
        loginsRefused: true,
        sessionsEnded: 1,
      });
      expect(await stolen.alive()).toBe(false);
      expect(await target.logsIn(leaked)).toBe(false);
      expect(await target.logsIn(next)).toBe(true);
    },
  );
});

describe('containment with an admin secret that logs in as the leaked user', () => {
  test('does not take the LOGIN away, which nobody could give back, and says so', async () => {
    const { account, name } = await world('single-user');
    await target.superuser(`ALTER ROLE ${name} SUPERUSER`);
    const scene = new Scene(target as unknown as Target, 'single-user', {
      ...account,
      admin: account.secret,
    } as never);
    const session = await target.openSession(account.secret);
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
    await scene.rotate();
    expect(await target.logsIn(account.secret)).toBe(false);
  });
});

describe('containment without an admin', () => {
  test('ends the sessions of the user, and says that only a rotation ends new logins', async () => {
    const { scene, current } = await world('single-user');
    scene.hasAdmin = false;
    const session = await target.openSession(current());
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
    expect(await target.logsIn(current())).toBe(true);
  });

  test('works for an older password, with nothing but the current one', async () => {
    const { scene, current, rotate } = await world('single-user');
    scene.hasAdmin = false;
    const leaked = current();
    const stolen = await target.openSession(leaked);
    await rotate();
    expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
    expect(await stolen.alive()).toBe(false);
    expect(await target.logsIn(current())).toBe(true);
  });

  test('names a session that acts as another role by the user that logged in', async () => {
    const { scene, rotate } = await world('alternating-users');
    const clone = await rotate();
    const base = await rotate();
    const [stolen, application] = [await target.openSession(clone), await target.openSession(base)];
    expect(await scene.contain(clone as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
    expect([await stolen.alive(), await application.alive()]).toEqual([false, true]);
    await application.close();
  });
});

describe('when sessions of the leaked password use up all connections of the user', () => {
  test.each([true, false])('the admin ends them, the deployment names the user: %s', async (isAssigned) => {
    const { scene, name, current, rotate } = await world('single-user');
    scene.isAssigned = isAssigned;
    await target.superuser(`ALTER ROLE ${name} CONNECTION LIMIT 2`);
    const leaked = current();
    const sessions = [await target.openSession(leaked), await target.openSession(leaked)];
    const gone = async () =>
      (await Promise.all(sessions.map((session) => session.alive()))).every((alive) => !alive);
    try {
      expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 2 });
      expect(await gone()).toBe(true);
      // The same of an older password, when those sessions began before the rotation.
      await rotate();
      const held = [await target.openSession(current()), await target.openSession(current())];
      const { loginsRefused, sessionsEnded } = await scene.contain(leaked as never);
      expect({ loginsRefused, sessionsEnded }).toEqual({ loginsRefused: true, sessionsEnded: 2 });
      for (const session of held) await session.close();
      expect(await target.logsIn(current())).toBe(true);
    } finally {
      for (const session of sessions) await session.close();
    }
  });
});
