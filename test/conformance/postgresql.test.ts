import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../local/tour/eventually.ts';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { patience } from './pace.ts';
import { failure } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<PostgresUnderTest['ask']>[0];

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

const world = (
  strategy: 'single-user' | 'alternating-users',
  options?: Parameters<PostgresUnderTest['createAccount']>[0],
) => worldOf(target, strategy, options);

/** Has the server ask these users in another way while `work` runs. */
async function withRule(method: string, names: readonly string[], work: () => Promise<void>): Promise<void> {
  const file = join(dirname(target.serverHandle.logFile), 'data', 'pg_hba.conf');
  const rules = await readFile(file, 'utf8');
  const ours = names.map((name) => `host all ${name} all ${method}\n`).join('');
  const reload = async (text: string) => {
    await writeFile(file, text);
    await target.superuser('SELECT pg_reload_conf()');
  };
  await reload(`${ours}${rules}`);
  try {
    await work();
  } finally {
    await reload(rules);
  }
}

describe('a secret cannot be used to take over users that it does not belong to', () => {
  test.each(['single-user', 'alternating-users'] as const)('%s', async (strategy) => {
    const { scene, account } = await world(strategy);
    const { name: victim, account: other } = await world(strategy);
    await target.superuser([
      `ALTER ROLE ${victim} CREATEROLE`,
      `GRANT ${victim} TO ${account.admin.username} WITH ADMIN OPTION`,
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
    expect(await outcome(secret)).toEqual(['unreachable', 'TargetBusy']);
    await target.superuser([`ALTER ROLE ${name} CONNECTION LIMIT -1`, `CREATE DATABASE closed_${name}`]);
    await target.superuser(`REVOKE CONNECT ON DATABASE closed_${name} FROM PUBLIC`);
    expect(await outcome({ ...secret, dbname: `closed_${name}` })).toEqual([
      'unreachable',
      'PermissionMissing',
    ]);
    await target.superuser(`ALTER ROLE ${name} NOLOGIN`);
    expect(await outcome(secret)).toEqual(['rejected', 'AuthenticationRefused']);
  });

  test.each([
    ['a missing rule in pg_hba.conf', 'reject', 'check pg_hba.conf'],
    ['a rule that asks another authority', 'ident', 'REVOKE rds_iam FROM'],
  ])('%s is none, and is named', async (_, method, advice) => {
    const { account, name } = await world('single-user');
    await withRule(method, [name], async () => {
      const deadline = Date.now() + patience.connectTimeoutMs;
      while (Date.now() < deadline && (await outcome(account.secret))[0] === 'accepted') await sleep(20);
      const result = await target.rotator.probe(account.secret, { ...target.context, finding: () => {} });
      expect(result).toMatchObject({
        outcome: 'unreachable',
        error: { code: 'TargetRefused', message: expect.stringContaining(advice) },
      });
    });
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

describe('a server that makes MD5 of passwords', () => {
  const keptOf = async (username: string) =>
    (await target.superuser(`SELECT rolpassword AS kept FROM pg_authid WHERE rolname = '${username}'`))[0]
      ?.kept;
  /** What the server is set to, without setting it for the tests beside this one. */
  const md5For = (roles: readonly string[]) =>
    target.superuser(roles.map((role) => `ALTER ROLE "${role}" SET password_encryption = 'md5'`));

  test.each(['single-user', 'alternating-users'] as const)(
    '%s: gets MD5 for clients that know nothing else, and never the password',
    async (strategy) => {
      const { account, name, clone, rotate } = await worldOf(target, strategy);
      const { username: admin } = account.admin;
      await md5For([name, admin]);
      await withRule('md5', [name, clone], async () => {
        await target.superuser([
          "SET password_encryption = 'md5'",
          `ALTER ROLE ${name} PASSWORD '${account.secret.password}'`,
        ]);
        await eventually('the rule to be read', () => target.logsIn(account.secret));
        for (const _ of ['there', 'and back', 'again']) {
          const next = await rotate();
          expect(await target.logsIn(next)).toBe(true);
          expect(await keptOf(next.username)).toMatch(/^md5[0-9a-f]{32}$/);
          expect(await target.readLog()).not.toContain(next.password);
        }
      });
    },
  );

  test.each(['single-user', 'alternating-users'] as const)(
    '%s: gets SCRAM where its rules let nothing else in',
    async (strategy) => {
      const { account, name, rotate } = await worldOf(target, strategy);
      await md5For([name, account.admin.username]);
      for (const _ of ['there', 'and back', 'again']) {
        const next = await rotate();
        expect(await target.logsIn(next)).toBe(true);
        expect(await keptOf(next.username)).toMatch(/^SCRAM-SHA-256\$/);
      }
    },
  );
});
