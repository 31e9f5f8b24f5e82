import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { newServerFolder } from '../../local/process/folders.ts';
import { type MariaDbServer, startMariaDb } from '../../local/servers/mariadb.ts';
import { type MysqlUnderTest, missing as missingMysql, start as startMysql } from './drivers/mysql.ts';
import { start as startPostgres } from './drivers/postgresql.ts';
import { missing as missingRedis, type RedisUnderTest, start as startRedis } from './drivers/redis.ts';
import { worldOf } from './world.ts';

/*
 * The kind of spotahome/redis-operator#568 and redis/redis#11063: the servers behind the one in `host` log in to it as the user that is
 * rotated, with the password from a file of their own. Nothing fails at once: the link goes down at the next reconnect, and with it
 * high availability. Rekey says so of Redis' replicas alone, and is silent of everything else that it can see.
 */

const mariadb = process.env.REKEY_MYSQLD || (await missingMysql?.()) !== undefined ? describe.skip : describe;

/** https://mariadb.com/kb/en/setting-up-replication/: MASTER_USER and MASTER_PASSWORD stand in the replica. */
mariadb('a user as whom replicas of MariaDB log in', () => {
  let target: MysqlUnderTest;
  let replica: MariaDbServer;
  let superuser: mysql.Connection;
  beforeAll(async () => {
    target = await startMysql({ binaryLog: true });
    replica = await startMariaDb({
      directory: await newServerFolder('replica'),
      authorityName: 'Authority of the replica',
    });
    const { username: user, password } = replica.superuser;
    superuser = await mysql.createConnection({ socketPath: replica.socket, user, password });
  });
  afterAll(async () => {
    superuser?.destroy();
    await replica?.remove();
    await target?.stop();
  });
  const threads = async (): Promise<{ running: unknown; fault: unknown }> => {
    const [rows] = await superuser.query('SHOW SLAVE STATUS');
    const [row] = rows as Record<string, unknown>[];
    return { running: row?.Slave_IO_Running, fault: row?.Last_IO_Errno };
  };
  const until = async (wanted: (state: Awaited<ReturnType<typeof threads>>) => boolean) => {
    for (let look = 0; look < 100; look += 1) {
      const state = await threads();
      if (wanted(state)) return state;
      await sleep(100);
    }
    return await threads();
  };

  test('is rotated with a finding that says that replication ends', async () => {
    const { account, rotate, codes } = await worldOf(target, 'single-user');
    const { username, password } = account.secret;
    await target.superuser(`GRANT REPLICATION SLAVE ON *.* TO ${username}`);
    for (const statement of [
      'SET GLOBAL server_id = 2',
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${target.serverHandle.port},
         MASTER_USER = '${username}', MASTER_PASSWORD = '${password}', MASTER_SSL = 0, MASTER_USE_GTID = slave_pos`,
      'START SLAVE',
    ]) {
      await superuser.query(statement);
    }
    expect((await until(({ running }) => running === 'Yes')).running).toBe('Yes');
    await rotate();
    await superuser.query('STOP SLAVE');
    await superuser.query('START SLAVE');
    // What the finding should have said.
    expect((await until(({ fault }) => Number(fault) === 1045)).fault).toBe(1045);
    expect(codes()).not.toEqual([]);
  });
});

/** https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-PRIMARY-CONNINFO: the password stands in the standby. */
test('a role as which standbys of PostgreSQL log in is rotated with a finding', async () => {
  const target = await startPostgres();
  try {
    const { account, name, rotate, codes } = await worldOf(target, 'single-user');
    await target.superuser(`ALTER ROLE ${name} REPLICATION`);
    const { secret } = account;
    const standby = new pg.Client({
      host: secret.host,
      port: Number(secret.port),
      user: name,
      password: secret.password,
      database: 'shop',
      ssl: { ca: target.serverHandle.caPem },
      replication: 'database',
    } as pg.ClientConfig);
    standby.on('error', () => {});
    await standby.connect();
    const shown = await target.superuser(`SELECT usename FROM pg_stat_replication`);
    expect(shown).toEqual([{ usename: name }]);
    await rotate();
    await standby.end();
    expect(codes()).not.toEqual([]);
  } finally {
    await target.stop();
  }
});

/**
 * https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#redis-access-control-list-authentication: `sentinel auth-user` and
 * `auth-pass`. Sentinels name their connections `sentinel-<id>-cmd` and `-pubsub`, which CLIENT LIST shows; the documented
 * permissions hold +client|list.
 */
((await missingRedis()) === undefined ? test : test.skip)(
  'a user as whom Sentinels log in is rotated with a finding',
  async () => {
    const target: RedisUnderTest = await startRedis();
    try {
      const { account, name, rotate, codes, scene } = await worldOf(target, 'single-user');
      await target.superuser(['ACL', 'SETUSER', name, '+client|setname', '+ping']);
      const { RedisClient } = await import('@redis/client');
      const sentinel = new RedisClient({
        username: name,
        password: account.secret.password,
        name: 'sentinel-1a2b3c4d-cmd',
        RESP: 2,
        disableClientInfo: true,
        socket: {
          host: account.secret.host,
          port: Number(account.secret.port),
          tls: true,
          ca: target.serverHandle.caPem,
          reconnectStrategy: false,
        },
      } as never);
      sentinel.on('error', () => {});
      await sentinel.connect();
      await rotate();
      sentinel.destroy();
      expect({ codes: codes(), of: scene.findings.map(({ message }) => message).join() }).toEqual({
        codes: expect.arrayContaining([expect.any(String)]),
        of: expect.stringContaining('entinel'),
      });
    } finally {
      await target.stop();
    }
  },
);
