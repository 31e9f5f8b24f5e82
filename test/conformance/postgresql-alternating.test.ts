import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { failure } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<PostgresUnderTest['ask']>[0];

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

const world = (strategy: 'alternating-users', options?: Parameters<PostgresUnderTest['createAccount']>[0]) =>
  worldOf(target, strategy, options);

describe('the two alternating users act as one', () => {
  test('grants that come later reach both, at once', async () => {
    const { name, rotate } = await world('alternating-users');
    const clone = await rotate();
    await target.superuser(
      [`CREATE TABLE late_${name} (id int)`, `GRANT SELECT ON late_${name} TO ${name}`],
      'shop',
    );
    expect(await target.ask(clone, `SELECT * FROM late_${name}`)).toEqual([]);
    expect(await target.ask(await rotate(), `SELECT * FROM late_${name}`)).toEqual([]);
  });

  test('what either creates belongs to one owner, also after DISCARD ALL', async () => {
    const { name, rotate } = await world('alternating-users');
    await target.superuser(`GRANT CREATE ON SCHEMA public TO ${name}`, 'shop');
    const clone = await rotate();
    await target.ask(clone, ['DISCARD ALL', 'CREATE TABLE made_by_clone (id int)']);
    const base = await rotate();
    await target.ask(base, 'CREATE TABLE made_by_base (id int)');
    expect(await target.ask(base, 'ALTER TABLE made_by_clone ADD note text')).toEqual([]);
    expect(await target.ask(await rotate(), 'ALTER TABLE made_by_base ADD note text')).toEqual([]);
    const owners = await target.superuser(
      `SELECT DISTINCT tableowner FROM pg_tables WHERE tablename IN ('made_by_clone', 'made_by_base')`,
      'shop',
    );
    expect(owners).toEqual([{ tableowner: name }]);
    expect(await target.ask(base, 'SELECT session_user, current_user')).toEqual([
      { session_user: name, current_user: name },
    ]);
  });

  test('settings, limits and attributes are copied afresh at each rotation', async () => {
    const { name, clone, rotate, codes } = await world('alternating-users');
    const read = async () =>
      (
        await target.superuser(
          `SELECT r.rolconnlimit, r.rolvaliduntil::text, r.rolcanlogin,
             (SELECT array_agg(e ORDER BY e) FROM pg_db_role_setting s, unnest(setconfig) e WHERE setrole = r.oid) AS settings
           FROM pg_roles r WHERE rolname = '${clone}'`,
        )
      )[0];
    await target.superuser([
      `ALTER ROLE ${name} SET search_path TO "$user", "a, ""b""", public`,
      `ALTER ROLE ${name} SET statement_timeout TO '30s'`,
      `ALTER ROLE ${name} SET default_transaction_read_only TO on`,
      `ALTER ROLE ${name} IN DATABASE shop SET application_name TO 'it''s'`,
      `ALTER ROLE ${name} CONNECTION LIMIT 7 VALID UNTIL '2099-01-01T00:00:00Z'`,
    ]);
    await rotate();
    expect(await read()).toEqual({
      rolconnlimit: 7,
      rolvaliduntil: expect.stringContaining('2099-01-01'),
      rolcanlogin: true,
      settings: [
        "application_name=it's",
        'default_transaction_read_only=on',
        `role=${name}`,
        'search_path="$user", "a, ""b""", public',
        'statement_timeout=30s',
      ],
    });
    await target.superuser([
      `ALTER ROLE ${name} RESET ALL`,
      `ALTER ROLE ${name} IN DATABASE shop RESET ALL`,
      `ALTER ROLE ${name} CONNECTION LIMIT -1 VALID UNTIL 'infinity'`,
    ]);
    await rotate();
    expect(await read()).toMatchObject({ rolconnlimit: -1, settings: [`role=${name}`] });
    // Whether it was a copy or a person's own, nobody can tell; what is taken from the clone is said.
    expect(codes()).toEqual(['SettingNotCopied']);
  });

  test('a setting that only a superuser may copy is a finding, not a failure', async () => {
    const { name, rotate, scene } = await world('alternating-users');
    await target.superuser(`ALTER ROLE ${name} SET log_duration TO on`);
    await rotate();
    expect(scene.findings).toEqual([
      expect.objectContaining({
        code: 'SettingNotCopied',
        message: expect.stringContaining('log_duration (42501)'),
      }),
    ]);
  });

  test('a clone that AWS made is taken over: its objects are handed to the one owner', async () => {
    const { name, clone, account, rotate, codes, scene } = await world('alternating-users');
    await target.superuser(`GRANT CREATE ON SCHEMA public TO ${name}`, 'shop');
    // What AWS's function does, as the same admin, with a password of its own.
    await target.ask(account.admin, `CREATE ROLE ${clone} WITH LOGIN PASSWORD 'made by another function'`);
    await target.ask(account.admin, `GRANT ${name} TO ${clone}`);
    const made: Secret = { ...account.secret, username: clone, password: 'made by another function' };
    await target.ask(made, `CREATE TABLE aws_${name} (id int)`);
    scene.versions.unshift(made as never);
    const base = await rotate();
    expect(base.username).toBe(name);
    expect(await target.ask(base, `ALTER TABLE aws_${name} ADD note text`)).toEqual([]);
    expect(
      await target.superuser(`SELECT tableowner FROM pg_tables WHERE tablename = 'aws_${name}'`, 'shop'),
    ).toEqual([{ tableowner: name }]);
    // The admin took the privileges for that and gave them back. Before 16 it is a membership.
    const [shown] = await target.superuser('SHOW server_version_num');
    const kept =
      Number(shown?.server_version_num) < 160_000 ? 'count(*) > 0' : 'bool_or(inherit_option OR set_option)';
    expect(
      await target.superuser(
        `SELECT ${kept} AS kept FROM pg_auth_members m
         JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = '${account.admin.username}'
         AND m.roleid::regrole::text IN ('${name}', '${clone}')`,
      ),
    ).toEqual([{ kept: false }]);
    expect(await target.ask(await rotate(), `SELECT * FROM aws_${name}`)).toEqual([]);
    expect(codes()).toEqual([]);
    // And back: AWS's function alters the password of a clone that exists, and nothing else.
    await target.ask(account.admin, `ALTER USER ${clone} WITH PASSWORD 'set by another function'`);
    expect(await target.logsIn({ ...made, password: 'set by another function' })).toBe(true);
  });

  test('objects that cannot be handed over now are a finding, and the rotation succeeds', async () => {
    const { name, clone, account, rotate, scene } = await world('alternating-users');
    await target.superuser(`GRANT CREATE ON SCHEMA public TO ${name}`, 'shop');
    const first = await rotate();
    await target.ask(first, ['SET ROLE NONE', `CREATE TABLE locked_${name} (id int)`]);
    const reader = target.ask(first, [
      'SET ROLE NONE',
      'BEGIN',
      `SELECT * FROM locked_${name}`,
      'SELECT pg_sleep(1.5)',
    ]);
    reader.catch(() => {});
    const locked = () =>
      target.superuser(`SELECT 1 FROM pg_locks WHERE relation = 'locked_${name}'::regclass`, 'shop');
    while ((await locked()).length === 0) await sleep(10);
    await rotate();
    expect(scene.findings).toEqual([
      expect.objectContaining({
        code: 'ObjectsNotShared',
        message: expect.stringContaining(`REASSIGN OWNED BY "${clone}" TO "${name}"`),
      }),
    ]);
    await reader;
    expect(account.secret.username).toBe(name);
  });

  test('a clone may be provisioned beforehand, even the other way round', async () => {
    const { name, clone, account, rotate, scene, codes } = await world('alternating-users', {
      name: 'first_clone',
      exact: true,
    });
    expect([name, clone]).toEqual(['first_clone', 'first_clone_clone']);
    const base = await rotate();
    expect(base.username).toBe('first');
    expect(await target.ask(base, 'SELECT current_user')).toEqual([{ current_user: 'first_clone' }]);
    expect((await rotate()).username).toBe('first_clone');
    expect((await rotate()).username).toBe('first');
    expect([codes(), scene.versions.length, account.secret.username]).toEqual([[], 4, 'first_clone']);
  });

  test('a name without room for the suffix is refused before anything is touched', async () => {
    const { scene } = await world('alternating-users', { name: 'n'.repeat(58), exact: true });
    const { code, message } = await failure(scene.rotate());
    expect([code, message]).toEqual(['StrategyUnsupported', expect.stringContaining('64 bytes')]);
  });
});

describe('what was given to the clone alone', () => {
  const given = (name: string, to: string) => [
    `GRANT SELECT, INSERT ON only_${name} TO ${to}`,
    `GRANT UPDATE (note) ON part_${name} TO ${to}`,
    `GRANT USAGE ON SEQUENCE seq_${name} TO ${to}`,
    `GRANT USAGE ON SCHEMA space_${name} TO ${to}`,
    `GRANT EXECUTE ON FUNCTION space_${name}.one() TO ${to}`,
    `GRANT group_${name} TO ${to}`,
  ];

  test('is named as statements, which end the finding when they are run', async () => {
    const { scene, name, clone, rotate } = await world('alternating-users');
    await target.superuser(
      [
        // As AWS's function leaves it behind.
        `CREATE ROLE ${clone} LOGIN PASSWORD 'made by another function'`,
        `GRANT ${name} TO ${clone}`,
        `CREATE ROLE group_${name}`,
        `CREATE TABLE only_${name} (id int, note text)`,
        `CREATE TABLE part_${name} (id int, note text)`,
        `CREATE TABLE rows_${name} (id int)`,
        `INSERT INTO rows_${name} VALUES (1)`,
        `CREATE SEQUENCE seq_${name}`,
        `CREATE SCHEMA space_${name}`,
        `CREATE FUNCTION space_${name}.one() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
        `REVOKE EXECUTE ON FUNCTION space_${name}.one() FROM PUBLIC`,
        `GRANT SELECT ON rows_${name} TO ${name}`,
        `ALTER TABLE rows_${name} ENABLE ROW LEVEL SECURITY`,
        `CREATE POLICY mine ON rows_${name} TO ${clone} USING (true)`,
        ...given(name, clone),
        `GRANT ${clone} TO "${scene.account.admin.username}" WITH ADMIN OPTION`,
      ],
      'shop',
    );
    const next = await rotate();
    const findings = scene.findings.filter(({ code }) => code === 'GrantsDiffer');
    expect(findings).toHaveLength(1);
    const statements = findings[0]?.message.split('if it is meant: ')[1]?.split('; ') ?? [];
    expect(statements).toEqual([
      `ALTER POLICY mine ON public.rows_${name} TO ${clone}, ${name}`,
      `GRANT EXECUTE ON ROUTINE space_${name}.one() TO ${name}`,
      `GRANT INSERT, SELECT ON TABLE public.only_${name} TO ${name}`,
      `GRANT UPDATE (note) ON TABLE public.part_${name} TO ${name}`,
      `GRANT USAGE ON SCHEMA space_${name} TO ${name}`,
      `GRANT USAGE ON SEQUENCE public.seq_${name} TO ${name}`,
      `GRANT group_${name} TO ${name}`,
    ]);
    expect(await target.ask(next, `SELECT * FROM rows_${name}`)).toEqual([]);
    await target.superuser(statements, 'shop');
    expect(await target.ask(next, `SELECT * FROM rows_${name}`)).toEqual([{ id: 1 }]);
    expect(await target.ask(next, `SELECT space_${name}.one()`)).toEqual([{ one: 1 }]);
    scene.findings.length = 0;
    await rotate();
    await rotate();
    expect(scene.findings).toEqual([]);
  });
});

test('a user past its VALID UNTIL is named, and no clone of it is made', async () => {
  const { scene, name, clone } = await world('alternating-users');
  await target.superuser(`ALTER ROLE ${name} VALID UNTIL '2020-01-01'`);
  const { code, message } = await failure(scene.rotate());
  expect([code, message]).toEqual([
    'TargetRefused',
    expect.stringContaining(`ALTER ROLE "${name}" VALID UNTIL 'infinity'`),
  ]);
  expect(message).not.toContain(clone);
  expect(await target.superuser(`SELECT rolname FROM pg_roles WHERE rolname = '${clone}'`)).toEqual([]);
});

test('a clone acts as its user, also where that has been told to act as nobody else', async () => {
  const { name, rotate } = await world('alternating-users');
  await target.superuser(`ALTER ROLE ${name} SET role = 'none'`);
  expect(await target.ask(await rotate(), 'SELECT current_user')).toEqual([{ current_user: name }]);
});
