import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SecretError } from '../../core/errors/rekey-error.ts';
import { documented } from '../../local/servers/documented.ts';
import { type MysqlUnderTest, notRun, start } from './drivers/mysql.ts';
import { availableTypes, failure, Scene, type Target } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<MysqlUnderTest['ask']>[0];

const described =
  availableTypes.includes('mysql') && notRun['dual-credential'] !== undefined ? describe : describe.skip;
let target: MysqlUnderTest;

const world = (
  strategy: 'single-user' | 'alternating-users',
  options?: Parameters<MysqlUnderTest['createAccount']>[0],
) => worldOf(target, strategy, options);

/** The lines of SHOW GRANTS, without what tells accounts apart. */
async function grants(user: string, host = '%'): Promise<string[]> {
  const rows = await target.superuser(`SHOW GRANTS FOR \`${user}\`@\`${host}\``);
  return rows
    .map((row) =>
      String(Object.values(row)[0])
        .replaceAll(`\`${user}\``, 'U')
        .replace(/'\*[0-9A-F]{40}'/, 'H')
        .replace(/\(([^)]*)\)/g, (_all, columns: string) => `(${columns.split(', ').sort().join(', ')})`),
    )
    .sort();
}

const hashes = async (user: string) =>
  await target.superuser(
    `SELECT Host AS host, authentication_string AS hash FROM mysql.user WHERE User = '${user}' ORDER BY Host`,
  );

described('MariaDB', () => {
  beforeAll(async () => {
    target = await start();
    await target.superuser(['CREATE ROLE reader', 'CREATE ROLE writer', 'CREATE ROLE foreign_role']);
  });
  afterAll(() => target?.stop());

  test('the clone has what the user has, and loses what the user loses', async () => {
    const { name, clone, account, rotate, codes } = await world('alternating-users');
    const admin = account.admin.username;
    await target.superuser([
      'CREATE OR REPLACE PROCEDURE shop.count_orders() SELECT COUNT(*) FROM shop.orders',
      `GRANT SELECT (id, note), UPDATE (note) ON shop.orders TO ${name}`,
      `GRANT EXECUTE ON PROCEDURE shop.count_orders TO ${name}`,
      `GRANT DELETE ON shop.* TO ${name} WITH GRANT OPTION`,
      `GRANT reader TO ${admin} WITH ADMIN OPTION`,
      `GRANT writer TO ${admin} WITH ADMIN OPTION`,
      `GRANT reader TO ${name}`,
      `GRANT writer TO ${name} WITH ADMIN OPTION`,
      `SET DEFAULT ROLE reader FOR ${name}`,
      `ALTER USER ${name} REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 100000 MAX_UPDATES_PER_HOUR 9000
         MAX_CONNECTIONS_PER_HOUR 8000 MAX_USER_CONNECTIONS 7 MAX_STATEMENT_TIME 12.5`,
    ]);
    const first = await rotate();
    expect(first.username).toBe(clone);
    expect(await grants(clone)).toEqual(await grants(name));
    expect((await grants(clone)).length).toBeGreaterThan(6);
    expect(await target.ask(first, 'SELECT CURRENT_ROLE() AS role')).toEqual([{ role: 'reader' }]);
    expect(
      await target.superuser(`SELECT max_statement_time AS s FROM mysql.user WHERE User = '${clone}'`),
    ).toEqual(
      await target.superuser(`SELECT max_statement_time AS s FROM mysql.user WHERE User = '${name}'`),
    );

    await rotate();
    await target.superuser([
      `REVOKE SELECT (note), UPDATE (note) ON shop.orders FROM ${name}`,
      `REVOKE EXECUTE ON PROCEDURE shop.count_orders FROM ${name}`,
      `REVOKE DELETE, GRANT OPTION ON shop.* FROM ${name}`,
      `REVOKE writer FROM ${name}`,
      `SET DEFAULT ROLE NONE FOR ${name}`,
      `ALTER USER ${name} REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0
         MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS 0 MAX_STATEMENT_TIME 0`,
    ]);
    await rotate();
    expect(await grants(clone)).toEqual(await grants(name));
    expect((await grants(clone)).join()).not.toMatch(/DELETE|EXECUTE|writer|GRANT OPTION|REQUIRE|MAX_/);
    expect(codes()).toEqual([]);
  });

  test.each(['single-user', 'alternating-users'] as const)(
    '%s: all hosts of a user change together, are contained together, and the clone has the same',
    async (strategy) => {
      const { name, clone, account, rotate, scene, codes } = await world(strategy);
      const { password } = account.secret;
      await target.superuser([
        `CREATE USER ${name}@'127.0.0.1' IDENTIFIED BY '${password}'`,
        `GRANT SELECT ON shop.orders TO ${name}@'127.0.0.1'`,
        `GRANT SELECT ON shop.* TO ${name}@'127.0.0.1'`,
      ]);
      const other = strategy === 'single-user' ? name : clone;
      const before = await hashes(name);
      await rotate();
      const after = await hashes(other);
      expect(after.map(({ host }) => host)).toEqual(['%', '127.0.0.1']);
      expect(new Set(after.map(({ hash }) => hash)).size).toBe(1);
      expect(after[0]?.hash).not.toBe(before[0]?.hash);
      if (strategy === 'alternating-users') {
        expect(await grants(clone, '127.0.0.1')).toEqual(await grants(name, '127.0.0.1'));
      }
      await scene.contain(scene.current);
      const locked = await target.superuser(
        `SELECT Host FROM mysql.global_priv WHERE User = '${other}' AND JSON_VALUE(Priv, '$.account_locked') = 1`,
      );
      expect(locked).toHaveLength(2);
      await rotate();
      if (strategy === 'single-user') return;
      await target.superuser(`DROP USER ${name}@'127.0.0.1'`);
      await rotate();
      expect((await hashes(clone)).map(({ host }) => host)).toEqual(['%']);
      // The rotation back said that the clone could log in from a host from which the user cannot, or nothing.
      expect(
        codes().filter((code) => code !== 'LoginRestored' && code !== 'CurrentCredentialRefused'),
      ).toEqual([]);
    },
  );

  test('the SQL modes of the server do not matter', async () => {
    const [before] = await target.superuser('SELECT @@GLOBAL.sql_mode AS mode');
    await target.superuser("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'");
    try {
      const { account, rotate, codes } = await world('alternating-users', { name: 'sl\\ash "q" `b`' });
      // The libraries of TLS that MariaDB is built with name ciphers differently.
      const [cipher] = await target.ask(account.secret, "SHOW STATUS LIKE 'Ssl_cipher'");
      await target.superuser(
        `ALTER USER \`${account.secret.username.replaceAll('`', '``')}\` REQUIRE CIPHER '${cipher?.Value}'`,
      );
      expect(await target.logsIn(await rotate())).toBe(true);
      expect(await target.logsIn(await rotate())).toBe(true);
      expect(codes()).toEqual([]);
    } finally {
      await target.superuser(`SET GLOBAL sql_mode = '${String(before?.mode)}'`);
    }
  });

  test('a clone that AWS’s function made is taken over, and theirs can go on with ours', async () => {
    const { name, clone, account, scene, rotate, codes } = await world('alternating-users');
    await target.superuser([
      `CREATE USER ${clone} IDENTIFIED BY 'made by another function'`,
      `GRANT SELECT, INSERT ON shop.* TO ${clone}`,
    ]);
    const made: Secret = { ...account.secret, username: clone, password: 'made by another function' };
    scene.versions.unshift(made as never);
    expect((await rotate()).username).toBe(name);
    expect(await target.logsIn(await rotate())).toBe(true);
    expect(codes()).toEqual([]);
    await target.ask(account.admin, `ALTER USER ${clone}@'%' IDENTIFIED BY 'set by another function'`);
    expect(await target.logsIn({ ...made, password: 'set by another function' })).toBe(true);
  });

  test('what only the clone may do is a finding before it is lost', async () => {
    const { name, clone, rotate, scene } = await world('alternating-users');
    await rotate();
    await target.superuser(`GRANT DELETE ON shop.* TO ${clone}`);
    await rotate();
    expect(scene.findings).toEqual([
      expect.objectContaining({
        code: 'GrantsDiffer',
        message: expect.stringContaining(`GRANT DELETE ON \`shop\`.* TO \`${name}\`@\`%\``),
      }),
    ]);
    await rotate();
    expect((await grants(clone)).join()).not.toContain('DELETE');
  });

  test('a grant on a table that is gone is a finding, not a failure', async () => {
    const { name, rotate, codes } = await world('alternating-users');
    await target.superuser([
      'CREATE TABLE shop.short_lived (id INT)',
      `GRANT SELECT ON shop.short_lived TO ${name}`,
      'DROP TABLE shop.short_lived',
    ]);
    expect(await target.logsIn(await rotate())).toBe(true);
    expect(codes()).toEqual(['GrantNotCopied']);
  });

  test('a privilege or role that the admin may not hand on is named, and the password stays', async () => {
    for (const [statement, named] of [
      ['GRANT FILE ON *.* TO', 'GRANT FILE ON *.* TO `rekey_admin_'],
      ['GRANT foreign_role TO', 'GRANT `foreign_role` TO `rekey_admin_'],
      ['GRANT SELECT ON mysql.proc TO', 'GRANT SELECT ON `mysql`.`proc` TO `rekey_admin_'],
    ]) {
      const { name, clone, scene } = await world('alternating-users');
      await target.superuser(`${statement} ${name}`);
      const next = (await scene.propose()) as unknown as Secret;
      const { code, message } = await failure(scene.rotate(next as never));
      expect([statement, code, message]).toEqual([
        statement,
        'PermissionMissing',
        expect.stringContaining(named ?? ''),
      ]);
      expect([clone, await target.logsIn(next)]).toEqual([next.username, false]);
    }
  });

  test.each([
    ['another plugin', 'IDENTIFIED VIA unix_socket', 'unix_socket'],
    [
      'several plugins',
      "IDENTIFIED VIA mysql_native_password USING PASSWORD('abcdefgh1') OR unix_socket",
      'several plugins',
    ],
    ['a client certificate', 'REQUIRE X509', 'client certificate'],
  ])('an account with %s is refused before it is changed', async (_name, clause, named) => {
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      const { name, scene } = await world(strategy);
      await target.superuser(`ALTER USER ${name} ${clause}`);
      const before = await hashes(name);
      const { code, message } = await failure(scene.rotate());
      expect([code, message]).toEqual(['TargetRefused', expect.stringContaining(named)]);
      expect(await hashes(name)).toEqual(before);
    }
  });

  test.each(['single-user', 'alternating-users'] as const)(
    '%s: an account without a password beside one with it goes on as it was, and a finding says so',
    async (strategy) => {
      const { name, clone, rotate, codes } = await world(strategy);
      await target.superuser([
        `CREATE USER ${name}@localhost IDENTIFIED VIA unix_socket`,
        `CREATE USER ${clone}@localhost IDENTIFIED VIA unix_socket`,
        `RENAME USER ${name}@'%' TO ${name}@'127.0.0.1'`,
      ]);
      for (const _ of ['there', 'and back', 'again']) expect(await target.logsIn(await rotate())).toBe(true);
      expect(new Set(codes())).toEqual(new Set(['AccountNotRotated']));
      for (const user of [name, clone]) {
        expect(
          await target.superuser(
            `SELECT plugin FROM mysql.user WHERE User = '${user}' AND Host = 'localhost'`,
          ),
        ).toEqual([{ plugin: 'unix_socket' }]);
      }
    },
  );

  test('an admin secret that cannot be read keeps no user from changing its own password', async () => {
    const { scene, current, rotate, codes } = await world('single-user');
    const { credentials } = scene;
    const unread = new SecretError(
      'SecretAccessDenied',
      'secretsmanager:GetSecretValue on the admin is denied',
    );
    const apply = (next: object) =>
      target.rotator.apply(next as never, {
        ...(scene.applyContext as never as Parameters<typeof target.rotator.apply>[1]),
        credentials: {
          ...(credentials as never as object),
          current: current(),
          admin: async () => Promise.reject(unread),
        } as never,
      });
    const next = await scene.propose();
    await apply(next);
    expect(await target.logsIn(next as never)).toBe(true);
    expect(codes()).toEqual(['AdminSecretUnread']);
    scene.versions[0] = { ...next, password: 'a wrong one' } as never;
    expect((await failure(apply(await scene.propose()))).code).toBe('SecretAccessDenied');
    scene.versions[0] = next;
    expect(await target.logsIn(await rotate())).toBe(true);
  });

  describe('a secret cannot be used to take over users that it does not belong to', () => {
    test.each(['single-user', 'alternating-users'] as const)('%s', async (strategy) => {
      const { scene, account } = await world(strategy);
      const { name: victim, account: other } = await world(strategy);
      await target.superuser(`GRANT CREATE USER ON *.* TO ${victim}`);
      for (const username of [victim, account.admin.username, 'root']) {
        scene.versions.splice(0, 9, { ...account.secret, username, password: 'a wrong guess' } as never);
        const { code } = await failure(scene.rotate());
        const itself = strategy === 'alternating-users' && username === account.admin.username;
        expect([username, code]).toEqual([username, itself ? 'AdminSecretMismatch' : 'CredentialUnusable']);
      }
      expect(await target.logsIn(other.secret)).toBe(true);
      expect(await target.logsIn(account.admin)).toBe(true);
    });
  });

  test('a server that is addressed by IP must have that IP in its certificate', async () => {
    const { account } = await world('single-user');
    const secret = { ...account.secret, host: '127.0.0.1' };
    const context = { ...target.context, finding: () => {} };
    expect((await target.rotator.probe(secret, context)).outcome).toBe('accepted');
    await target.serverHandle.useCertificate({ hosts: ['localhost'] });
    try {
      expect(await target.rotator.probe(secret, context)).toMatchObject({
        outcome: 'unreachable',
        error: { code: 'TlsRefused' },
      });
    } finally {
      await target.serverHandle.useCertificate({});
    }
  });

  describe.each(['single-user', 'alternating-users'] as const)(
    '%s, where no password gets in',
    (strategy) => {
      const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);

      test('one that has expired is replaced by the admin, and counts as the user’s own', async () => {
        const { scene, account, rotate } = await world(strategy);
        await target.superuser([
          'SET GLOBAL disconnect_on_expired_password = ON',
          `ALTER USER ${account.secret.username} PASSWORD EXPIRE`,
        ]);
        try {
          expect(await target.logsIn(scene.current as unknown as Secret)).toBe(false);
          await rotate();
          expect(await target.logsIn(scene.current as unknown as Secret)).toBe(true);
          expect(codes(scene.findings)).not.toContain('CurrentCredentialRefused');
        } finally {
          await target.superuser('SET GLOBAL disconnect_on_expired_password = OFF');
        }
      });

      test('a user that too many wrong passwords have blocked is unblocked by the admin', async () => {
        const { scene, account, rotate } = await world(strategy);
        const wrong = { ...account.secret, password: 'a wrong password' };
        await target.superuser('SET GLOBAL max_password_errors = 2');
        try {
          for (let attempt = 0; attempt < 2; attempt += 1) expect(await target.logsIn(wrong)).toBe(false);
          expect(await target.logsIn(account.secret)).toBe(false);
          await rotate();
          expect(await target.logsIn(scene.current as unknown as Secret)).toBe(true);
        } finally {
          await target.superuser('SET GLOBAL max_password_errors = 4294967295');
        }
      });
    },
  );

  test('without an admin, a password that has expired is named as the cause', async () => {
    const { scene, account } = await world('single-user');
    scene.hasAdmin = false;
    await target.superuser([
      'SET GLOBAL disconnect_on_expired_password = ON',
      `ALTER USER ${account.secret.username} PASSWORD EXPIRE`,
    ]);
    try {
      expect(await failure(scene.rotate())).toMatchObject({
        code: 'CredentialUnusable',
        message: expect.stringContaining('the password has expired (1862)'),
      });
    } finally {
      await target.superuser('SET GLOBAL disconnect_on_expired_password = OFF');
    }
  });

  test('plaintext needs to be wanted, and is a finding', async () => {
    const { scene, account } = await world('single-user');
    await target.superuser(`ALTER USER ${account.secret.username} REQUIRE NONE`);
    scene.versions[0] = { ...account.secret, ssl: false } as never;
    await scene.rotate();
    expect(new Set(scene.findings.map(({ code }) => code))).toEqual(new Set(['PlaintextConnection']));
  });

  test.each([
    ['single-user', 0],
    ['alternating-users', 0],
    ['alternating-users', 1],
  ] as const)(
    '%s: containment does not lock the user that another rotation makes current just now (version %i)',
    async (strategy, at) => {
      const { scene, rotate } = await world(strategy);
      for (let version = 0; version < at; version += 1) await rotate();
      const leaked = scene.current as unknown as Secret;
      const stolen = await target.openSession(leaked);
      await rotate();
      const next = (await scene.propose()) as unknown as Secret;
      await target.rotator.apply(next, scene.applyContext as never);
      expect(await scene.contain(leaked as never, new Date())).toMatchObject({
        loginsRefused: true,
        sessionsEnded: 1,
      });
      expect(await stolen.alive()).toBe(false);
      expect([await target.logsIn(leaked), await target.logsIn(next)]).toEqual([false, true]);
    },
  );

  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-stored-proc-ending.html
  test('on RDS sessions are ended by its procedure, which the admin must be let use', async () => {
    const { scene, account } = await world('single-user');
    const admin = account.admin.username;
    const onRds = (await documented('mysql', 'admin on rds'))
      .split(';\n')
      .slice(1)
      .map((statement) => statement.replace(/;$/, '').replace('rekey_admin', admin));
    // RDS's own is defined by a user that may end sessions.
    await target.superuser([
      'CREATE OR REPLACE PROCEDURE mysql.rds_kill(IN thread BIGINT) SQL SECURITY DEFINER KILL CONNECTION thread',
      `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${admin}`,
      ...onRds.filter((statement) => !statement.includes('PROCEDURE')),
    ]);
    const session = await target.openSession(scene.current as unknown as Secret);
    try {
      expect(await failure(scene.contain(scene.current))).toMatchObject({
        code: 'PermissionMissing',
        message: expect.stringContaining(`GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO \`${admin}\``),
      });
      await target.superuser(onRds.filter((statement) => statement.includes('PROCEDURE')));
      expect(await scene.contain(scene.current)).toEqual({ loginsRefused: true, sessionsEnded: 1 });
      expect(await session.alive()).toBe(false);
    } finally {
      await session.close();
      await target.superuser('DROP PROCEDURE mysql.rds_kill');
    }
  });

  test('an admin that is the leaked user itself is not locked, and the result says so', async () => {
    const { account, scene } = await world('single-user');
    const own = new Scene(target as unknown as Target, 'single-user', {
      secret: account.admin,
      admin: account.admin,
    } as never);
    expect(await own.contain(own.current)).toMatchObject({ loginsRefused: false, sessionsEnded: 0 });
    await own.rotate();
    expect(await target.logsIn(account.admin)).toBe(false);
    expect(scene.findings).toEqual([]);
  });

  test('without an admin the user cannot be locked, and the result says so', async () => {
    const { scene } = await world('single-user');
    scene.hasAdmin = false;
    const session = await target.openSession(scene.current as unknown as Secret);
    expect(await scene.contain(scene.current)).toMatchObject({ loginsRefused: false, sessionsEnded: 1 });
    expect(await session.alive()).toBe(false);
  });
});
