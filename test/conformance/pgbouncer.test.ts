import { chown, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makePrivate, newServerFolder } from '../../local/process/folders.ts';
import { ChildServer, findProgram } from '../../local/servers/child-server.ts';
import { freePort } from '../../local/servers/free-port.ts';
import { postgresBinaries } from '../../local/servers/postgres-binaries.ts';
import { type PostgresUnderTest, start } from './drivers/postgresql.ts';
import { Scene, type Target } from './scene.ts';
import { worldOf } from './world.ts';

const program = await findProgram('pgbouncer');
if (program === undefined)
  console.warn('PgBouncer is not here, so nothing is tried through it: apt-get install -y pgbouncer');
const described = program === undefined ? describe.skip : describe;

/** PostgreSQL behind PgBouncer, which answers logins by itself and has its own words and no SQLSTATE for it. */
described('through PgBouncer', () => {
  let target: PostgresUnderTest;
  let port: number;
  let run: () => Promise<void>;
  const pooler = new ChildServer();

  beforeAll(async () => {
    target = await start();
    const { serverHandle: server } = target;
    const directory = await newServerFolder('pgbouncer');
    await makePrivate(directory, 'enterable');
    port = await freePort();
    const { user } = await postgresBinaries();
    const write = async (name: string, text: string): Promise<string> => {
      const path = join(directory, name);
      await writeFile(path, text, { mode: 0o600 });
      if (user !== undefined) await chown(path, user.uid, user.gid);
      return path;
    };
    const users = await write('users.txt', `"${server.superuser.username}" "${server.superuser.password}"\n`);
    const configuration = await write(
      'pgbouncer.ini',
      `[databases]
${['shop', 'postgres'].map((name) => `${name} = host=${server.host} port=${server.port} auth_user=${server.superuser.username}`).join('\n')}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
auth_query = SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1
pool_mode = session
`,
    );
    let said = '';
    run = () =>
      pooler.start({
        program: program ?? '',
        args: [configuration],
        ...(user === undefined ? {} : { options: { uid: user.uid, gid: user.gid } }),
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
    await run();
  });
  afterAll(async () => {
    await pooler.stop();
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
    await run();
  });

  test('a password that was changed by hand is repaired by the admin', async () => {
    const { scene, secret, probe } = await world();
    await target.superuser(`ALTER ROLE "${secret.username}" PASSWORD 'changed by hand'`);
    await scene.rotate();
    expect(await probe()).toEqual(['accepted', undefined]);
    expect(scene.findings.map(({ code }) => code)).toContain('CurrentCredentialRefused');
  });
});
