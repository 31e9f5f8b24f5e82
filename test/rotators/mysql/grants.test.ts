import { describe, expect, test } from '@jest/globals';
import { changes, isPrivileged, parseGrants } from '../../../rotators/mysql/grants.ts';

const account = '`app_clone`@`%`';
const admin = '`rekey_admin`';
const statements = (wanted: string[], present: string[]) =>
  changes(parseGrants(wanted), parseGrants(present), account, admin).map(({ sql }) => sql);

describe('SHOW GRANTS is read as the server writes it', () => {
  test('MariaDB: global line with hash and limits, columns, roles', () => {
    const grants = parseGrants([
      'GRANT `reader` TO `app`@`%`',
      'GRANT `keeper` TO `app`@`%` WITH ADMIN OPTION',
      "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*DDADE3E9EF441E6663D16D4C2AB0BB684F209986' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 10",
      'GRANT SELECT (`a`, `b, c`), INSERT ON `shop`.`t` TO `app`@`%` WITH GRANT OPTION',
      'SET DEFAULT ROLE `reader` FOR `app`@`%`',
    ]);
    expect([...grants.privileges]).toEqual([
      ['`shop`.`t`', new Set(['SELECT (`a`)', 'SELECT (`b, c`)', 'INSERT', 'GRANT OPTION'])],
    ]);
    expect([...grants.roles]).toEqual([
      ['`reader`', false],
      ['`keeper`', true],
    ]);
  });

  test('MySQL: dynamic privileges on a second line, several roles in one, partial revokes, proxies', () => {
    const grants = parseGrants([
      'GRANT SELECT ON *.* TO `app`@`%`',
      'GRANT BACKUP_ADMIN ON *.* TO `app`@`%`',
      'REVOKE SELECT ON `mysql`.* FROM `app`@`%`',
      'GRANT `r1`@`%`,`r2`@`%` TO `app`@`%`',
      "GRANT PROXY ON ''@'' TO 'app'@'%' WITH GRANT OPTION",
    ]);
    expect(grants.privileges.get('*.*')).toEqual(new Set(['SELECT', 'BACKUP_ADMIN']));
    expect(grants.privileges.get("''@''")).toEqual(new Set(['PROXY', 'GRANT OPTION']));
    expect([...grants.restrictions]).toEqual([['`mysql`.*', new Set(['SELECT'])]]);
    expect([...grants.roles.keys()]).toEqual(['`r1`@`%`', '`r2`@`%`']);
  });

  test('names that look like the grammar are names', () => {
    const grants = parseGrants(['GRANT EXECUTE ON PROCEDURE ` ON `.`x WITH GRANT OPTION` TO ` TO `@`%`']);
    expect([...grants.privileges]).toEqual([
      ['PROCEDURE ` ON `.`x WITH GRANT OPTION`', new Set(['EXECUTE'])],
    ]);
    expect([...parseGrants(['GRANT SELECT ON `a`` TO ``b`.* TO `app`@`%`']).privileges.keys()]).toEqual([
      '`a`` TO ``b`.*',
    ]);
  });
});

describe('an account is brought to what another has', () => {
  test('what both have is not touched', () => {
    const line = 'GRANT SELECT, INSERT ON `shop`.* TO `x`@`%` WITH GRANT OPTION';
    expect(statements([line], [line])).toEqual([]);
  });

  test('it gets what it lacks and loses what the other no longer has, losing first', () => {
    expect(
      statements(
        ['GRANT SELECT (`a`), INSERT ON `shop`.`t` TO `x`@`%`', 'GRANT `r` TO `x`@`%` WITH ADMIN OPTION'],
        [
          'GRANT SELECT (`a`, `b`), DELETE ON `shop`.`t` TO `x`@`%` WITH GRANT OPTION',
          'GRANT `old` TO `x`@`%`',
        ],
      ),
    ).toEqual([
      `REVOKE SELECT (\`b\`) ON \`shop\`.\`t\` FROM ${account}`,
      `REVOKE DELETE ON \`shop\`.\`t\` FROM ${account}`,
      `REVOKE GRANT OPTION ON \`shop\`.\`t\` FROM ${account}`,
      `REVOKE \`old\` FROM ${account}`,
      `GRANT INSERT ON \`shop\`.\`t\` TO ${account}`,
      `GRANT \`r\` TO ${account} WITH ADMIN OPTION`,
    ]);
  });

  test('what goes with ALL PRIVILEGES is given back', () => {
    expect(
      statements(['GRANT SELECT ON `shop`.* TO `x`@`%`'], ['GRANT ALL PRIVILEGES ON `shop`.* TO `x`@`%`']),
    ).toEqual([
      `REVOKE ALL PRIVILEGES ON \`shop\`.* FROM ${account}`,
      `GRANT SELECT ON \`shop\`.* TO ${account}`,
    ]);
  });

  test('the right to hand a role on is taken back with the role', () => {
    expect(statements(['GRANT `r` TO `x`@`%`'], ['GRANT `r` TO `x`@`%` WITH ADMIN OPTION'])).toEqual([
      `REVOKE \`r\` FROM ${account}`,
      `GRANT \`r\` TO ${account}`,
    ]);
  });

  test('restrictions are copied and lifted', () => {
    expect(
      statements(['REVOKE SELECT ON `mysql`.* FROM `x`@`%`'], ['REVOKE INSERT ON `a`.* FROM `x`@`%`']),
    ).toEqual([`REVOKE SELECT ON \`mysql\`.* FROM ${account}`, `GRANT INSERT ON \`a\`.* TO ${account}`]);
  });

  test('each change says what the admin would need', () => {
    const [change] = changes(
      parseGrants(['GRANT SELECT ON `shop`.* TO `x`@`%` WITH GRANT OPTION']),
      parseGrants([]),
      account,
      admin,
    );
    expect(change).toEqual({
      sql: `GRANT SELECT ON \`shop\`.* TO ${account} WITH GRANT OPTION`,
      doing: `grant SELECT, GRANT OPTION on \`shop\`.* to ${account}`,
      missing: `GRANT SELECT ON \`shop\`.* TO ${admin} WITH GRANT OPTION`,
    });
  });
});

test.each([
  ['GRANT ALL PRIVILEGES ON *.* TO `x`@`%`', true],
  ['GRANT SELECT, CREATE USER ON *.* TO `x`@`%`', true],
  ['GRANT USAGE ON *.* TO `x`@`%` WITH GRANT OPTION', true],
  ['GRANT UPDATE ON `mysql`.`user` TO `x`@`%`', true],
  ['GRANT `r` TO `x`@`%` WITH ADMIN OPTION', true],
  ['GRANT SELECT ON *.* TO `x`@`%`', false],
  ['GRANT ALL PRIVILEGES ON `shop`.* TO `x`@`%` WITH GRANT OPTION', false],
])('%s is a privilege that no unproven secret may get: %s', (line, expected) => {
  expect(isPrivileged(parseGrants([line]))).toBe(expected);
});
