import { chown, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import pg from 'pg';
import { makePrivate, newServerFolder } from '../../local/process/folders.ts';
import { ChildServer, findProgram } from '../../local/servers/child-server.ts';
import { freePort } from '../../local/servers/free-port.ts';
import { postgresBinaries } from '../../local/servers/postgres-binaries.ts';
import { start } from './drivers/postgresql.ts';
import { Scene, type Target } from './scene.ts';

const program = await findProgram('pgbouncer');

/**
 * https://www.pgbouncer.org/config.html#query_wait_timeout: the login is PgBouncer's own, and the first statement waits for a connection to the server;
 * while the application has them all, it ends with 08P01 "query_wait_timeout". As "no more connections allowed" at the login that passes by itself (B33): an
 * error that is not tried again would end a revocation.
 */
(program === undefined ? test.skip : test)(
  'a pool of PgBouncer that is used up may be had later',
  async () => {
    const target = await start();
    const pooler = new ChildServer();
    try {
      const { serverHandle: server } = target;
      const directory = await newServerFolder('pgbouncer');
      await makePrivate(directory, 'enterable');
      const port = await freePort();
      const { user } = await postgresBinaries();
      const write = async (name: string, text: string): Promise<string> => {
        const path = join(directory, name);
        await writeFile(path, text, { mode: 0o600 });
        if (user !== undefined) await chown(path, user.uid, user.gid);
        return path;
      };
      const users = await write(
        'users.txt',
        `"${server.superuser.username}" "${server.superuser.password}"\n`,
      );
      const configuration = await write(
        'pgbouncer.ini',
        `[databases]
shop = host=${server.host} port=${server.port} auth_user=${server.superuser.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
auth_query = SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1
pool_mode = session
default_pool_size = 1
query_wait_timeout = 1
`,
      );
      await pooler.start({
        program: program ?? '',
        args: [configuration],
        ...(user === undefined ? {} : { options: { uid: user.uid, gid: user.gid } }),
        said: () => {},
        ready: () =>
          new Promise((resolve) => {
            const socket = connect(port, '127.0.0.1');
            socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
            socket.once('connect', () => socket.destroy());
          }),
        tail: async () => '',
      });
      const account = await target.createAccount();
      const secret = { ...account.secret, host: '127.0.0.1', port, ssl: false };
      const application = new pg.Client({
        ...{ host: secret.host, port, user: secret.username, password: secret.password, database: 'shop' },
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
