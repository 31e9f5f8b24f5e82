import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Strategy } from '../../core/secret/secret.ts';
import type { MysqlSecret } from '../../rotators/mysql/schema.ts';
import { blocksUsers, type MysqlUnderTest, notRun, start } from './drivers/mysql.ts';
import { availableTypes, failure } from './scene.ts';
import { worldOf } from './world.ts';

const described = availableTypes.includes('mysql') && blocksUsers ? describe : describe.skip;
const isMariaDb = notRun['dual-credential'] !== undefined;
const strategies = (['single-user', 'alternating-users', 'dual-credential'] as const).filter(
  (strategy) => notRun[strategy] === undefined,
);
let target: MysqlUnderTest;

/** A user that the server blocks after so many refused logins in a row, for a day or until somebody unblocks it. */
async function world(strategy: Strategy, attempts: number) {
  const made = await worldOf(target, strategy);
  if (isMariaDb) await target.superuser(`SET GLOBAL max_password_errors = ${attempts}`);
  else await target.superuser(limit(made.name, attempts));
  return made;
}
const limit = (user: string, attempts: number) =>
  `ALTER USER ${user} FAILED_LOGIN_ATTEMPTS ${attempts} PASSWORD_LOCK_TIME 1`;

/** Somebody changes the password at the server, and the secret keeps many that are no longer right. */
async function changedByHand({ scene, account, name }: Awaited<ReturnType<typeof world>>) {
  const password = 'set by a person at the server';
  await target.superuser(`ALTER USER ${name} IDENTIFIED BY '${password}'`);
  const stale = Array.from({ length: 8 }, (_, n) => ({ ...account.secret, password: `stale password ${n}` }));
  scene.versions.push(...(stale as never[]));
  return { ...account.secret, password } as MysqlSecret;
}

described(`${isMariaDb ? 'MariaDB' : 'MySQL'}, which counts refused logins of a user`, () => {
  beforeAll(async () => {
    target = await start();
  });
  afterEach(async () => {
    if (isMariaDb) await target.superuser('SET GLOBAL max_password_errors = 4294967295');
  });
  afterAll(() => target?.stop());

  test('blocks one in these tests, so that they prove something', async () => {
    const { account } = await world('single-user', 2);
    for (const _ of ['first', 'second']) {
      expect(await target.logsIn({ ...account.secret, password: 'no such password' })).toBe(false);
    }
    expect(await target.logsIn(account.secret)).toBe(false);
  });

  test.each(strategies)('%s: an ordinary rotation has none, nor has its repetition', async (strategy) => {
    const { scene, rotate, current } = await world(strategy, 1);
    for (const _ of ['there', 'and back', 'again']) {
      const before = current();
      const next = await scene.propose();
      await target.rotator.apply(next as never, scene.applyContext as never);
      if (strategy !== 'single-user') expect(await target.logsIn(before)).toBe(true);
      expect(await target.logsIn((await scene.rotate(next)) as never)).toBe(true);
    }
    expect(await target.logsIn(await rotate())).toBe(true);
    expect(scene.findings).toEqual([]);
  });

  test.each(strategies)('%s: the admin repairs a password that was changed by hand', async (strategy) => {
    const made = await world(strategy, 1);
    await changedByHand(made);
    expect(await target.logsIn(await made.rotate())).toBe(true);
    expect(made.codes()).toContain('CurrentCredentialRefused');
  });

  test.each(strategies)('%s: a user that the admin may not reset goes on working', async (strategy) => {
    const made = await world(strategy, 1);
    await target.superuser(`GRANT CREATE USER ON *.* TO ${made.name}`);
    const byHand = await changedByHand(made);
    expect((await failure(made.rotate())).code).toBe('CredentialUnusable');
    expect(await target.logsIn(byHand)).toBe(true);
  });

  test('without an admin few are risked, and the error says so', async () => {
    const made = await world('single-user', 4);
    made.scene.hasAdmin = false;
    const byHand = await changedByHand(made);
    const { code, message } = await failure(made.rotate());
    expect([code, message]).toEqual(['CredentialUnusable', expect.stringContaining('name an admin secret')]);
    expect(await target.logsIn(byHand)).toBe(true);
  });

  test.each(strategies)('%s: containing an older password has none', async (strategy) => {
    const made = await world(strategy, 1);
    const first = made.current();
    await made.rotate();
    if (strategy === 'alternating-users') await made.rotate();
    await made.scene.contain(first as never);
    expect(await target.logsIn(made.current())).toBe(true);
  });
});
