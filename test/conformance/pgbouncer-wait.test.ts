import { expect, test } from '@jest/globals';
import pg from 'pg';
import { start } from './drivers/postgresql.ts';
import { pgbouncer, poolerOf } from './pooler.ts';
import { Scene, type Target } from './scene.ts';

/**
 * https://www.pgbouncer.org/config.html#query_wait_timeout: the login is PgBouncer's own, and the first statement waits for a connection to the server;
 * while the application has them all, it ends with 08P01 "query_wait_timeout". As "no more connections allowed" at the login that passes by itself (B33): an
 * error that is not tried again would end a revocation.
 */
(pgbouncer === undefined ? test.skip : test)(
  'a pool of PgBouncer that is used up may be had later',
  async () => {
    const target = await start();
    const pooler = await poolerOf(target, ['shop'], ['default_pool_size = 1', 'query_wait_timeout = 1']);
    try {
      await pooler.start();
      const account = await target.createAccount();
      const secret = { ...account.secret, host: '127.0.0.1', port: pooler.port, ssl: false };
      const application = new pg.Client({
        host: secret.host,
        port: secret.port,
        user: secret.username,
        password: secret.password,
        database: 'shop',
      });
      application.on('error', () => {});
      await application.connect();
      await application.query('SELECT 1');
      const scene = new Scene(target as unknown as Target, 'single-user', { ...account, secret } as never);
      scene.hasAdmin = false;
      await expect(scene.rotate()).rejects.toMatchObject({ retryable: true });
      await application.end();
    } finally {
      await pooler.stop();
      await target.stop();
    }
  },
);
