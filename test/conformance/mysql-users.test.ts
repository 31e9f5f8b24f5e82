import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { blocksUsers, type MysqlUnderTest, notRun, start } from './drivers/mysql.ts';
import { availableTypes } from './scene.ts';
import { worldOf } from './world.ts';

const described = availableTypes.includes('mysql') ? describe : describe.skip;
const isMariadb = notRun['dual-credential'] !== undefined;
const onMariadb = isMariadb ? test : test.skip;
const onMysql = isMariadb ? test.skip : test;
const strategies = isMariadb ? (['single-user'] as const) : (['single-user', 'dual-credential'] as const);
let target: MysqlUnderTest;

const created = async (user: string): Promise<string> => {
  const [row] = await target.superuser(`SHOW CREATE USER ${user}`);
  return String(Object.values(row ?? {})[0]);
};

described('users of mysql', () => {
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  /**
   * https://mariadb.com/kb/en/user-password-expiry/, https://dev.mysql.com/doc/refman/8.4/en/password-management.html#password-expiration-policy:
   * service accounts are exempt from `default_password_lifetime` by EXPIRE NEVER. Their clones follow the default, and expire
   * between two rotations: the application is refused with 1862 every other time (B02's kind).
   */
  test.each([
    ['never', 'PASSWORD EXPIRE NEVER'],
    ['after some days', 'PASSWORD EXPIRE INTERVAL 120 DAY'],
  ])('the password of the clone expires as that of its user: %s', async (_name, clause) => {
    const { name, clone, rotate, codes } = await worldOf(target, 'alternating-users');
    await target.superuser(`ALTER USER ${name} ${clause}`);
    await rotate();
    expect(codes()).toEqual([]);
    expect(await created(name)).toContain(clause);
    expect(await created(clone)).toContain(clause);
  });

  /** https://dev.mysql.com/doc/refman/8.4/en/password-management.html */
  onMysql.each([
    'PASSWORD HISTORY 3',
    'PASSWORD REUSE INTERVAL 30 DAY',
    'PASSWORD REQUIRE CURRENT OPTIONAL',
    'PASSWORD REQUIRE CURRENT',
    ...(blocksUsers ? ['FAILED_LOGIN_ATTEMPTS 4 PASSWORD_LOCK_TIME UNBOUNDED'] : []),
  ])('the clone gets the rules for passwords, and loses them: %s', async (clause) => {
    const { name, clone, rotate } = await worldOf(target, 'alternating-users');
    const before = await created(name);
    await target.superuser(`ALTER USER ${name} ${clause}`);
    await rotate();
    expect(await created(clone)).toMatch(new RegExp(`${clause}( |$)`));
    await target.superuser(
      `ALTER USER ${name} PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT DEFAULT` +
        (blocksUsers ? ' FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0' : ''),
    );
    await rotate();
    await rotate();
    const plain = (text: string) => text.slice(text.lastIndexOf('PASSWORD EXPIRE'));
    expect(plain(await created(clone))).toBe(plain(before));
  });

  /**
   * https://mariadb.com/kb/en/set-default-role/: the default role stays where the role itself was revoked; the user logs in and has none. The
   * clone is to have the same, that is none, or a finding says what was not copied: a rotation that never succeeds is worse.
   */
  onMariadb('a default role that was revoked keeps nothing from rotating', async () => {
    const { name, account, rotate } = await worldOf(target, 'alternating-users');
    await target.superuser([
      'CREATE OR REPLACE ROLE was_granted',
      `GRANT was_granted TO ${name}`,
      `SET DEFAULT ROLE was_granted FOR ${name}`,
      `REVOKE was_granted FROM ${name}`,
    ]);
    expect(await target.logsIn(account.secret)).toBe(true);
    expect(await target.logsIn(await rotate())).toBe(true);
  });

  /** https://mariadb.com/kb/en/create-package/, https://mariadb.com/kb/en/grant/: packages exist in `sql_mode = ORACLE`, and SHOW GRANTS lists them in any. */
  onMariadb('what is granted on a package goes to the clone, or is a finding', async () => {
    const { name, rotate, account } = await worldOf(target, 'alternating-users');
    await target.superuser([
      "SET sql_mode = 'ORACLE'",
      'CREATE OR REPLACE PACKAGE shop.prices AS FUNCTION net() RETURN INT; END',
      `GRANT EXECUTE ON PACKAGE shop.prices TO ${name}`,
      `GRANT EXECUTE ON PACKAGE shop.prices TO ${account.admin.username} WITH GRANT OPTION`,
    ]);
    expect(await target.logsIn(await rotate())).toBe(true);
  });

  /**
   * aws-samples/aws-secrets-manager-rotation-lambdas#101, #112: users with several hosts, "different passwords" among them. An account whose password no version of
   * the secret has ever held is somebody else's login: the server's hashes, which Rekey has read, tell that. It is left, or a finding says who is
   * locked out now.
   */
  test.each(strategies)(
    'an account of the same name at another host, with a password of its own, stays, with a finding: %s',
    async (strategy) => {
      const { name, rotate, codes } = await worldOf(target, strategy);
      await target.superuser(`CREATE USER ${name}@'10.9.%' IDENTIFIED BY 'of another service'`);
      const kept = async (host: string) =>
        (
          await target.superuser(
            `SELECT authentication_string AS kept FROM mysql.user WHERE User = '${name}' AND Host = '${host}'`,
          )
        )[0]?.kept;
      const [foreign, own] = [await kept('10.9.%'), await kept('%')];
      expect(await target.logsIn(await rotate())).toBe(true);
      expect(codes()).toEqual(['AccountNotRotated']);
      expect(await target.logsIn(await rotate())).toBe(true);
      expect(await kept('10.9.%')).toEqual(foreign);
      expect(await kept('%')).not.toEqual(own);
    },
  );

  test('nor does it lend what it may do to the other user of the pair', async () => {
    const { name, clone, rotate } = await worldOf(target, 'alternating-users');
    await target.superuser([
      `CREATE USER ${name}@'10.9.%' IDENTIFIED BY 'of another service'`,
      `GRANT DELETE ON shop.* TO ${name}@'10.9.%'`,
    ]);
    await rotate();
    expect(await target.superuser(`SELECT Host FROM mysql.user WHERE User = '${clone}'`)).toEqual([
      { Host: '%' },
    ]);
    await rotate();
    await rotate();
    expect(
      await target.superuser(`SELECT Host FROM mysql.user WHERE User = '${name}' ORDER BY Host`),
    ).toEqual([{ Host: '%' }, { Host: '10.9.%' }]);
  });
});
