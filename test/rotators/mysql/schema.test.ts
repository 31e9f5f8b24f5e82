import { describe, expect, test } from '@jest/globals';
import { check } from '../../../rotators/mysql/check.ts';
import { keepsTwoPasswords, parseVersion } from '../../../rotators/mysql/connection.ts';
import { connectError, statementError } from '../../../rotators/mysql/errors.ts';
import { alternateOf, type MysqlSecret, mysqlSecretSchema, portOf } from '../../../rotators/mysql/schema.ts';
import { accountName, literal, nativeHash } from '../../../rotators/mysql/sql.ts';

const secret: MysqlSecret = {
  engine: 'mysql',
  host: 'db.example',
  username: 'app',
  password: 'correct horse',
};

describe('the JSON of AWS’s functions', () => {
  test.each(['mysql', 'aurora-mysql', 'mariadb'])('is taken for %s, unknown keys kept', (engine) => {
    const json = {
      ...secret,
      engine,
      port: '3307',
      dbname: '',
      masterarn: 'arn:x',
      dbInstanceIdentifier: 'db-1',
    };
    expect(mysqlSecretSchema.parse(json)).toEqual(json);
  });

  test('has 3306 as its port', () => {
    expect([portOf(secret), portOf({ ...secret, port: '3307' })]).toEqual([3306, 3307]);
  });

  test.each([
    ['an engine of another type', { engine: 'postgres' }],
    ['a socket', { host: '/run/mysqld.sock' }],
    ['an empty user name', { username: '' }],
    ['a user name that the server cannot keep', { username: 'app🙂' }],
    ['a user name that is too long', { username: 'x'.repeat(33) }],
    ['a port that is none', { port: 70_000 }],
  ])('is refused with %s', (_name, change) => {
    expect(mysqlSecretSchema.safeParse({ ...secret, ...change }).success).toBe(false);
  });

  test('allows longer user names for MariaDB', () => {
    expect(
      mysqlSecretSchema.safeParse({ ...secret, engine: 'mariadb', username: 'x'.repeat(80) }).success,
    ).toBe(true);
    expect(
      mysqlSecretSchema.safeParse({ ...secret, engine: 'mariadb', username: 'x'.repeat(81) }).success,
    ).toBe(false);
  });
});

describe('the alternating pair', () => {
  const of = (username: string, engine: MysqlSecret['engine'] = 'mysql') =>
    alternateOf({ ...secret, engine, username });
  test('is the user and the clone', () => {
    expect([of('app'), of('app_clone')]).toEqual(['app_clone', 'app']);
  });
  test('has room for the suffix, in characters', () => {
    expect(of('é'.repeat(26))).toBe(`${'é'.repeat(26)}_clone`);
    expect(() => of('x'.repeat(27))).toThrow('33 characters, mysql allows 32');
    expect(of('x'.repeat(74), 'mariadb')).toHaveLength(80);
    expect(() => of('x'.repeat(75), 'mariadb')).toThrow('at most 74 characters');
    expect(() => of('_clone')).toThrow('no name before');
  });
});

test.each([
  ['the current password', 'correct horse', 'it is the current password'],
  ['a hash of MariaDB', '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', 'a password hash'],
  ['a hash of MySQL', '$A$005$abcdefgh', 'a password hash'],
  ['longer than caching_sha2_password takes', 'x'.repeat(257), 'longer than 256 bytes'],
])('a pending password that is %s is refused', (_name, password, fault) => {
  expect(() => check({ ...secret, password }, secret, 'single-user')).toThrow(fault);
});

describe('quoting', () => {
  test('keeps names and texts what they are', () => {
    expect(accountName({ user: 'a`b', host: '10.%' })).toBe('`a``b`@`10.%`');
    expect(literal(`it's a \\ "test"`)).toBe(`'it''s a \\\\ "test"'`);
  });
  test('hashes as the server does', () => {
    expect(nativeHash('password')).toBe('*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19');
  });
});

test.each([
  ['10.11.19-MariaDB-0+deb12u1-log', { mariadb: true, major: 10, minor: 11, patch: 19 }, false],
  ['5.5.5-10.4.1-MariaDB', { mariadb: true, major: 10, minor: 4, patch: 1 }, false],
  ['5.7.44', { mariadb: false, major: 5, minor: 7, patch: 44 }, false],
  ['8.0.13', { mariadb: false, major: 8, minor: 0, patch: 13 }, false],
  ['8.0.14', { mariadb: false, major: 8, minor: 0, patch: 14 }, true],
  ['8.4.0-log', { mariadb: false, major: 8, minor: 4, patch: 0 }, true],
  ['9.1.0-commercial', { mariadb: false, major: 9, minor: 1, patch: 0 }, true],
])('version %s', (text, version, two) => {
  expect(parseVersion(text)).toEqual(version);
  expect(keepsTwoPasswords(version)).toBe(two);
});

describe('errors', () => {
  const place = {
    where: 'user "app" at db:3306',
    encrypted: true,
    database: 'shop',
    username: 'app',
    host: 'db',
  };
  const answer = (errno: number) => ({ errno, sqlState: '42000', message: 'quotes IDENTIFIED BY secret' });
  test.each([
    [1045, 'AuthenticationRefused'],
    [3118, 'AuthenticationRefused'],
    [4151, 'AuthenticationRefused'],
    [1040, 'TargetBusy'],
    [1044, 'PermissionMissing'],
    [1049, 'DatabaseMissing'],
    [1130, 'TargetRefused'],
  ])('%d while logging in is %s', (errno, code) => {
    const error = connectError(answer(errno), place, 'login');
    expect([error.code, error.message.includes('IDENTIFIED')]).toEqual([code, false]);
  });
  test.each([
    [1227, 'PermissionMissing'],
    [1205, 'TargetTimeout'],
    [1290, 'TargetRefused'],
    [1819, 'PolicyRefused'],
    [1396, 'TargetRefused'],
  ])('%d to a statement is %s', (errno, code) => {
    const error = statementError(answer(errno), place, 'do it', 'GRANT it');
    expect([error.code, error.message.includes('IDENTIFIED')]).toEqual([code, false]);
  });
  test('a certificate that is not accepted is no outage, a lost connection is', () => {
    expect(connectError({ code: 'CERT_HAS_EXPIRED' }, place, 'tls').code).toBe('TlsRefused');
    expect(connectError({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, place, 'tls').code).toBe('TlsRefused');
    expect(connectError({ code: 'ECONNRESET', errno: -104 }, place, 'tls').code).toBe('TargetUnreachable');
    expect(connectError({ code: 'EPROTO', errno: -71 }, place, 'tls').code).toBe('TlsRefused');
  });
});
