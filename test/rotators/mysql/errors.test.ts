import { expect, test } from '@jest/globals';
import { connectError, statementError } from '../../../rotators/mysql/errors.ts';

const place = {
  where: 'user "app" at db:3306/shop',
  encrypted: false,
  database: 'shop',
  username: 'app',
  host: 'db',
};
const answer = (errno: number, sqlState = 'HY000') =>
  Object.assign(new Error('withheld'), { errno, sqlState });

/**
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html#error_er_secure_transport_required: `require_secure_transport`, which RDS for MySQL 8.4 has on by default,
 * and a secret with `"ssl": false`. PostgreSQL's counterpart (28000) is explained.
 */
test('a server that demands TLS (3159) is named as one', () => {
  expect(connectError(answer(3159), place, 'login').message).toMatch(/TLS|ssl/);
});

/**
 * What passes by itself is tried again: https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_offline_mode (3032, also by Group Replication for a node
 * that has left), https://galeracluster.com/library/documentation/node-states.html (1047, "WSREP has not yet prepared node for application use").
 */
test('a server in offline mode (3032) may be had later', () => {
  expect(connectError(answer(3032), place, 'login')).toMatchObject({ retryable: true });
  expect(statementError(answer(3032), place, 'set a password', '')).toMatchObject({ retryable: true });
});

test('a node of Galera that is not in the cluster now (1047) may be had later', () => {
  expect(statementError(answer(1047, '08S01'), place, 'prepare the session', '')).toMatchObject({
    retryable: true,
  });
});
