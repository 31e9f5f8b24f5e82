import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { blocksUsers, type MysqlUnderTest, notRun, start } from './drivers/mysql.ts';
import { availableTypes, failure } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<MysqlUnderTest['ask']>[0];

const onMysql = notRun['dual-credential'] === undefined;
const described = availableTypes.includes('mysql') ? describe : describe.skip;
let target: MysqlUnderTest;

const world = () => worldOf(target, 'dual-credential');
const retire = async (old: Secret, { scene }: Awaited<ReturnType<typeof world>>) =>
  await target.rotator.retire(old, {
    ...scene.applyContext,
    act: 'remove',
    announce: async () => undefined,
  } as never);
/** Whether each of the passwords logs in. */
const login = (...secrets: readonly Secret[]) => Promise.all(secrets.map((secret) => target.logsIn(secret)));

described('two passwords of one user of MySQL', () => {
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  if (!onMysql) {
    test('are refused on MariaDB, which has no such thing, before anything is changed', async () => {
      const { scene, current } = await world();
      const { code, message } = await failure(scene.rotate());
      expect([code, message]).toEqual([
        'StrategyUnsupported',
        expect.stringMatching(
          /needs MySQL 8\.0\.14 or later, this is MariaDB \d+\.\d+\.\d+; use alternating-users/,
        ),
      ]);
      expect(await login(current())).toEqual([true]);
    });
    return;
  }

  describe.each(['single-user', 'alternating-users', 'dual-credential'] as const)(
    '%s, where no password gets in',
    (strategy) => {
      test('one that has expired is replaced by the admin, and counts as the user’s own', async () => {
        const { scene, rotate, name, current } = await worldOf(target, strategy);
        await target.superuser(`ALTER USER ${name} PASSWORD EXPIRE`);
        expect(await login(current())).toEqual([false]);
        await rotate();
        expect(await login(current())).toEqual([true]);
        expect(scene.findings.map(({ code }) => code)).not.toContain('CurrentCredentialRefused');
      });

      const tested = blocksUsers ? test : test.skip;
      tested('a user that too many wrong passwords have blocked is unblocked by the admin', async () => {
        const { rotate, name, current } = await worldOf(target, strategy);
        await target.superuser(`ALTER USER ${name} FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME UNBOUNDED`);
        const wrong = { ...current(), password: 'a wrong password' };
        expect(await login(wrong)).toEqual([false]);
        expect(await login(wrong)).toEqual([false]);
        expect(await login(current())).toEqual([false]);
        await rotate();
        expect(await login(current())).toEqual([true]);
      });
    },
  );

  test('are the next and the current one at every host, with the account as it was', async () => {
    const { rotate, current, name } = await world();
    const first = current();
    await target.superuser([
      `CREATE USER '${name}'@'localhost' IDENTIFIED BY '${first.password}' REQUIRE SSL WITH MAX_USER_CONNECTIONS 9`,
      `GRANT SELECT ON shop.* TO '${name}'@'localhost'`,
    ]);
    const accounts = () =>
      target.superuser(
        `SELECT Host AS host, plugin, ssl_type AS tls, max_user_connections AS sessions,
           JSON_CONTAINS_PATH(IFNULL(User_attributes, '{}'), 'one', '$.additional_password') AS second
         FROM mysql.user WHERE User = '${name}' ORDER BY Host`,
      );
    const before = await accounts();
    const second = await rotate();
    expect(await login(first, second)).toEqual([true, true]);
    expect(await accounts()).toEqual(before.map((account) => ({ ...account, second: 1 })));
    const third = await rotate();
    expect(await login(first, second, third)).toEqual([false, true, true]);
  });

  test('are set once: what logs in already is not touched again', async () => {
    const { scene, rotate } = await world();
    await rotate();
    const next = (await scene.propose()) as unknown as Secret;
    const changes = async () => (await target.readLog()).split(`ALTER USER '${next.username}'`).length;
    const before = await changes();
    await target.rotator.apply(next, scene.applyContext as never);
    const after = await changes();
    expect(after).toBeGreaterThan(before);
    await target.rotator.apply(next, scene.applyContext as never);
    expect(await changes()).toBe(after);
  });

  test('lose what a given up rotation has left, and never the current one', async () => {
    const { rotate, scene, current } = await world();
    const first = current();
    const abandoned = (await scene.propose()) as unknown as Secret;
    await target.rotator.apply(abandoned, scene.applyContext as never);
    const second = await rotate();
    expect(await login(first, abandoned, second)).toEqual([true, false, true]);
  });

  test('become one when the overlap ends: the current one; twice is once', async () => {
    const of = await world();
    const first = of.current();
    expect(await retire(first, of)).toEqual({ done: 'nothing' });
    const second = await of.rotate();
    expect(await retire(first, of)).toEqual({ done: 'removed' });
    expect(await login(first, second)).toEqual([false, true]);
    expect(await retire(first, of)).toEqual({ done: 'nothing' });
    expect(await login(second)).toEqual([true]);
  });

  test('become one also where somebody has turned the two round by hand', async () => {
    const of = await world();
    const { name } = of;
    const first = of.current();
    const second = await of.rotate();
    await target.superuser(`ALTER USER '${name}' IDENTIFIED BY '${first.password}' RETAIN CURRENT PASSWORD`);
    expect(await login(first, second)).toEqual([true, true]);
    expect(await retire(first, of)).toEqual({ done: 'removed' });
    expect(await login(first, second)).toEqual([false, true]);
  });

  test('stay when the old one is the only one that is left', async () => {
    const of = await world();
    const first = of.current();
    await of.rotate();
    await of.scene.contain(of.scene.current);
    expect(await login(first, of.current())).toEqual([true, false]);
    expect(await retire(first, of)).toEqual({ done: 'nothing' });
    expect(await login(first)).toEqual([true]);
  });

  test('one leaked: it alone goes, the other and its sessions come back', async () => {
    for (const leak of ['current', 'previous'] as const) {
      const { rotate, scene, current } = await world();
      const first = current();
      const second = await rotate();
      const [leaked, kept] = leak === 'current' ? [second, first] : [first, second];
      const session = await target.openSession(leaked);
      expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
      expect(await session.alive()).toBe(false);
      expect([leak, ...(await login(leaked, kept))]).toEqual([leak, false, true]);
      const third = await rotate();
      expect([leak, ...(await login(leaked, third))]).toEqual([leak, false, true]);
    }
  });

  test('both leaked: the second is the last one, and is locked', async () => {
    const { rotate, scene, current } = await world();
    const first = current();
    const second = await rotate();
    expect(await scene.contain(second as never)).toMatchObject({ loginsRefused: true });
    expect(await scene.contain(first as never)).toMatchObject({ loginsRefused: true });
    expect(await login(first, second)).toEqual([false, false]);
    const third = await rotate();
    expect(await login(first, second, third)).toEqual([false, false, true]);
  });

  test('the current one leaked while the next is being set: the next stays', async () => {
    const { rotate, scene, current } = await world();
    await rotate();
    const leaked = current();
    const next = (await scene.propose()) as unknown as Secret;
    await target.rotator.apply(next, scene.applyContext as never);
    expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true });
    expect(await login(leaked, next)).toEqual([false, true]);
  });

  test('an account that forbids to use a password again is named, with the way out', async () => {
    const { rotate, scene, current, name } = await world();
    await target.superuser(`ALTER USER '${name}' PASSWORD HISTORY 5`);
    const first = current();
    const second = await rotate();
    const { message } = await failure(scene.rotate());
    expect(message).toContain('PASSWORD HISTORY 0');
    expect(await login(first, second)).toEqual([true, true]);
  });

  test('need an admin', async () => {
    const { scene } = await world();
    scene.hasAdmin = false;
    expect((await failure(scene.rotate())).code).toBe('AdminSecretMissing');
  });
});
