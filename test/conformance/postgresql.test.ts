import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { failure, Scene, type Target } from './scene.ts';

type Secret = Parameters<PostgresUnderTest['ask']>[0];

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
}, 60_000);
afterAll(() => target?.stop());

async function world(
  strategy: 'single-user' | 'alternating-users',
  options?: Parameters<PostgresUnderTest['createAccount']>[0],
) {
  const account = await target.createAccount(options);
  const scene = new Scene(target as unknown as Target, strategy, account as never);
  return {
    scene,
    account,
    name: account.secret.username,
    clone: `${account.secret.username}_clone`,
    current: () => scene.current as unknown as Secret,
    rotate: async () => (await scene.rotate()) as unknown as Secret,
    codes: () => scene.findings.map(({ code }) => code),
  };
}

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
    expect(codes()).toEqual([]);
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
    // The admin took the privileges for that and gave them back.
    expect(
      await target.superuser(
        `SELECT bool_or(inherit_option OR set_option) AS kept FROM pg_auth_members m
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

describe('a secret cannot be used to take over users that it does not belong to', () => {
  test.each(['single-user', 'alternating-users'] as const)('%s', async (strategy) => {
    const { scene, account } = await world(strategy);
    const { name: victim, account: other } = await world(strategy);
    await target.superuser([
      `ALTER ROLE ${victim} CREATEROLE`,
      `GRANT ${victim} TO ${account.admin.username} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
    ]);
    scene.versions.splice(0, 1, {
      ...account.secret,
      username: victim,
      password: 'a guess by somebody',
    } as never);
    expect((await failure(scene.rotate())).code).toBe('CredentialUnusable');
    expect(await target.logsIn(other.secret)).toBe(true);
  });
});

describe('containment while another rotation is between set and finish', () => {
  test.each([
    ['single-user', 0],
    ['alternating-users', 0],
    ['alternating-users', 1],
  ] as const)(
    '%s: leaves the LOGIN to the user that is about to be current (version %i)',
    async (strategy, at) => {
      const { scene, rotate, current } = await world(strategy);
      for (let version = 0; version < at; version += 1) await rotate();
      const leaked = current();
      const stolen = await target.openSession(leaked);
      await rotate();
      // Of the same user as the leaked one; that its password is set, no version tells yet.
      const next = (await scene.propose()) as unknown as Secret;
      expect(next.username).toBe(leaked.username);
      await target.rotator.apply(next, scene.applyContext as never);
      expect(await scene.contain(leaked as never, new Date())).toMatchObject({
        loginsRefused: true,
        sessionsEnded: 1,
      });
      expect(await stolen.alive()).toBe(false);
      expect(await target.logsIn(leaked)).toBe(false);
      expect(await target.logsIn(next)).toBe(true);
    },
  );
});

describe('containment with an admin secret that logs in as the leaked user', () => {
  test('does not take the LOGIN away, which nobody could give back, and says so', async () => {
    const { account, name } = await world('single-user');
    await target.superuser(`ALTER ROLE ${name} SUPERUSER`);
    const scene = new Scene(target as unknown as Target, 'single-user', {
      ...account,
      admin: account.secret,
    } as never);
    const session = await target.openSession(account.secret);
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
    await scene.rotate();
    expect(await target.logsIn(account.secret)).toBe(false);
  });
});

describe('containment without an admin', () => {
  test('ends the sessions of the user, and says that only a rotation ends new logins', async () => {
    const { scene, current } = await world('single-user');
    scene.hasAdmin = false;
    const session = await target.openSession(current());
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
    expect(await target.logsIn(current())).toBe(true);
  });

  test('works for an older password, with nothing but the current one', async () => {
    const { scene, current, rotate } = await world('single-user');
    scene.hasAdmin = false;
    const leaked = current();
    const stolen = await target.openSession(leaked);
    await rotate();
    expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
    expect(await stolen.alive()).toBe(false);
    expect(await target.logsIn(current())).toBe(true);
  });

  test('names a session that acts as another role by the user that logged in', async () => {
    const { scene, rotate } = await world('alternating-users');
    const clone = await rotate();
    const base = await rotate();
    const [stolen, application] = [await target.openSession(clone), await target.openSession(base)];
    expect(await scene.contain(clone as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
    expect([await stolen.alive(), await application.alive()]).toEqual([false, true]);
    await application.close();
  });
});

describe('what a refused login proves', () => {
  const outcome = async (secret: Secret) => {
    const result = await target.rotator.probe(secret, { ...target.context, finding: () => {} });
    return [result.outcome, 'error' in result ? result.error.code : undefined];
  };

  test('only a refused password, or a role that may not log in, is a rejection', async () => {
    const { account, name } = await world('single-user');
    const { secret } = account;
    expect(await outcome(secret)).toEqual(['accepted', undefined]);
    expect(await outcome({ ...secret, password: 'wrong password' })).toEqual([
      'rejected',
      'AuthenticationRefused',
    ]);
    expect(await outcome({ ...secret, username: 'nobody' })).toEqual(['rejected', 'AuthenticationRefused']);
    expect(await outcome({ ...secret, dbname: 'missing' })).toEqual(['unreachable', 'DatabaseMissing']);
    await target.superuser(`ALTER ROLE ${name} CONNECTION LIMIT 0`);
    expect(await outcome(secret)).toEqual(['unreachable', 'TargetUnreachable']);
    await target.superuser([`ALTER ROLE ${name} CONNECTION LIMIT -1`, `CREATE DATABASE closed_${name}`]);
    await target.superuser(`REVOKE CONNECT ON DATABASE closed_${name} FROM PUBLIC`);
    expect(await outcome({ ...secret, dbname: `closed_${name}` })).toEqual([
      'unreachable',
      'PermissionMissing',
    ]);
    await target.superuser(`ALTER ROLE ${name} NOLOGIN`);
    expect(await outcome(secret)).toEqual(['rejected', 'AuthenticationRefused']);
  });

  test('a missing rule in pg_hba.conf is none', async () => {
    const { account, name } = await world('single-user');
    const file = join(dirname(target.serverHandle.logFile), 'data', 'pg_hba.conf');
    const rules = await readFile(file, 'utf8');
    await writeFile(file, `host all ${name} all reject\n${rules}`);
    await target.superuser('SELECT pg_reload_conf()');
    try {
      const deadline = Date.now() + 3_000;
      while (Date.now() < deadline && (await outcome(account.secret))[0] === 'accepted') await sleep(20);
      expect(await outcome(account.secret)).toEqual(['unreachable', 'TargetRefused']);
    } finally {
      await writeFile(file, rules);
      await target.superuser('SELECT pg_reload_conf()');
    }
  });
});

describe('plaintext', () => {
  test('is used when the secret says so, or when it is allowed and the server has no TLS, never in silence', async () => {
    const { account } = await world('single-user');
    const probe = async (secret: Secret, allowPlaintext: boolean) => {
      const findings: string[] = [];
      const { outcome } = await target.rotator.probe(secret, {
        ...target.context,
        allowPlaintext,
        finding: ({ code }) => findings.push(code),
      });
      return [outcome, findings];
    };
    expect(await probe({ ...account.secret, ssl: 'false' }, false)).toEqual([
      'accepted',
      ['PlaintextConnection'],
    ]);
    expect(await probe(account.secret, true)).toEqual(['accepted', []]);
    await target.serverHandle.useTls(false);
    try {
      expect(await probe(account.secret, false)).toEqual(['unreachable', []]);
      expect(await probe({ ...account.secret, ssl: true }, true)).toEqual(['unreachable', []]);
      expect(await probe(account.secret, true)).toEqual(['accepted', ['PlaintextConnection']]);
    } finally {
      await target.serverHandle.useTls(true);
    }
  });
});

test('a user whose defaults stand in the way rotates all the same', async () => {
  const { name, rotate } = await world('single-user');
  await target.superuser([
    `CREATE ROLE owner_${name}`,
    `GRANT owner_${name} TO ${name}`,
    `ALTER ROLE ${name} SET role TO owner_${name}`,
    `ALTER ROLE ${name} SET default_transaction_read_only TO on`,
    `ALTER ROLE ${name} SET statement_timeout TO '1ms'`,
    `ALTER ROLE ${name} SET search_path TO ''`,
  ]);
  expect((await rotate()).username).toBe(name);
});

test('a password that has expired is said to have, instead of being set in vain', async () => {
  const { name, scene } = await world('alternating-users');
  await scene.rotate();
  await target.superuser(`ALTER ROLE ${name} VALID UNTIL '2001-01-01'`);
  const { code, message } = await failure(scene.rotate());
  expect([code, message]).toEqual(['TargetRefused', expect.stringContaining('VALID UNTIL')]);
});

test('connections per rotation: two for one user, three for two, the test of the new login included', async () => {
  for (const [strategy, expected] of [
    ['single-user', 2],
    ['alternating-users', 3],
  ] as const) {
    const { rotate } = await world(strategy);
    const count = async () => (await target.readLog()).split('connection received').length;
    const before = await count();
    await rotate();
    expect((await count()) - before).toBe(expected);
  }
});
