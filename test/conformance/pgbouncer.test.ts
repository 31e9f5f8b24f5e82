import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { pgbouncer, poolerOf } from './pooler.ts';
import { Scene, type Target } from './scene.ts';
import { worldOf } from './world.ts';

if (pgbouncer === undefined)
  console.warn('PgBouncer is not here, so nothing is tried through it: apt-get install -y pgbouncer');
const described = pgbouncer === undefined ? describe.skip : describe;

/** PostgreSQL behind PgBouncer, which answers logins by itself and has its own words and no SQLSTATE for it. */
described('through PgBouncer', () => {
  let target: PostgresUnderTest;
  let port: number;
  let pooler: Awaited<ReturnType<typeof poolerOf>>;

  beforeAll(async () => {
    target = await start();
    pooler = await poolerOf(target, ['shop', 'postgres']);
    port = pooler.port;
    await pooler.start();
  });
  afterAll(async () => {
    await pooler?.stop();
    await target?.stop();
  });

  async function world() {
    const { account } = await worldOf(target, 'single-user');
    const behind = { host: '127.0.0.1', port, ssl: false };
    const secret = { ...account.secret, ...behind };
    const scene = new Scene(target as unknown as Target, 'single-user', {
      secret,
      admin: { ...account.admin, ...behind },
    } as never);
    const probe = async (changed: object = {}) => {
      const probed = { ...scene.current, ...changed } as typeof secret;
      const result = await target.rotator.probe(probed, { ...target.context, finding: () => {} });
      return [result.outcome, 'error' in result ? result.error.code : undefined];
    };
    return { scene, secret, probe };
  }

  test('a refused password and a user that is not there are refused, nothing else is', async () => {
    const { probe } = await world();
    expect(await probe()).toEqual(['accepted', undefined]);
    expect(await probe({ password: 'a wrong password' })).toEqual(['rejected', 'AuthenticationRefused']);
    expect(await probe({ username: 'nobody_at_all' })).toEqual(['rejected', 'AuthenticationRefused']);
    await pooler.stop();
    expect(await probe()).toEqual(['unreachable', 'TargetUnreachable']);
    await pooler.start();
  });

  test('a password that was changed by hand is repaired by the admin', async () => {
    const { scene, secret, probe } = await world();
    await target.superuser(`ALTER ROLE "${secret.username}" PASSWORD 'changed by hand'`);
    await scene.rotate();
    expect(await probe()).toEqual(['accepted', undefined]);
    expect(scene.findings.map(({ code }) => code)).toContain('CurrentCredentialRefused');
  });
});
