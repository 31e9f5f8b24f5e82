import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<PostgresUnderTest['ask']>[0];

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

const iterationsOf = async (user: string): Promise<number> => {
  const [row] = await target.superuser(`SELECT rolpassword AS kept FROM pg_authid WHERE rolname = '${user}'`);
  return Number(/^SCRAM-SHA-256\$(\d+):/.exec(String(row?.kept))?.[1]);
};

/**
 * hashicorp/vault#31853: "hashes passwords client-side […] with a hardcoded iteration count of 4096".
 * https://www.postgresql.org/docs/16/runtime-config-connection.html#GUC-SCRAM-ITERATIONS: "The number of computational
 * iterations to be performed when encrypting a password using SCRAM-SHA-256 […] A higher number of iterations provides
 * additional protection against brute-force attacks on stored passwords". AWS's functions and psql's \password keep to it; a
 * rotation must not bring a role from 20000 down to 4096.
 */
describe('a server that is set to more iterations of SCRAM', () => {
  // Since version 16; older ones have a number of their own.
  let iterations = 4_096;
  beforeAll(async () => {
    if ((await target.superuser("SELECT 1 FROM pg_settings WHERE name = 'scram_iterations'")).length === 0)
      return;
    iterations = 20_000;
    await target.superuser(`ALTER SYSTEM SET scram_iterations = ${iterations}`);
    await target.superuser('SELECT pg_reload_conf()');
    await target.superuser('SELECT pg_sleep(0.5)');
  });
  afterAll(async () => {
    if (iterations === 4_096) return;
    await target.superuser('ALTER SYSTEM RESET scram_iterations');
    await target.superuser('SELECT pg_reload_conf()');
  });

  test.each(['single-user', 'alternating-users'] as const)('%s keeps to them', async (strategy) => {
    const { name, rotate } = await worldOf(target, strategy);
    expect(await iterationsOf(name)).toBe(iterations);
    const next = await rotate();
    expect(await target.logsIn(next)).toBe(true);
    expect(await iterationsOf(next.username)).toBe(iterations);
  });
});

/** A pair as AWS's function leaves it: the clone is a member and acts as itself, and its name stands in the secret. */
async function fromAws() {
  const made = await worldOf(target, 'alternating-users');
  const { name, clone, account, scene } = made;
  await target.superuser([
    `CREATE ROLE ${clone} LOGIN PASSWORD 'made by another function'`,
    `GRANT ${name} TO ${clone}`,
    `GRANT ${clone} TO ${account.admin.username} WITH ADMIN OPTION`,
  ]);
  const current: Secret = { ...account.secret, username: clone, password: 'made by another function' };
  scene.versions.unshift(current as never);
  return { ...made, cloneSecret: current };
}

/**
 * aws-samples/aws-secrets-manager-rotation-lambdas#38, #39: what people gave to `app_clone`, since that name stood in the
 * secret, is lost at the first rotation. The page says that the finding `GrantsDiffer` names it.
 */
describe('what was given to the clone alone is lost with a finding', () => {
  test('BYPASSRLS, which does not come with membership', async () => {
    const { name, clone, rotate, codes, cloneSecret } = await fromAws();
    await target.superuser(
      [
        `CREATE TABLE rows_${name} (id int)`,
        `INSERT INTO rows_${name} VALUES (1)`,
        `ALTER TABLE rows_${name} ENABLE ROW LEVEL SECURITY`,
        `GRANT SELECT ON rows_${name} TO ${name}`,
        `ALTER ROLE ${clone} BYPASSRLS`,
      ],
      'shop',
    );
    expect(await target.ask(cloneSecret, `SELECT * FROM rows_${name}`)).toEqual([{ id: 1 }]);
    const base = await rotate();
    // https://www.postgresql.org/docs/current/role-membership.html: attributes "are never inherited".
    expect(await target.ask(base, `SELECT * FROM rows_${name}`)).toEqual([]);
    expect(codes()).toContain('GrantsDiffer');
  });

  test('CREATEDB', async () => {
    const { clone, rotate, codes } = await fromAws();
    await target.superuser(`ALTER ROLE ${clone} CREATEDB`);
    await rotate();
    expect(codes()).toContain('GrantsDiffer');
  });

  test('a search_path that only the clone has', async () => {
    const { name, clone, rotate, scene, cloneSecret } = await fromAws();
    await target.superuser(
      [
        `CREATE SCHEMA s_${name}`,
        `CREATE TABLE s_${name}.orders (id int)`,
        `GRANT USAGE ON SCHEMA s_${name} TO ${name}`,
        `GRANT SELECT ON s_${name}.orders TO ${name}`,
        `ALTER ROLE ${clone} SET search_path TO s_${name}`,
      ],
      'shop',
    );
    expect(await target.ask(cloneSecret, 'SELECT * FROM orders')).toEqual([]);
    const base = await rotate();
    await expect(target.ask(base, 'SELECT * FROM orders')).rejects.toMatchObject({ code: '42P01' });
    expect(scene.findings.map(({ message }) => message).join()).toContain('search_path');
  });

  test('default privileges of the clone: what the application creates from now on is seen by nobody', async () => {
    const { name, clone, rotate, codes, cloneSecret } = await fromAws();
    await target.superuser(
      [
        `CREATE ROLE reader_${name} LOGIN PASSWORD 'of the reader'`,
        `GRANT CREATE ON SCHEMA public TO ${name}`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${clone} IN SCHEMA public GRANT SELECT ON TABLES TO reader_${name}`,
      ],
      'shop',
    );
    const reader = { ...cloneSecret, username: `reader_${name}`, password: 'of the reader' };
    await target.ask(cloneSecret, `CREATE TABLE before_${name} (id int)`);
    expect(await target.ask(reader, `SELECT * FROM before_${name}`)).toEqual([]);
    const base = await rotate();
    await target.ask(base, `CREATE TABLE after_${name} (id int)`);
    // https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html: they are of the role that creates.
    await expect(target.ask(reader, `SELECT * FROM after_${name}`)).rejects.toMatchObject({ code: '42501' });
    expect(codes()).toContain('GrantsDiffer');
  });

  test('a user mapping of the clone', async () => {
    const { name, clone, rotate, codes } = await fromAws();
    await target.superuser(
      [
        `CREATE FOREIGN DATA WRAPPER w_${name}`,
        `CREATE SERVER far_${name} FOREIGN DATA WRAPPER w_${name}`,
        `CREATE USER MAPPING FOR ${clone} SERVER far_${name}`,
      ],
      'shop',
    );
    await rotate();
    // https://www.postgresql.org/docs/current/sql-createusermapping.html: of the current user, not of the one that logged in
    expect(codes()).toContain('GrantsDiffer');
  });
});

/**
 * The page: "`app` and `app_clone` act as one". The database says as whom, for example so that a pool of users owns objects together:
 * https://www.postgresql.org/docs/current/sql-alterdatabase.html, `ALTER DATABASE … SET role`; the setting of a role goes
 * before the one of the database.
 */
describe('both users act as one', () => {
  const actsAs = async (secret: Secret) => (await target.ask(secret, 'SELECT current_user AS it'))[0]?.it;

  test('where the database sets the role', async () => {
    const { name, rotate, account } = await worldOf(target, 'alternating-users');
    await target.superuser([`CREATE ROLE owner_${name}`, `GRANT owner_${name} TO ${name}`]);
    await target.superuser(`ALTER DATABASE shop SET role TO 'owner_${name}'`);
    try {
      expect(await actsAs(account.secret)).toBe(`owner_${name}`);
      expect(await actsAs(await rotate())).toBe(`owner_${name}`);
    } finally {
      await target.superuser('ALTER DATABASE shop RESET role');
    }
  });

  test('where the user acts as itself in this database alone', async () => {
    const { name, rotate, account } = await worldOf(target, 'alternating-users');
    await target.superuser(`ALTER ROLE ${name} IN DATABASE shop SET role TO 'none'`);
    expect(await actsAs(account.secret)).toBe(name);
    expect(await actsAs(await rotate())).toBe(name);
  });
});
