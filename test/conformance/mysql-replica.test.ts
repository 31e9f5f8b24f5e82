import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import { newServerFolder } from '../../local/process/folders.ts';
import { type MariaDbServer, startMariaDb } from '../../local/servers/mariadb.ts';
import { type MysqlUnderTest, missing, start } from './drivers/mysql.ts';
import { failure, Scene, type Target } from './scene.ts';

// Statements of replication are MariaDB's own.
const described = process.env.REKEY_MYSQLD || (await missing?.()) !== undefined ? describe.skip : describe;

described('a secret whose host is a replica', () => {
  let target: MysqlUnderTest;
  let replica: MariaDbServer;
  let superuser: mysql.Connection;

  beforeAll(async () => {
    target = await start({ binaryLog: true });
    replica = await startMariaDb({
      directory: await newServerFolder('replica'),
      authorityName: 'Authority of the replica',
    });
    const { username: user, password } = replica.superuser;
    superuser = await mysql.createConnection({ socketPath: replica.socket, user, password });
    await target.superuser([
      "CREATE USER streamer IDENTIFIED BY 'of this test alone'",
      'GRANT REPLICATION SLAVE ON *.* TO streamer',
    ]);
    for (const statement of [
      'SET GLOBAL server_id = 2',
      'SET GLOBAL read_only = 1',
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${target.serverHandle.port},
         MASTER_USER = 'streamer', MASTER_PASSWORD = 'of this test alone', MASTER_SSL = 0,
         MASTER_USE_GTID = slave_pos`,
      'START SLAVE',
    ]) {
      await superuser.query(statement);
    }
  });
  afterAll(async () => {
    superuser?.destroy();
    await replica?.remove();
    await target?.stop();
  });

  /** Waits until the replica has everything that the source has written by now. */
  async function catchUp(): Promise<void> {
    const [row] = await target.superuser('SELECT @@gtid_binlog_pos AS at');
    const [rows] = await superuser.query('SELECT MASTER_GTID_WAIT(?, 60) AS done', [row?.at]);
    expect(rows).toEqual([{ done: 0 }]);
  }

  /** A secret of the replica, whose certificate is by an authority of its own. */
  async function world() {
    const account = await target.createAccount();
    await catchUp();
    const secret = { ...account.secret, port: replica.port };
    const scene = new Scene(target as unknown as Target, 'single-user', { ...account, secret } as never);
    const certificateAuthorities = [target.serverHandle.caPem, replica.caPem];
    scene.target = { ...scene.target, context: { ...target.context, certificateAuthorities } };
    const logIn = () =>
      mysql.createConnection({
        host: secret.host,
        port: replica.port,
        user: secret.username,
        password: secret.password,
        ssl: { ca: replica.caPem },
      });
    const session = await logIn();
    session.on('error', () => {});
    return {
      account,
      scene,
      session,
      alive: () =>
        session.query('SELECT 1').then(
          () => true,
          () => false,
        ),
      logsIn: () =>
        logIn().then(
          (connection) => connection.end().then(() => true),
          () => false,
        ),
    };
  }

  test('is refused without an admin, before anything changes', async () => {
    const { account, scene, session, logsIn } = await world();
    scene.hasAdmin = false;
    const { code, message } = await failure(scene.rotate());
    expect(code).toBe('TargetRefused');
    expect(message).toContain('an admin secret that names');
    expect([await target.logsIn(account.secret), await logsIn()]).toEqual([true, true]);
    session.destroy();
  });

  test('containment by an admin of the source ends the sessions at the replica as well', async () => {
    const { account, scene, alive, logsIn } = await world();
    const there = await target.openSession(account.secret);
    expect(await scene.contain(scene.current)).toEqual({ loginsRefused: true, sessionsEnded: 2 });
    expect([await alive(), await there.alive()]).toEqual([false, false]);
    expect([await logsIn(), await target.logsIn(account.secret)]).toEqual([false, false]);
  });

  test('containment says that logins go on at a replica that has not heard of it', async () => {
    const { scene, alive, logsIn } = await world();
    await superuser.query('STOP SLAVE SQL_THREAD');
    try {
      expect(await scene.contain(scene.current)).toEqual({
        loginsRefused: false,
        sessionsEnded: 1,
        note: expect.stringContaining('has not arrived'),
      });
      expect([await alive(), await logsIn()]).toEqual([false, true]);
    } finally {
      await superuser.query('START SLAVE SQL_THREAD');
    }
    await catchUp();
    expect(await scene.contain(scene.current)).toMatchObject({ loginsRefused: true });
    expect(await logsIn()).toBe(false);
  });
});
