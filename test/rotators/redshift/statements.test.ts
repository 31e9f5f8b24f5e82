import { describe, expect, test } from '@jest/globals';
import { attributeChanges } from '../../../rotators/redshift/attributes.ts';

import { type Access, type Grant, grantChanges, sharing } from '../../../rotators/redshift/grants.ts';
import { areAlike, isShownAs } from '../../../rotators/redshift/session-names.ts';
import { literal, quote } from '../../../rotators/redshift/sql.ts';
import type { User } from '../../../rotators/redshift/user.ts';

const user = (change: Partial<User> = {}): User => ({
  name: 'app',
  id: 100,
  superuser: false,
  privileged: false,
  createDatabases: false,
  connectionLimit: 'UNLIMITED',
  validUntil: 'infinity',
  expired: false,
  syslogAccess: 'RESTRICTED',
  sessionTimeout: 0,
  settings: [],
  ...change,
});
const access = (change: Partial<Access> = {}): Access => ({
  grants: [],
  groups: [],
  owns: [],
  shares: new Set<string>(),
  ...change,
});
const grant = (privilege: string, on: string, more: Partial<Grant> = {}): Grant => ({
  before: '',
  privilege,
  on,
  option: false,
  ...more,
});

test('names and texts are quoted as Redshift reads them', () => {
  expect(quote('a"b\\c')).toBe('"a""b\\c"');
  // Not E'…', which it does not know, and a backslash begins an escape in every text.
  expect(literal("a'b\\c")).toBe("'a''b\\\\c'");
});

describe('a clone gets what differs', () => {
  test('attributes and settings', () => {
    const anchor = user({
      createDatabases: true,
      connectionLimit: '7',
      syslogAccess: 'UNRESTRICTED',
      sessionTimeout: 120,
      validUntil: '2099-01-01 00:00:00+00',
      settings: ['search_path="$user", "a, b", public', 'query_group=etl'],
    });
    expect(attributeChanges(user({ name: 'app_clone', settings: ['timezone=UTC'] }), anchor)).toEqual([
      'ALTER USER "app_clone" CREATEDB',
      'ALTER USER "app_clone" CONNECTION LIMIT 7',
      'ALTER USER "app_clone" SYSLOG ACCESS UNRESTRICTED',
      `ALTER USER "app_clone" VALID UNTIL '2099-01-01 00:00:00+00'`,
      'ALTER USER "app_clone" SESSION TIMEOUT 120',
      `ALTER USER "app_clone" SET "search_path" TO '$user', 'a, b', 'public'`,
      `ALTER USER "app_clone" SET "query_group" TO 'etl'`,
      'ALTER USER "app_clone" RESET "timezone"',
    ]);
    expect(attributeChanges({ ...anchor, name: 'app_clone' }, user())).toEqual([
      'ALTER USER "app_clone" NOCREATEDB',
      'ALTER USER "app_clone" CONNECTION LIMIT UNLIMITED',
      'ALTER USER "app_clone" SYSLOG ACCESS RESTRICTED',
      `ALTER USER "app_clone" VALID UNTIL 'infinity'`,
      'ALTER USER "app_clone" RESET SESSION TIMEOUT',
      'ALTER USER "app_clone" RESET "search_path"',
      'ALTER USER "app_clone" RESET "query_group"',
    ]);
    expect(attributeChanges(anchor, anchor)).toEqual([]);
  });

  test('privileges, roles and groups, each kind in the words of GRANT', () => {
    const wanted = access({
      groups: ['readers', 'with "quote"'],
      grants: [
        grant('SELECT', 'ON TABLE "public"."orders"'),
        grant('INSERT', 'ON TABLE "public"."orders"'),
        grant('DELETE', 'ON TABLE "public"."orders"', { option: true }),
        grant('SELECT ("id")', 'ON TABLE "public"."people"'),
        grant('USAGE', 'ON SCHEMA "sales"'),
        grant('SELECT', 'FOR TABLES IN SCHEMA "sales"'),
        grant('EXECUTE', 'ON PROCEDURE "public"."run"(integer)'),
        grant('ROLE "analyst"', ''),
        grant('ROLE "lead"', '', { option: true }),
        grant('SELECT', 'ON TABLES', {
          before: 'ALTER DEFAULT PRIVILEGES FOR USER "etl" IN SCHEMA "sales" ',
        }),
      ],
    });
    expect(grantChanges('app_clone', access(), wanted)).toEqual({
      takes: [],
      gives: [
        'GRANT SELECT, INSERT ON TABLE "public"."orders" TO "app_clone"',
        'GRANT DELETE ON TABLE "public"."orders" TO "app_clone" WITH GRANT OPTION',
        'GRANT SELECT ("id") ON TABLE "public"."people" TO "app_clone"',
        'GRANT USAGE ON SCHEMA "sales" TO "app_clone"',
        'GRANT SELECT FOR TABLES IN SCHEMA "sales" TO "app_clone"',
        'GRANT EXECUTE ON PROCEDURE "public"."run"(integer) TO "app_clone"',
        'GRANT ROLE "analyst" TO "app_clone"',
        'GRANT ROLE "lead" TO "app_clone" WITH ADMIN OPTION',
        'ALTER DEFAULT PRIVILEGES FOR USER "etl" IN SCHEMA "sales" GRANT SELECT ON TABLES TO "app_clone"',
        'ALTER GROUP "readers" ADD USER "app_clone"',
        'ALTER GROUP "with ""quote""" ADD USER "app_clone"',
      ],
    });
    expect(grantChanges('app_clone', wanted, wanted)).toEqual({ takes: [], gives: [] });
    expect(grantChanges('app_clone', wanted, access()).takes.slice(-4)).toEqual([
      'REVOKE ROLE "lead" FROM "app_clone"',
      'ALTER DEFAULT PRIVILEGES FOR USER "etl" IN SCHEMA "sales" REVOKE SELECT ON TABLES FROM "app_clone"',
      'ALTER GROUP "readers" DROP USER "app_clone"',
      'ALTER GROUP "with ""quote""" DROP USER "app_clone"',
    ]);
  });

  test('the use of what the other owns, now and later', () => {
    const owner = access({ owns: ['ON SCHEMA "own"', 'ON TABLE "public"."mine"'] });
    expect(sharing('app_clone', access({ shares: new Set(['ON SCHEMA "own"']) }), 'app', owner)).toEqual([
      'GRANT ALL ON TABLE "public"."mine" TO "app_clone"',
      'ALTER DEFAULT PRIVILEGES FOR USER "app" GRANT ALL ON TABLES TO "app_clone"',
    ]);
  });
});

describe('a session is told by the 50 bytes of a name that are shown', () => {
  const long = 'x'.repeat(60);
  test.each([
    ['app'.padEnd(50), 'app', true],
    ['app'.padEnd(50), 'application', false],
    ['x'.repeat(50), long, true],
    ['x'.repeat(50), `${'x'.repeat(49)}y`, false],
    // A character of two bytes that is cut through.
    [`${'é'.repeat(24)}\ufffd`, 'é'.repeat(30), true],
  ])('%j, user %j: %p', (cut, username, expected) => {
    expect(isShownAs(cut, username)).toBe(expected);
  });

  test('users that are shown alike are known as such', () => {
    expect(areAlike(long, `${long}_clone`)).toBe(true);
    expect(areAlike('app', 'app ')).toBe(true);
    expect([areAlike('app', 'app'), areAlike('app', 'app_clone'), areAlike(long, 'app')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
