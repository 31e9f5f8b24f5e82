import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type MysqlUnderTest, notRun, start } from './drivers/mysql.ts';
import { availableTypes, failure } from './scene.ts';
import { worldOf } from './world.ts';

const described = availableTypes.includes('mysql') ? describe : describe.skip;
const mariadb = notRun['dual-credential'] !== undefined;
let target: MysqlUnderTest;

/**
 * Secrets with `"ssl": false`, and accounts or servers that demand TLS. They refuse the right password with 1045 before anybody
 * looks at it (https://mariadb.com/kb/en/securing-connections-for-client-and-server/#requiring-tls,
 * https://dev.mysql.com/doc/refman/8.4/en/create-user.html#create-user-tls). As the end of a revocation that would call dead what logs
 * in over TLS.
 */
described('mysql: without TLS', () => {
  const single = () => worldOf(target, 'single-user');
  let world: Awaited<ReturnType<typeof single>>;
  beforeAll(async () => {
    target = await start();
  });
  beforeEach(async () => {
    world = await single();
  });
  afterAll(() => target?.stop());

  const probed = async (password?: string) => {
    const secret = { ...world.account.secret, ssl: false, ...(password !== undefined && { password }) };
    return await target.rotator.probe(secret, world.scene.context);
  };
  const demandTls = () => target.superuser(`ALTER USER ${world.name} REQUIRE SSL`);

  test('a wrong password is proven wrong, whether or not the account demands TLS', async () => {
    expect(await probed('of nobody')).toMatchObject({ outcome: 'rejected' });
    await demandTls();
    expect(await probed('of nobody')).toMatchObject({ outcome: 'rejected' });
  });

  test('the right one of an account that demands TLS is not', async () => {
    expect(await probed()).toEqual({ outcome: 'accepted' });
    await demandTls();
    expect(await probed()).toMatchObject({
      outcome: 'unreachable',
      error: { message: expect.stringMatching(/TLS alone.+"ssl": false/) },
    });
  });

  test('nor is it where the server demands TLS', async () => {
    await target.superuser('SET GLOBAL require_secure_transport = ON');
    try {
      expect(await probed()).toMatchObject({
        outcome: 'unreachable',
        error: { message: expect.stringContaining('TLS') },
      });
    } finally {
      await target.superuser('SET GLOBAL require_secure_transport = OFF');
    }
  });

  test('a rotation without an admin says what is wrong', async () => {
    const { scene, account } = world;
    await demandTls();
    scene.versions.splice(0, 1, { ...account.secret, ssl: false } as never);
    scene.hasAdmin = false;
    expect((await failure(scene.rotate())).message).toMatch(/TLS alone.+"ssl": false/);
  });

  test.each(mariadb ? (['single-user'] as const) : (['single-user', 'dual-credential'] as const))(
    'an admin sets no password that no connection of the secret could use: %s',
    async (strategy) => {
      const { name, scene, account } = await worldOf(target, strategy);
      await target.superuser(`ALTER USER ${name} REQUIRE SSL`);
      scene.versions.splice(0, 1, { ...account.secret, ssl: false } as never);
      expect((await failure(scene.rotate())).message).toMatch(/TLS alone.+"ssl": false/);
      expect(await target.logsIn(account.secret)).toBe(true);
    },
  );

  test('users who take turns: neither is changed', async () => {
    const { name, scene, account, clone } = await worldOf(target, 'alternating-users');
    await target.superuser(`ALTER USER ${name} REQUIRE SSL`);
    scene.versions.splice(0, 1, { ...account.secret, ssl: false } as never);
    expect((await failure(scene.rotate())).message).toMatch(/TLS alone.+"ssl": false/);
    expect(await target.superuser(`SELECT 1 FROM mysql.user WHERE User = '${clone}'`)).toEqual([]);
  });

  test('a containment without an admin does not take the refusal for the end of a password', async () => {
    const { scene, account } = world;
    await demandTls();
    const leaked = { ...account.secret, ssl: false };
    scene.versions.splice(0, 1, leaked as never);
    scene.hasAdmin = false;
    const error = await failure(scene.contain(leaked as never));
    expect(error.message).toContain('TLS alone');
  });
});
