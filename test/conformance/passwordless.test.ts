import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type MysqlUnderTest, start as startMysql } from './drivers/mysql.ts';
import { type RedisUnderTest, start as startRedis } from './drivers/redis.ts';
import { availableTypes } from './scene.ts';
import { worldOf } from './world.ts';

/** Users whom everybody can be: the rotation that gives them a password shuts out whoever has none, and says so. */
const only = (type: (typeof availableTypes)[number]) => (availableTypes.includes(type) ? test : test.skip);
let mysql: MysqlUnderTest | undefined;
let redis: RedisUnderTest | undefined;
beforeAll(async () => {
  if (availableTypes.includes('mysql')) mysql = await startMysql();
  if (availableTypes.includes('redis')) redis = await startRedis();
});
afterAll(async () => {
  await mysql?.stop();
  await redis?.stop();
});

only('mysql').each(['single-user', 'alternating-users'] as const)(
  'mysql: an account with an empty password, %s',
  async (strategy) => {
    if (mysql === undefined) throw new Error('not started');
    const { name, clone, rotate, codes, scene } = await worldOf(mysql, strategy);
    await rotate();
    await rotate();
    scene.findings.length = 0;
    const open = strategy === 'single-user' ? name : clone;
    await mysql.superuser(`ALTER USER ${open} IDENTIFIED BY ''`);
    const next = await rotate();
    expect(next.username).toBe(open);
    expect(codes()).toContain('PasswordlessLogin');
    scene.findings.length = 0;
    await rotate();
    expect(codes()).toEqual([]);
  },
);

only('redis')('redis: a user with nopass', async () => {
  if (redis === undefined) throw new Error('not started');
  const { name, rotate, codes, scene } = await worldOf(redis, 'single-user');
  await redis.superuser(['ACL', 'SETUSER', name, 'nopass']);
  await rotate();
  expect(codes()).toContain('PasswordlessLogin');
  scene.findings.length = 0;
  await rotate();
  expect(codes()).toEqual([]);
});
