import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../adapters/system.ts';
import { keptForm } from '../../rotators/redshift/password.ts';
import { type RedshiftUnderTest, start } from './drivers/redshift.ts';
import { patience } from './pace.ts';
import { translate } from './redshift-stand-in.ts';
import { failure, Scene, type Target } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<RedshiftUnderTest['ask']>[0];

let target: RedshiftUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

const world = (
  strategy: 'single-user' | 'alternating-users',
  options?: Parameters<RedshiftUnderTest['createAccount']>[0],
) => worldOf(target, strategy, options);

/** The statements that went to the cluster while `work` ran, passwords' hashes and process ids made alike. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const from = target.standIn.statements.length;
  await work();
  return target.standIn.statements
    .slice(from)
    .map((statement) => statement.replace(/md5[0-9a-f]{32}/, 'md5…').replace(/\(\d+\)/, '(pid)'));
}

describe('the statements that Redshift gets', () => {
  test('for one user', async () => {
    const { rotate, name } = await world('single-user');
    expect(await statementsOf(rotate)).toEqual([
      'BEGIN READ WRITE',
      `SET LOCAL statement_timeout TO ${patience.statementTimeoutMs}`,
      `ALTER USER "${name}" PASSWORD 'md5…'`,
      'COMMIT',
      'SELECT 1',
    ]);
  });

  test('for two, the first time and again', async () => {
    const { rotate, name, clone, account } = await world('alternating-users');
    const changes = (all: string[]) => all.filter((statement) => !statement.startsWith('SELECT'));
    const shared = (one: string, other: string) => [
      `ALTER DEFAULT PRIVILEGES FOR USER "${other}" GRANT ALL ON TABLES TO "${one}"`,
      `ALTER DEFAULT PRIVILEGES FOR USER "${one}" GRANT ALL ON TABLES TO "${other}"`,
    ];
    const around = (...inner: string[]) => [
      'BEGIN READ WRITE',
      `SET LOCAL statement_timeout TO ${patience.statementTimeoutMs}`,
      ...inner,
      'COMMIT',
    ];
    const first = await statementsOf(rotate);
    expect(changes(first)).toEqual(
      around(
        `CREATE USER "${clone}" PASSWORD DISABLE`,
        ...shared(clone, name),
        `ALTER USER "${clone}" PASSWORD 'md5…'`,
      ),
    );
    expect(first).toContain(
      `SELECT usesuper AS superuser FROM pg_catalog.pg_user WHERE usename = '${account.admin.username}'`,
    );
    expect(first).toContain(
      'SELECT identity_name AS grantee, privilege_type, namespace_name, relation_name, admin_option FROM ' +
        `pg_catalog.svv_relation_privileges WHERE identity_type = 'user' AND identity_name IN ('${clone}', '${name}')`,
    );
    expect(changes(await statementsOf(rotate))).toEqual(
      around(...shared(name, clone), `ALTER USER "${name}" PASSWORD 'md5…'`),
    );
  });

  test('for containment', async () => {
    const { scene, name, current, account } = await world('single-user');
    const session = await target.openSession(current());
    const said = await statementsOf(() => scene.contain(scene.current));
    expect(said).toContain(`ALTER USER "${name}" PASSWORD DISABLE`);
    expect(said.filter((statement) => /stv_sessions|backend/.test(statement)).slice(0, 3)).toEqual([
      'SELECT pg_backend_pid() AS pid',
      'SELECT process AS pid, user_name AS username, CAST(starttime AS varchar) AS began FROM pg_catalog.stv_sessions',
      'SELECT pg_terminate_backend(pid)',
    ]);
    expect(await session.alive()).toBe(false);
    expect(said.join()).not.toContain(account.secret.password);
  });
});

describe('the gate in front of the stand-in', () => {
  test.each([
    'SAVEPOINT a',
    'ALTER ROLE "app" NOLOGIN',
    'SELECT $1::text',
    `SELECT E'a'`,
    'SELECT ARRAY[1]',
    'SELECT 1 OPERATOR(pg_catalog.=) 1',
  ])('lets nothing through that Redshift does not know: %s', (statement) => {
    expect(translate(statement)).toBeUndefined();
  });

  test('looks at words, not at what is quoted', () => {
    expect(translate(`ALTER USER "SAVEPOINT" SET "query_group" TO 'ALTER ROLE'`)).toBeDefined();
  });
});

describe('a user whose password is kept as SHA-256', () => {
  test('logs in, and keeps that form, of which drivers of PostgreSQL know nothing', async () => {
    const { rotate, name, current, scene } = await world('single-user');
    const kept = keptForm(name, current().password, { saltBytes: 32 }, systemRandom);
    await target.superuser(`SELECT standin.keep('${name}', '${kept}')`);
    const said = await statementsOf(rotate);
    expect(said.find((statement) => statement.startsWith('ALTER USER'))).toMatch(
      /PASSWORD 'sha256\|[0-9a-f]{64}\|[0-9a-f]{64}'$/,
    );
    expect(scene.findings).toEqual([]);
    expect(await target.rotator.probe(current(), scene.context)).toEqual({ outcome: 'accepted' });
    expect((await rotate()).username).toBe(name);
  });

  test('passes it on to the other user of its pair', async () => {
    const { rotate, name, clone, current } = await world('alternating-users');
    const kept = keptForm(name, current().password, { saltBytes: 32 }, systemRandom);
    await target.superuser(`SELECT standin.keep('${name}', '${kept}')`);
    await rotate();
    expect(
      await target.superuser(`SELECT sha256 IS NOT NULL AS kept FROM standin.users WHERE name = '${clone}'`),
    ).toEqual([{ kept: true }]);
  });
});

describe('the clone may do what the user may', () => {
  test('privileges, groups, roles, attributes: granted, and taken when they are taken', async () => {
    const { rotate, name, clone, codes } = await world('alternating-users');
    const objects = [
      `CREATE TABLE t_${name} (id int, note text)`,
      `CREATE TABLE c_${name} (id int, note text)`,
      `CREATE SCHEMA s_${name}`,
      `CREATE FUNCTION f_${name}(int, varchar) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `CREATE GROUP g_${name}`,
      `CREATE ROLE r_${name}`,
      `INSERT INTO standin.roles VALUES ('r_${name}')`,
    ];
    const grants = [
      `GRANT SELECT, INSERT ON t_${name} TO ${name}`,
      `GRANT SELECT (id) ON c_${name} TO ${name}`,
      `GRANT USAGE ON SCHEMA s_${name} TO ${name} WITH GRANT OPTION`,
      `GRANT CREATE ON DATABASE shop TO ${name}`,
      `GRANT EXECUTE ON FUNCTION f_${name}(int, varchar) TO ${name}`,
      `ALTER GROUP g_${name} ADD USER ${name}`,
      `GRANT r_${name} TO ${name}`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA s_${name} GRANT SELECT ON TABLES TO ${name}`,
      `ALTER USER ${name} CREATEDB CONNECTION LIMIT 7 VALID UNTIL '2099-01-01'`,
      `ALTER USER ${name} SET search_path TO "$user", "a, b"`,
      `SELECT standin.syslog('${name}', 'UNRESTRICTED'), standin.timeout('${name}', 600)`,
    ];
    await target.superuser([...objects, ...grants]);
    const may = async (username: string) =>
      (
        await target.superuser(
          `SELECT has_table_privilege('${username}', 't_${name}', 'SELECT, INSERT') AS t,
             has_column_privilege('${username}', 'c_${name}', 'id', 'SELECT') AS c,
             has_schema_privilege('${username}', 's_${name}', 'USAGE WITH GRANT OPTION') AS s,
             has_database_privilege('${username}', 'shop', 'CREATE') AS d,
             pg_has_role('${username}', 'g_${name}', 'MEMBER') AS g, pg_has_role('${username}', 'r_${name}', 'MEMBER') AS r,
             (SELECT count(*)::int FROM svv_default_privileges WHERE grantee_name = '${username}' AND schema_name = 's_${name}') AS later,
             (SELECT count(*)::int FROM svv_function_privileges WHERE identity_name = '${username}') AS f,
             i.syslog_access, i.session_timeout, u.usecreatedb, u.useconnlimit, u.valuntil, u.useconfig::text AS config
           FROM svv_user_info i, pg_user_info u WHERE i.user_name = '${username}' AND u.usename = '${username}'`,
        )
      )[0];
    await rotate();
    expect(await may(clone)).toEqual(await may(name));
    expect(await may(clone)).toMatchObject({
      t: true,
      c: true,
      s: true,
      d: true,
      g: true,
      r: true,
      later: 1,
      f: 1,
      syslog_access: 'UNRESTRICTED',
      session_timeout: 600,
      usecreatedb: true,
      useconnlimit: '7',
    });
    await rotate();
    await target.superuser([
      `REVOKE ALL ON t_${name}, c_${name} FROM ${name}`,
      `REVOKE SELECT (id) ON c_${name} FROM ${name}`,
      `REVOKE ALL ON SCHEMA s_${name} FROM ${name}`,
      `REVOKE CREATE ON DATABASE shop FROM ${name}`,
      `REVOKE EXECUTE ON FUNCTION f_${name}(int, varchar) FROM ${name}`,
      `ALTER GROUP g_${name} DROP USER ${name}`,
      `REVOKE r_${name} FROM ${name}`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA s_${name} REVOKE SELECT ON TABLES FROM ${name}`,
      `ALTER USER ${name} NOCREATEDB CONNECTION LIMIT -1 VALID UNTIL 'infinity'`,
      `ALTER USER ${name} RESET ALL`,
      `SELECT standin.syslog('${name}', 'RESTRICTED'), standin.timeout('${name}', 0)`,
    ]);
    await rotate();
    expect(await may(clone)).toEqual(await may(name));
    expect(await may(clone)).toMatchObject({
      t: false,
      c: false,
      s: false,
      d: false,
      g: false,
      r: false,
      later: 0,
      f: 0,
    });
    expect(codes()).toEqual([]);
  });

  test('each may use what the other makes; that only the owner can change it is a finding', async () => {
    const { rotate, name, clone, current, scene } = await world('alternating-users');
    await target.superuser(`GRANT CREATE ON SCHEMA public TO ${name}`);
    await target.ask(current(), `CREATE TABLE before_${name} (id int)`);
    const second = await rotate();
    expect(await target.ask(second, `SELECT * FROM before_${name}`)).toEqual([]);
    await target.ask(second, `CREATE TABLE by_clone_${name} (id int)`);
    const third = await rotate();
    expect(await target.ask(third, `INSERT INTO by_clone_${name} VALUES (1)`)).toEqual([]);
    await target.ask(third, `CREATE TABLE after_${name} (id int)`);
    expect(await target.ask(second, `SELECT * FROM after_${name}`)).toEqual([]);
    expect(scene.findings.map(({ code, message }) => [code, message])).toEqual([
      [
        'ObjectsNotShared',
        expect.stringContaining(`1 schemas, tables and views belong to "${name}" and 0 to "${clone}"`),
      ],
      [
        'ObjectsNotShared',
        expect.stringContaining(`1 schemas, tables and views belong to "${name}" and 1 to "${clone}"`),
      ],
    ]);
    // What it owns is not taken from it with the next rotation.
    await rotate();
    expect(await target.ask(current(), `INSERT INTO by_clone_${name} VALUES (2)`)).toEqual([]);
  });

  test('what only the clone may do is named before it is lost', async () => {
    const { rotate, clone, scene } = await world('alternating-users');
    await rotate();
    await target.superuser(`GRANT CREATE ON DATABASE shop TO ${clone}`);
    await rotate();
    expect(scene.findings).toEqual([
      expect.objectContaining({
        code: 'GrantsDiffer',
        message: expect.stringContaining('GRANT CREATE ON DATABASE "shop"'),
      }),
    ]);
  });

  test('a clone that AWS made is taken over, and back', async () => {
    const { rotate, clone, account, scene, codes } = await world('alternating-users');
    await target.superuser(`CREATE USER ${clone} PASSWORD 'Made-by-AWS-1'`);
    const made: Secret = { ...account.secret, username: clone, password: 'Made-by-AWS-1' };
    scene.versions.unshift(made as never);
    expect((await rotate()).username).toBe(account.secret.username);
    await target.superuser(`ALTER USER ${clone} PASSWORD 'Set-by-AWS-2'`);
    expect(await target.logsIn({ ...made, password: 'Set-by-AWS-2' })).toBe(true);
    expect(codes()).toEqual([]);
  });
});

describe('a clone that owns tables before it is taken over', () => {
  test('keeps its own rights on them', async () => {
    const { rotate, name, clone } = await world('alternating-users');
    await target.superuser([
      `CREATE USER ${clone} PASSWORD 'Made-by-AWS-1'`,
      `CREATE TABLE owned_${name} (id int)`,
      `ALTER TABLE owned_${name} OWNER TO ${clone}`,
      // With this the server writes down what the owner may do as well.
      `GRANT SELECT ON owned_${name} TO PUBLIC`,
      `CREATE FUNCTION owned_${name}() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `ALTER FUNCTION owned_${name}() OWNER TO ${clone}`,
      `REVOKE EXECUTE ON FUNCTION owned_${name}() FROM PUBLIC`,
    ]);
    const made = await rotate();
    expect(made.username).toBe(clone);
    expect(await target.ask(made, `INSERT INTO owned_${name} VALUES (1)`)).toEqual([]);
    expect(await target.ask(made, `SELECT owned_${name}()`)).toHaveLength(1);
  });
});

describe('who is too powerful', () => {
  test.each(['single-user', 'alternating-users'] as const)(
    'a secret cannot be used to take over users that it does not belong to: %s',
    async (strategy) => {
      const { scene, account } = await world(strategy);
      const { name: victim, account: other } = await world(strategy);
      await target.superuser([
        `CREATE ROLE "sys:secadmin_${victim}"`,
        `INSERT INTO standin.roles VALUES ('sys:secadmin_${victim}')`,
        `GRANT "sys:secadmin_${victim}" TO ${victim}`,
      ]);
      scene.versions.splice(0, 1, { ...account.secret, username: victim, password: 'A-guess-123' } as never);
      expect((await failure(scene.rotate())).code).toBe('CredentialUnusable');
      expect(await target.logsIn(other.secret)).toBe(true);
    },
  );

  test('a superuser keeps its password, which Redshift does not take away; its sessions end', async () => {
    const { scene, name, current } = await world('single-user');
    await target.superuser(`ALTER USER ${name} SUPERUSER`);
    const session = await target.openSession(current());
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
    await scene.rotate();
    expect(await target.logsIn(current())).toBe(true);
  });

  test('an admin that is the leaked user itself does not cut itself off', async () => {
    const { account, name } = await world('single-user');
    await target.superuser(`ALTER USER ${name} SUPERUSER`);
    const scene = new Scene(target as unknown as Target, 'single-user', {
      ...account,
      admin: account.secret,
    } as never);
    expect(await scene.contain(scene.current)).toMatchObject({
      loginsRefused: false,
      note: expect.stringContaining('the admin secret logs in as'),
    });
  });
});

describe('containment', () => {
  test('says that IAM credentials still log in', async () => {
    const { scene } = await world('single-user');
    expect((await scene.contain(scene.current)).note).toContain('redshift:GetClusterCredentials');
  });

  test('without an admin ends the sessions of the user, and says that only a rotation ends new logins', async () => {
    const { scene, current } = await world('single-user');
    scene.hasAdmin = false;
    const session = await target.openSession(current());
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
  });

  test('between set and finish of another rotation leaves the password that is about to be current', async () => {
    const { scene, current, rotate } = await world('single-user');
    const leaked = current();
    await rotate();
    const next = (await scene.propose()) as unknown as Secret;
    await target.rotator.apply(next, scene.applyContext as never);
    expect(await scene.contain(leaked as never, new Date())).toMatchObject({ loginsRefused: true });
    expect([await target.logsIn(leaked), await target.logsIn(next)]).toEqual([false, true]);
  });

  test('of users whose sessions are shown alike refuses logins, and says whose sessions it left', async () => {
    const { scene, current, name, clone } = await world('alternating-users', {
      name: 'y'.repeat(52),
      exact: true,
    });
    await scene.rotate();
    const { code, message } = await failure(scene.contain(scene.current));
    expect([code, message]).toEqual(['TargetRefused', expect.stringContaining(`"${clone}" are refused`)]);
    expect(message).toContain(`"${name}"`);
    expect(await target.logsIn(current())).toBe(false);
  });
});

test('a user that has expired is said to have, instead of being set in vain', async () => {
  const { name, scene } = await world('alternating-users');
  await scene.rotate();
  await target.superuser(`ALTER USER ${name} VALID UNTIL '2001-01-01'`);
  const { code, message } = await failure(scene.rotate());
  expect([code, message]).toEqual(['TargetRefused', expect.stringContaining('VALID UNTIL')]);
});
