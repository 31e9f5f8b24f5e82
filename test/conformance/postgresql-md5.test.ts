import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../local/tour/eventually.ts';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { worldOf } from './world.ts';

let target: PostgresUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target?.stop());

/**
 * B14 (CrunchyData/postgres-operator#2772) where the admin repairs: `password_encryption` is md5, the user has MD5 and its clients know nothing
 * else, the admin has SCRAM. The page: "MD5 where AWS's functions get MD5, too". The refused login has shown what the server asks of this user
 * (AuthenticationMD5Password, https://www.postgresql.org/docs/current/protocol-flow.html), but what the admin's own login was asked for decides.
 */
test.each([
  ['single-user', 'repaired by the admin', true],
  ['alternating-users', 'set by the admin though no version logs in', true],
] as const)('%s: the form of a user with MD5 stays when it is %s', async (strategy, _how, isChanged) => {
  const { account, name, clone, rotate } = await worldOf(target, strategy);
  const roles = [name, account.admin.username];
  await target.superuser(roles.map((role) => `ALTER ROLE "${role}" SET password_encryption = 'md5'`));
  const file = join(dirname(target.serverHandle.logFile), 'data', 'pg_hba.conf');
  const rules = await readFile(file, 'utf8');
  await writeFile(file, `host all ${name} all md5\nhost all ${clone} all md5\n${rules}`);
  await target.superuser('SELECT pg_reload_conf()');
  try {
    await target.superuser([
      "SET password_encryption = 'md5'",
      `ALTER ROLE ${name} PASSWORD '${account.secret.password}'`,
    ]);
    await eventually('the rule to be read', () => target.logsIn(account.secret));
    if (isChanged) {
      await target.superuser(["SET password_encryption = 'md5'", `ALTER ROLE ${name} PASSWORD 'by hand'`]);
    }
    const next = await rotate();
    expect(await target.logsIn(next)).toBe(true);
    const [row] = await target.superuser(
      `SELECT rolpassword AS kept FROM pg_authid WHERE rolname = '${next.username}'`,
    );
    expect(String(row?.kept)).toMatch(/^md5[0-9a-f]{32}$/);
  } finally {
    await writeFile(file, rules);
    await target.superuser('SELECT pg_reload_conf()');
  }
});
