import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MysqlUnderTest, start } from './drivers/mysql.ts';
import { availableTypes } from './scene.ts';
import { worldOf } from './world.ts';

const described = availableTypes.includes('mysql') ? describe : describe.skip;

described('mysql: a pool that holds every connection of the user', () => {
  let target: MysqlUnderTest;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  /** @see https://dev.mysql.com/doc/refman/8.4/en/user-resources.html */
  test('keeps a login away, which the server says only after it has found the password right', async () => {
    const { name, scene, account } = await worldOf(target, 'single-user');
    await target.superuser(`ALTER USER ${name} WITH MAX_USER_CONNECTIONS 1`);
    const pool = await target.openSession(account.secret);
    try {
      const right = await target.rotator.probe(account.secret, scene.context);
      expect(right).toMatchObject({ outcome: 'unreachable', passwordAccepted: true });
      const wrong = await target.rotator.probe({ ...account.secret, password: 'wrong' }, scene.context);
      expect(wrong).toMatchObject({ outcome: 'rejected' });
      expect(wrong).not.toHaveProperty('passwordAccepted', true);
    } finally {
      await pool.close();
    }
  });
});
