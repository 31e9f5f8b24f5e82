import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type HandStep, stepsByHand } from '../../rotators/by-hand.ts';
import type { SecretType } from '../../rotators/registry.ts';
import { type MysqlUnderTest, start as startMysql } from './drivers/mysql.ts';
import { type PostgresUnderTest, start as startPostgres } from './drivers/postgresql.ts';
import { type RedisUnderTest, start as startRedis } from './drivers/redis.ts';
import { availableTypes } from './scene.ts';
import type { Account, TargetUnderTest } from './target.ts';

/**
 * What `rekey revoke --by-hand` prints is run on real servers, line by line as a person would: the login is refused, the session
 * dead, and the new password works. Another user, whose name begins the same, notices nothing.
 */

interface Login {
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly port?: unknown;
}
/** Runs the lines of a step as the admin, and gives what the last printed. */
type Run<S> = (admin: S, lines: readonly string[]) => Promise<readonly string[]>;

const nasty = [
  'app',
  `quote"d`,
  "o'brien",
  'back\\slash',
  'ends in \\',
  'dollar$$quoted$1',
  'two\nlines',
  'right\u202eleft',
  '"; DROP ROLE app; --',
  "'; KILL 1; -- ",
  '`tick`',
  '<user>',
  'Größe-名前',
].map((name) => name.trimEnd());

const newPassword = 'Aa1-of-a-person';

const stepsOf = (type: SecretType, { secret, admin }: Account<Login>) => {
  const place = ({ username, host, port }: Login) => ({ username, host, port });
  return stepsByHand[type]({
    secret: '/prod/orders/db',
    fields: place(secret),
    admin: { secret: '/prod/db/admin', fields: place(admin) },
  }).steps;
};

/** Takes the steps as the admin, from one on to another, and puts the new password where a person would. */
async function take<S extends Login>(
  steps: readonly HandStep[],
  { admin, run, password }: { admin: S; run: Run<S>; password: string },
): Promise<void> {
  for (const { in: language, lines, printsLines } of steps) {
    if (language !== 'sql' && language !== 'redis-cli') continue;
    const printed = await run(
      admin,
      lines.map((line) => line.replace(/<new password>|<SHA-256 of the new password>/, password)),
    );
    if (printsLines === true) for (const line of printed) await run(admin, [line]);
  }
}

function suite<T extends TargetUnderTest<S>, S extends Login>(
  type: 'postgresql' | 'mysql' | 'redis',
  start: () => Promise<T>,
  {
    run,
    names,
    written = (password) => password,
  }: {
    run: (target: T) => Run<S>;
    names: readonly string[];
    written?: (password: string) => string;
  },
): void {
  const described = availableTypes.includes(type) ? describe : describe.skip;
  described(type, () => {
    let target: T;
    beforeAll(async () => {
      target = await start();
    });
    afterAll(() => target?.stop());

    test.each(names)('%j', async (name) => {
      const account = await target.createAccount({ name, exact: true });
      const other = await target.createAccount({ name: `${name}2`, exact: true });
      const { secret, admin } = account;
      const live = await target.openSession(secret);
      const bystander = await target.openSession(other.secret);
      const steps = stepsOf(type, account);
      const change = steps.findIndex(({ aim }) => aim === 'set a new credential');
      for (const line of steps.flatMap(({ lines }) => lines)) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      const as = { admin, run: run(target), password: written(newPassword) };

      await take(steps.slice(0, change), as);
      expect(await live.alive()).toBe(false);
      expect(await target.logsIn(secret)).toBe(false);
      expect(await bystander.alive()).toBe(true);
      expect(await target.logsIn(other.secret)).toBe(true);

      await take(steps.slice(change), as);
      expect(await target.logsIn(secret)).toBe(false);
      expect(await target.logsIn(target.withPassword(secret, newPassword))).toBe(true);
      await live.close();
      await bystander.close();
    });
  });
}

suite<PostgresUnderTest, Parameters<PostgresUnderTest['ask']>[0]>('postgresql', startPostgres, {
  run: (target) => async (admin, lines) => {
    await target.ask(admin, lines);
    return [];
  },
  names: nasty,
});

suite<MysqlUnderTest, Parameters<MysqlUnderTest['ask']>[0]>('mysql', startMysql, {
  run: (target) => async (admin, lines) =>
    (await target.ask(admin, lines)).flatMap((row) => Object.values(row).map(String)),
  names: nasty,
});

suite<RedisUnderTest, Parameters<RedisUnderTest['logsIn']>[0]>('redis', startRedis, {
  run: (target) => async (admin, lines) => {
    const { socketPath } = target.serverHandle;
    const child = promisify(execFile)('redis-cli', ['-s', socketPath, '--user', admin.username], {
      env: { ...process.env, REDISCLI_AUTH: admin.password },
    });
    child.child.stdin?.end(`${lines.join('\n')}\n`);
    const { stdout } = await child;
    expect(stdout).not.toMatch(/ERR|NOPERM|NOAUTH|WRONGPASS|Invalid/);
    return [];
  },
  // ACL users have no spaces in their names.
  names: nasty.filter((name) => !/\s/.test(name)),
  written: (password) => createHash('sha256').update(password).digest('hex'),
});
