import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type MysqlUnderTest, notRun, start } from './drivers/mysql.ts';
import { availableTypes, failure } from './scene.ts';
import { worldOf } from './world.ts';

const described =
  availableTypes.includes('mysql') && notRun['dual-credential'] !== undefined ? describe : describe.skip;
let target: MysqlUnderTest;

const plugin = 'simple_password_check';

/** Accounts are made as the driver makes them, so the server judges only from then on. */
const world = async (strategy: 'single-user' | 'alternating-users') => {
  await target.superuser(`UNINSTALL SONAME IF EXISTS '${plugin}'`);
  const made = await worldOf(target, strategy);
  await target.superuser(`GRANT UPDATE ON mysql.* TO ${made.account.admin.username}`);
  await target.superuser(`INSTALL SONAME '${plugin}'`);
  return made;
};

described.each([
  ['and no binary log', false],
  ['and a binary log', true],
])('MariaDB with a plugin that validates passwords %s', (_name, binaryLog) => {
  beforeAll(async () => {
    target = await start({ binaryLog });
    await target.superuser('CREATE ROLE policy_reader');
  });
  afterEach(() => target.superuser(['SET GLOBAL general_log = ON', 'SET GLOBAL slow_query_log = OFF']));
  afterAll(() => target?.stop());

  test.each([
    ['single-user', 'with an admin'],
    ['single-user', 'without an admin'],
    ['alternating-users', 'with an admin'],
  ] as const)('%s %s rotates, and the password is in no log', async (strategy, who) => {
    const { scene, account, rotate, current } = await world(strategy);
    scene.hasAdmin = who === 'with an admin';
    await target.superuser([
      `GRANT policy_reader TO ${account.admin.username} WITH ADMIN OPTION`,
      `GRANT policy_reader TO ${account.secret.username}`,
      `SET DEFAULT ROLE policy_reader FOR ${account.secret.username}`,
      'SET GLOBAL slow_query_log_file = @@GLOBAL.general_log_file',
      'SET GLOBAL general_log = OFF',
      'SET GLOBAL slow_query_log = ON',
      'SET GLOBAL long_query_time = 0',
    ]);
    for (const _ of ['once', 'and back', 'again']) {
      const next = await rotate();
      expect(await target.logsIn(next)).toBe(true);
      const [role] = await target.ask(next, 'SELECT CURRENT_ROLE() AS role');
      expect(role).toEqual({ role: 'policy_reader' });
      expect(await target.readLog()).not.toContain(next.password);
    }
    const [row] = await target.superuser(
      `SELECT COUNT(*) AS accounts FROM mysql.user WHERE User LIKE '${account.secret.username}%'`,
    );
    expect(Number(row?.accounts)).toBe(strategy === 'single-user' ? 1 : 2);
    expect(await target.logsIn(current())).toBe(true);
  });

  test('a password that its rules refuse is named so, and the one after the correction is taken', async () => {
    const { scene, current, rotate } = await world('single-user');
    await target.superuser([
      'SET GLOBAL general_log = OFF',
      'SET GLOBAL simple_password_check_minimal_length = 200',
    ]);
    const { code, text } = await failure(scene.rotate());
    expect([code, text]).toEqual([
      'PolicyRefused',
      expect.stringMatching(/forbids to set .* \((1819|1396)\)/),
    ]);
    expect(await target.logsIn(current())).toBe(true);
    await target.superuser('SET GLOBAL simple_password_check_minimal_length = 8');
    expect(await target.logsIn(await rotate())).toBe(true);
  });

  test('the password does not go into a general log that is written', async () => {
    const { scene, current } = await world('single-user');
    const next = await scene.propose();
    const { code, text } = await failure(scene.rotate(next));
    expect([code, text]).toEqual([
      'PermissionMissing',
      expect.stringContaining('SET GLOBAL general_log = OFF'),
    ]);
    expect(await target.logsIn(current())).toBe(true);
    expect(await target.readLog()).not.toContain(target.passwordOf(next as never));
  });

  test('the password does not go into the binary log as it is', async () => {
    const { scene, account, current } = await world('single-user');
    await target.superuser([
      'SET GLOBAL general_log = OFF',
      `REVOKE UPDATE ON mysql.* FROM ${account.admin.username}`,
    ]);
    const next = await scene.propose();
    const outcome = await scene.rotate(next).then(
      () => 'rotated',
      (error: Error) => error.message,
    );
    expect(outcome).toEqual(
      binaryLog
        ? expect.stringContaining(`GRANT UPDATE ON mysql.* TO \`${account.admin.username}\``)
        : 'rotated',
    );
    expect(await target.logsIn(current())).toBe(true);
    expect(await target.readLog()).not.toContain(target.passwordOf(next as never));
  });

  test('a contained user is brought back', async () => {
    const { scene, account, current, rotate } = await world('single-user');
    await target.superuser('SET GLOBAL general_log = OFF');
    expect((await scene.contain(current() as never)).loginsRefused).toBe(true);
    expect(await target.logsIn(account.secret)).toBe(false);
    expect(await target.logsIn(await rotate())).toBe(true);
  });
});
