import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { systemRandom } from '../../adapters/system.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import { type Step, steps } from '../../lambdas/rotation/event.ts';
import { newServerFolder } from '../../local/process/folders.ts';
import { type PostgresServer, startPostgres } from '../../local/servers/postgres.ts';
import { rotator as postgresql } from '../../rotators/postgresql/rotator.ts';
import { outcome } from '../chaos/histories.ts';
import { engine, naming } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { type Line, layLine } from './cut.ts';

/** A secret whose host is a streaming replica, and one whose server fails over to its replica in the middle of a rotation. */

type Secret = Record<string, unknown>;
const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-GhIjKl';

let primary: PostgresServer;
let standby: PostgresServer;
let line: Line;
const folders: string[] = [];
let accounts = 0;

const folder = async (name: string): Promise<string> => {
  const made = await newServerFolder(name);
  folders.push(made);
  return made;
};
beforeAll(async () => {
  primary = await startPostgres({ directory: await folder('primary') });
});
beforeEach(async () => {
  standby = await startPostgres({ directory: await folder('standby'), standbyOf: primary });
  line = await layLine(primary.port);
}, 60_000);
afterEach(async () => {
  await line.close();
  await standby.remove();
});
afterAll(async () => {
  await primary.remove();
  for (const made of folders) await rm(made, { recursive: true, force: true });
});

async function ask(server: PostgresServer, sql: string): Promise<Secret[]> {
  const { username: user, password } = server.superuser;
  const at = { host: server.host, port: server.port, database: 'postgres', ssl: { ca: server.caPem } };
  const client = new pg.Client({ ...at, user, password });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`did not happen in 30 s: ${what}`);
  }
}

/** Waits until the replica has all that the primary has. */
async function caughtUp(): Promise<void> {
  const [row] = await ask(primary, 'SELECT pg_current_wal_lsn()::text AS lsn');
  await eventually('the replica has caught up', async () => {
    const [at] = await ask(standby, `SELECT pg_last_wal_replay_lsn() >= '${row?.lsn}'::pg_lsn AS caught`);
    return at?.caught === true;
  });
}

async function world(strategy: Strategy, port: number, adminPort = port) {
  accounts += 1;
  const [username, adminName] = [`app_${accounts}`, `admin_${accounts}`];
  const password = `first password ${accounts}`;
  await ask(primary, `CREATE ROLE ${username} LOGIN PASSWORD '${password}'`);
  await ask(primary, `CREATE ROLE ${adminName} LOGIN CREATEROLE PASSWORD '${password}'`);
  await ask(primary, `GRANT ${username} TO ${adminName} WITH ADMIN OPTION`);
  await ask(primary, `GRANT pg_signal_backend TO ${adminName}`);
  await caughtUp();
  const common = { engine: 'postgres', host: 'localhost', dbname: 'postgres' };
  const masterarn = strategy === 'alternating-users' || adminPort !== port ? { masterarn: adminArn } : {};
  const first: Secret = { ...common, port, username, password, ...masterarn };
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(first));
  store.create(adminArn, JSON.stringify({ ...common, port: adminPort, username: adminName, password }));
  const target = {
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
    certificateAuthorities: [primary.caPem],
  };
  const lifecycle = engine({
    rotator: postgresql as never,
    store,
    strategy,
    target,
    definitions: naming(first),
  });
  const run = (step: Step, token = 'next') =>
    outcome(lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token }));
  return {
    store,
    run,
    begin: (token = 'next') => store.begin(arn, token),
    current: (): Secret => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}'),
    admin: (): Secret => JSON.parse(store.peek(adminArn, 'AWSCURRENT')?.value ?? '{}'),
    probe: async (secret: Secret) =>
      (await postgresql.probe(secret as never, { ...target, finding: () => {} })).outcome,
    /** All steps, again from the first while one fails, as Secrets Manager does. */
    rotate: async (token = 'next') => {
      for (let tries = 0; tries < 5; tries += 1) {
        let failure: Error | undefined;
        for (const step of steps) failure ??= await run(step, token);
        if (failure === undefined) return tries;
      }
      throw new Error('five tries failed');
    },
  };
}

describe('a secret whose host is a streaming replica', () => {
  test.each(['single-user', 'alternating-users'] as const)(
    '%s: the rotation is refused before anything changes, and the error says why',
    async (strategy) => {
      const { run, begin, current, probe } = await world(strategy, standby.port);
      const before = current();
      expect(await probe(before)).toBe('accepted');
      begin();
      expect(await run('createSecret')).toBeUndefined();
      expect(await run('setSecret')).toMatchObject({
        code: 'TargetRefused',
        message: expect.stringMatching(/read replica|standby|read-only/),
      });
      expect([current(), await probe(before)]).toEqual([before, 'accepted']);
      const [count] = await ask(primary, `SELECT count(*)::int AS n FROM pg_roles WHERE rolname ~ '_clone$'`);
      expect(count).toEqual({ n: 0 });
    },
  );

  test('its password is changed by an admin of the primary, and tried at the replica when it has arrived', async () => {
    const { begin, rotate, current, probe } = await world('single-user', standby.port, primary.port);
    const before = current();
    begin();
    await rotate();
    expect(current().port).toBe(standby.port);
    expect([await probe(current()), await probe(before)]).toEqual(['accepted', 'rejected']);
  });
});

describe('a revocation of a secret whose host is a streaming replica', () => {
  /** A session of the user at a server, which somebody else keeps open. */
  const openSession = async (server: PostgresServer, { username, password }: Secret) => {
    const at = { host: server.host, port: server.port, database: 'postgres', ssl: { ca: server.caPem } };
    const client = new pg.Client({ ...at, user: String(username), password: String(password) });
    client.on('error', () => {});
    await client.connect();
    return async (): Promise<boolean> => {
      const alive = await client.query('SELECT 1').then(
        () => true,
        () => false,
      );
      await client.end().catch(() => {});
      return alive;
    };
  };
  const contain = async (secret: Secret, admin: Secret | undefined, current = secret) =>
    await postgresql.contain(secret as never, {
      strategy: 'single-user',
      random: systemRandom,
      finding: () => {},
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
      certificateAuthorities: [primary.caPem],
      credentials: {
        current: current as never,
        admin: async () => admin as never,
        isAssigned: async () => true,
        previous: async () => undefined,
        async *others() {},
      },
    });

  test('by an admin of the primary ends the login, and the sessions at both servers', async () => {
    const { current, admin } = await world('single-user', standby.port, primary.port);
    const sessions = [await openSession(primary, current()), await openSession(standby, current())];
    expect(await contain(current(), admin())).toMatchObject({ loginsRefused: true, sessionsEnded: 2 });
    expect(await Promise.all(sessions.map((alive) => alive()))).toEqual([false, false]);
  });

  test('says that logins go on at a replica that has not heard of it', async () => {
    const { current, admin, probe } = await world('single-user', standby.port, primary.port);
    const alive = await openSession(standby, current());
    await ask(standby, 'SELECT pg_wal_replay_pause()');
    expect(await contain(current(), admin())).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('has not arrived'),
    });
    expect([await alive(), await probe(current())]).toEqual([false, 'accepted']);
    await ask(standby, 'SELECT pg_wal_replay_resume()');
    await caughtUp();
    expect(await contain(current(), admin())).toMatchObject({ loginsRefused: true });
    expect(await probe(current())).toBe('rejected');
  });

  test('by an admin of the replica itself fails with the cause, and changes nothing', async () => {
    const { current, admin, probe } = await world('single-user', standby.port);
    const failed = await outcome(contain(current(), admin()));
    expect(failed).toMatchObject({ code: 'TargetRefused' });
    expect(failed?.message).toMatch(/standby \(0A000\); name the primary/);
    expect(await probe(current())).toBe('accepted');
  });

  test('of an older password ends the sessions that began with it', async () => {
    const { begin, rotate, current, probe } = await world('single-user', standby.port, primary.port);
    const leaked = current();
    const alive = await openSession(standby, leaked);
    begin();
    await rotate();
    expect(await contain(leaked, undefined, current())).toMatchObject({
      loginsRefused: true,
      sessionsEnded: 1,
    });
    expect([await alive(), await probe(current()), await probe(leaked)]).toEqual([
      ...[false, 'accepted', 'rejected'],
    ]);
  });

  test('without an admin ends the sessions at the replica, and says that logins go on', async () => {
    const { current } = await world('single-user', standby.port);
    const alive = await openSession(standby, current());
    expect(await contain(current(), undefined)).toMatchObject({ loginsRefused: false, sessionsEnded: 1 });
    expect(await alive()).toBe(false);
  });
});

describe('a failover between set and test', () => {
  const failOver = async () => {
    await primary.stop();
    await ask(standby, 'SELECT pg_promote(true, 60)');
    line.leadTo(standby.port);
  };
  const cutOff = async () => {
    await ask(standby, `ALTER SYSTEM SET primary_conninfo = ''`);
    await ask(standby, 'SELECT pg_reload_conf()');
    await eventually('the replica receives no more', async () => {
      return (await ask(standby, 'SELECT 1 FROM pg_stat_wal_receiver')).length === 0;
    });
  };
  afterEach(async () => {
    await primary.start();
  });

  test.each([
    ['single-user', true],
    ['single-user', false],
    ['alternating-users', true],
    ['alternating-users', false],
  ] as const)(
    '%s, the replica has the new password: %s; the rotation ends with a login that works',
    async (strategy, arrived) => {
      const { store, run, begin, rotate, current, probe } = await world(strategy, line.port);
      const before = current();
      begin();
      expect(await run('createSecret')).toBeUndefined();
      if (!arrived) await cutOff();
      expect(await run('setSecret')).toBeUndefined();
      if (arrived) await caughtUp();
      await failOver();
      expect(await probe(before)).toBe(arrived && strategy === 'single-user' ? 'rejected' : 'accepted');
      const tested = await run('testSecret');
      expect(tested === undefined).toBe(arrived);
      expect(await rotate()).toBe(0);
      expect(await probe(current())).toBe('accepted');
      expect(store.values(arn)).toHaveLength(2);
      expect(store.peek(arn, 'AWSPREVIOUS')?.value).toBe(JSON.stringify(before));
    },
    60_000,
  );

  test.each(['single-user', 'alternating-users'] as const)(
    '%s: a try that meets the replica before its promotion changes nothing, and the next ends the rotation',
    async (strategy) => {
      const { store, run, begin, rotate, current, probe } = await world(strategy, line.port);
      const before = current();
      await ask(standby, 'SELECT pg_wal_replay_pause()');
      begin();
      expect(await run('createSecret')).toBeUndefined();
      expect(await run('setSecret')).toBeUndefined();
      const [row] = await ask(primary, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
      await eventually('the replica has received the password', async () => {
        const [at] = await ask(
          standby,
          `SELECT pg_last_wal_receive_lsn() >= '${row?.lsn}'::pg_lsn AS received`,
        );
        return at?.received === true;
      });
      line.leadTo(standby.port);
      expect(await run('setSecret')).toMatchObject({ code: 'TargetRefused' });
      expect(await run('testSecret')).toMatchObject({ code: 'AuthenticationRefused' });
      expect([current(), await probe(before)]).toEqual([before, 'accepted']);
      // A promotion ends the pause: what was received is replayed first.
      await failOver();
      expect(await rotate()).toBe(0);
      expect(await probe(current())).toBe('accepted');
      expect(store.values(arn)).toHaveLength(2);
      expect(store.peek(arn, 'AWSPREVIOUS')?.value).toBe(JSON.stringify(before));
    },
    60_000,
  );

  test('a password that was lost after the rotation is repaired by the next, with the previous one', async () => {
    const { store, begin, rotate, current, probe } = await world('single-user', line.port);
    const before = current();
    await cutOff();
    begin();
    expect(await rotate()).toBe(0);
    await failOver();
    expect([await probe(current()), await probe(before)]).toEqual(['rejected', 'accepted']);
    begin('after');
    expect(await rotate('after')).toBe(0);
    expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe('after');
    expect(await probe(current())).toBe('accepted');
  }, 60_000);
});
