import { chown, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { makePrivate, newServerFolder } from '../../local/process/folders.ts';
import { ChildServer, findProgram } from '../../local/servers/child-server.ts';
import { freePort } from '../../local/servers/free-port.ts';
import { postgresBinaries } from '../../local/servers/postgres-binaries.ts';
import type { PostgresUnderTest } from './drivers/postgresql.ts';

/** Path of PgBouncer; undefined where it is not on this machine. */
export const pgbouncer = await findProgram('pgbouncer');

/**
 * Prepares PgBouncer before a server, which pools by session and logs in as the user does.
 * @param settings - further lines of its configuration
 */
export async function poolerOf(
  { serverHandle: server }: PostgresUnderTest,
  databases: readonly string[],
  settings: readonly string[] = [],
) {
  const pooler = new ChildServer();
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
  const { username, password } = server.superuser;
  const users = await write('users.txt', `"${username}" "${password}"\n`);
  const configuration = await write(
    'pgbouncer.ini',
    `[databases]
${databases.map((name) => `${name} = host=${server.host} port=${server.port} auth_user=${username}`).join('\n')}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
auth_query = SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1
pool_mode = session
${settings.map((line) => `${line}\n`).join('')}`,
  );
  let said = '';
  const start = () =>
    pooler.start({
      program: pgbouncer ?? '',
      args: [configuration],
      ...(user !== undefined && { options: { uid: user.uid, gid: user.gid } }),
      said: (text) => {
        said = `${said}${text}`.slice(-2000);
      },
      ready: () =>
        new Promise((resolve) => {
          const socket = connect(port, '127.0.0.1');
          socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
          socket.once('connect', () => socket.destroy());
        }),
      tail: async () => said,
    });
  return { port, start, stop: () => pooler.stop() };
}
