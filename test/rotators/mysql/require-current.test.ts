import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import mysql from 'mysql2';
import { systemRandom } from '../../../adapters/system.ts';
import { rotator } from '../../../rotators/mysql/rotator.ts';
import type { MysqlSecret } from '../../../rotators/mysql/schema.ts';

/**
 * What MySQL 8 answers to a user that must name its current password when it changes it (`password_require_current = ON`, or `ALTER USER app
 * PASSWORD REQUIRE CURRENT`): 3892, unless the statement has REPLACE. Accounts with CREATE USER, and so admins, need not.
 * https://dev.mysql.com/doc/refman/8.4/en/password-management.html#password-reverification-policy
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html#error_er_missing_current_password
 */
test('a user that must name its current password rotates without an admin', async () => {
  const statements: string[] = [];
  const server = mysql.createServer(() => {});
  // biome-ignore lint/suspicious/noExplicitAny: the server side of the driver has no types of its own
  server.on('connection', (connection: any) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.4.3',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 45,
      capabilityFlags: 0xffffff & ~2048,
      authCallback: (_: unknown, done: (error: null) => void) => {
        done(null);
        connection.sequenceId = 0;
      },
    });
    // The driver hands SET here.
    connection.on('stmt_prepare', () => {
      connection.writeOk();
      connection.sequenceId = 0;
    });
    connection.on('error', () => {});
    connection.on('query', (sql: string) => {
      statements.push(sql);
      if (/^SELECT VERSION/.test(sql)) {
        const column = { catalog: 'def', schema: '', table: '', orgTable: '', name: 'version', orgName: '' };
        connection.writeTextResult(
          [{ version: '8.4.3' }],
          [{ ...column, characterSet: 45, columnLength: 100, columnType: 253, flags: 0, decimals: 0 }],
        );
      } else if (/^(ALTER USER|SET PASSWORD)/.test(sql) && !/ REPLACE '/.test(sql)) {
        connection.writeError({
          code: 3892,
          message: 'Current password needs to be specified in the REPLACE clause in order to change it.',
        });
      } else {
        connection.writeOk();
      }
      connection.sequenceId = 0;
    });
  });
  server.listen(0);
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const net = (server as any)._server;
  if (!net.listening) await once(net, 'listening');
  const { port } = net.address() as AddressInfo;
  const current: MysqlSecret = {
    engine: 'mysql',
    host: '127.0.0.1',
    port,
    ssl: false,
    username: 'app',
    password: 'the current password',
  };
  try {
    await rotator.apply(
      { ...current, password: 'the next password' },
      {
        connectTimeoutMs: 2_000,
        statementTimeoutMs: 2_000,
        finding: () => {},
        strategy: 'single-user',
        random: systemRandom,
        credentials: {
          current,
          admin: async () => undefined,
          previous: async () => undefined,
          async *others() {},
          isAssigned: async () => false,
        },
      },
    );
    expect(statements.some((sql) => /'the next password' REPLACE 'the current password'/.test(sql))).toBe(
      true,
    );
  } finally {
    net.close();
  }
});
