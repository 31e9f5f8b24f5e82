import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { worldOf } from './world.ts';

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

/**
 * CrunchyData and others advise pools as large as the limit. The server says 53300 of a role after it has seen the right password
 * (InitializeSessionUserId), and the admin makes the change: that the secret is the user's is proven (`LoginWithoutSession`, and
 * "a login that fails although the password is right proves as much" in rotators/families/assigned.ts).
 * https://www.postgresql.org/docs/current/sql-createrole.html (CONNECTION LIMIT)
 */
test('a pool that holds every connection of the user keeps no admin from rotating to the other user', async () => {
  const { name, account, rotate } = await worldOf(target, 'alternating-users');
  await target.superuser(`ALTER ROLE ${name} CONNECTION LIMIT 1`);
  const pool = await target.openSession(account.secret);
  try {
    const next = await rotate();
    expect(await target.logsIn(next)).toBe(true);
  } finally {
    await pool.close();
  }
});

/**
 * Users of AWS's functions for two users grant to both names (aws-samples/aws-secrets-manager-rotation-lambdas#38). The finding
 * says that `app` was not given what it was, "so neither may do it", at each rotation to the clone and for ever.
 */
describe('what both users were given is no finding', () => {
  test.each<[string, (name: string) => string[]]>([
    [
      'default privileges',
      (name) => [
        `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${name}, ${name}_clone`,
      ],
    ],
    [
      'a foreign server',
      (name) => [
        `CREATE FOREIGN DATA WRAPPER w_${name}`,
        `CREATE SERVER far_${name} FOREIGN DATA WRAPPER w_${name}`,
        `GRANT USAGE ON FOREIGN SERVER far_${name} TO ${name}, ${name}_clone`,
      ],
    ],
    [
      'a type',
      (name) => [
        `CREATE DOMAIN d_${name} AS int`,
        `REVOKE USAGE ON TYPE d_${name} FROM PUBLIC`,
        `GRANT USAGE ON TYPE d_${name} TO ${name}, ${name}_clone`,
      ],
    ],
    ['a parameter', (name) => [`GRANT SET ON PARAMETER log_min_messages TO ${name}, ${name}_clone`]],
    [
      'a large object',
      (name) => ['SELECT lo_create(4711)', `GRANT SELECT ON LARGE OBJECT 4711 TO ${name}, ${name}_clone`],
    ],
  ])('%s', async (kind, statements) => {
    const [shown] = await target.superuser('SHOW server_version_num');
    if (kind === 'a parameter' && Number(shown?.server_version_num) < 150_000) return;
    const { name, rotate, scene } = await worldOf(target, 'alternating-users');
    await rotate();
    await rotate();
    expect(scene.findings).toEqual([]);
    await target.superuser(statements(name), 'shop');
    await rotate();
    expect(scene.findings).toEqual([]);
  });
});

/**
 * https://www.postgresql.org/docs/17/runtime-config-client.html#GUC-TRANSACTION-TIMEOUT. What Rekey asks of a server must not depend on the
 * defaults of the role that it logs in as: `statement_timeout` and `lock_timeout` are its own, this one of version 17 is the role's.
 */
test('a limit of time for transactions that the admin brings ends no rotation', async () => {
  const [shown] = await target.superuser('SHOW server_version_num');
  if (Number(shown?.server_version_num) < 170_000) return;
  const { account, rotate, scene } = await worldOf(target, 'alternating-users');
  await target.superuser(`ALTER ROLE ${account.admin.username} SET transaction_timeout = '15ms'`);
  const next = await rotate();
  expect(await target.logsIn(next)).toBe(true);
  expect(scene.findings).toEqual([]);
});
