import { describe, expect, test } from '@jest/globals';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import { passwordRules } from '../../../rotators/redis/apply.ts';
import { check } from '../../../rotators/redis/check.ts';
import { containmentRules, sessionsOf } from '../../../rotators/redis/contain.ts';
import { commandError, connectError, loginError, replyError } from '../../../rotators/redis/errors.ts';
import { hashOf, portOf, type RedisSecret, redisSecretSchema } from '../../../rotators/redis/schema.ts';
import { type AclUser, isPrivileged, parseUser } from '../../../rotators/redis/user.ts';

const secret = (password: string, more: object = {}): RedisSecret => ({
  engine: 'redis',
  host: 'redis.example',
  username: 'app',
  password,
  ...more,
});
const user = (more: Partial<AclUser> = {}): AclUser => ({
  on: true,
  nopass: false,
  passwords: [],
  privileged: false,
  ...more,
});
const [next, current, other] = [secret('the next one'), secret('the current one'), secret('another')];
const [n, c, o] = [hashOf(next), hashOf(current), hashOf(other)];

describe('a secret', () => {
  test('keeps the keys that it does not know, and the form of those that it does', () => {
    const json = { ...current, port: '6380', ssl: 'False', team: { a: [1] } };
    expect(redisSecretSchema.parse(json)).toEqual(json);
    expect([portOf(json), portOf(current)]).toEqual([6380, 6379]);
  });

  test.each([
    { username: 'with space' },
    { username: 'line\nbreak' },
    { username: '' },
    { host: '/run/redis.sock' },
    { engine: 'memcached' },
    { port: 0 },
  ])('%j is refused', (change) => {
    expect(redisSecretSchema.safeParse({ ...current, ...change }).success).toBe(false);
  });

  test('is named to the server by the SHA-256 of its password', () => {
    expect(hashOf({ password: 'abc' })).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('with a hash for a password is refused before the target hears of it', () => {
    for (const password of [c, `#${c}`, 'app', 'APP', current.password]) {
      expect(() => check(secret(password), current)).toThrow(
        expect.objectContaining({ code: 'PendingValueRefused' }),
      );
    }
    expect(() => check(secret(`${c}0`), current)).not.toThrow();
  });
});

describe('rules of a rotation', () => {
  const rules = (acl: AclUser, strategy: 'single-user' | 'dual-credential') =>
    passwordRules(acl, next, current, strategy);

  test('one password: the next alone', () => {
    expect(rules(user({ passwords: [c, o] }), 'single-user')).toEqual([`#${n}`, `!${c}`, `!${o}`]);
    expect(rules(user({ passwords: [n] }), 'single-user')).toEqual([]);
  });

  test('two passwords: the next and the current one', () => {
    expect(rules(user({ passwords: [o, c] }), 'dual-credential')).toEqual([`#${n}`, `!${o}`]);
    expect(rules(user({ passwords: [c, n] }), 'dual-credential')).toEqual([]);
  });

  test('a password that was taken away does not come back', () => {
    expect(rules(user({ passwords: [o] }), 'dual-credential')).toEqual([`#${n}`, `!${o}`]);
    expect(rules(user({ on: false, passwords: [c] }), 'dual-credential')).toEqual(['on', `#${n}`, `!${c}`]);
  });

  test('a user that took any password has its two', () => {
    expect(rules(user({ nopass: true }), 'dual-credential')).toEqual([`#${n}`, `#${c}`]);
  });
});

test('rules of a containment', () => {
  const rules = (acl: AclUser, leaked = current) => containmentRules(acl, leaked, current);
  expect(rules(user({ passwords: [c, o] }))).toEqual([`!${c}`]);
  expect(rules(user({ passwords: [c] }))).toEqual(['off']);
  expect(rules(user({ passwords: [o] }))).toEqual([]);
  expect(rules(user({ on: false, passwords: [c] }))).toEqual([]);
  expect(rules(user({ nopass: true }))).toEqual(['off', 'resetpass', `#${c}`]);
  expect(rules(user({ nopass: true }), other)).toEqual(['resetpass', `#${c}`]);
  expect(rules(user({ nopass: true }), { ...other, username: 'second' })).toEqual([
    'off',
    'resetpass',
    `#${o}`,
  ]);
});

test('a user is read as Redis 6 and 7 describe it', () => {
  const seven = ['flags', ['on', 'nopass'], 'passwords', [c], 'commands', '-@all +get', 'keys', '~*'];
  expect(parseUser([...seven, 'selectors', []])).toEqual(user({ nopass: true, passwords: [c] }));
  expect(
    parseUser([...seven, 'selectors', [['commands', '-@all +acl|setuser', 'keys', '~*']]]),
  ).toMatchObject({
    privileged: true,
  });
  expect(parseUser(['flags', ['off', 'allkeys'], 'passwords', [], 'commands', '+@all'])).toEqual(
    user({ on: false, privileged: true }),
  );
  expect(parseUser(null)).toBeUndefined();
});

test.each([
  ['+@all', true],
  ['+@all -@dangerous', false],
  ['+@all -@admin', false],
  ['-@all +@read', false],
  ['-@all +acl|setuser', true],
  ['-@all +acl', true],
  ['+@all -@admin +config|set', true],
  ['allcommands', true],
])('"%s" is privileged: %s', (commands, expected) => {
  expect(isPrivileged(commands)).toBe(expected);
});

test('the sessions of one user are found by the user field alone', () => {
  const list = [
    'id=3 addr=127.0.0.1:1 name= age=12 user=app lib-name=x',
    'id=4 addr=127.0.0.1:2 name=user=app age=1 user=admin',
    'id=5 addr=127.0.0.1:3 name= age=0 user=app2',
    '',
  ].join('\n');
  expect(sessionsOf(list, 'app')).toEqual([{ id: '3', age: 12 }]);
});

describe('errors', () => {
  test('only WRONGPASS is about the credential, and no text of the server is shown', () => {
    const codes = [
      'WRONGPASS x',
      'ERR max number of clients reached',
      'LOADING x',
      'DENIED x',
      'ERR unknown',
    ].map((text) => {
      const reply = replyError(new Error(`${text} the-secret`));
      const error = loginError(reply ?? { word: '', text: '' }, 'here');
      expect(error.message).not.toContain('the-secret');
      return error.code;
    });
    expect(codes).toEqual([
      'AuthenticationRefused',
      'TargetBusy',
      'TargetUnreachable',
      'TargetRefused',
      'TargetRefused',
    ]);
  });

  test('errors of the driver and the network are no replies', () => {
    expect(replyError(new Error('Socket closed unexpectedly'))).toBeUndefined();
    expect(replyError(Object.assign(new Error('ERR x'), { code: 'EPIPE' }))).toBeUndefined();
    expect(replyError('ERR')).toBeUndefined();
  });

  test('a missing permission names the rule that gives it', () => {
    const error = commandError({ word: 'NOPERM', text: '' }, 'here', 'read the user', '+acl|getuser');
    expect(error).toBeInstanceOf(TargetError);
    expect([error.code, error.message]).toEqual([
      'PermissionMissing',
      expect.stringContaining('+acl|getuser'),
    ]);
    expect(commandError({ word: 'BUSY', text: '' }, 'here', 'x', 'y').code).toBe('TargetUnreachable');
    expect(commandError({ word: 'READONLY', text: '' }, 'here', 'x', 'y').code).toBe('TargetRefused');
  });

  test('what keeps a connection from being made', () => {
    expect(connectError({ code: 'ECONNREFUSED' }, 'here').code).toBe('TargetUnreachable');
    expect(connectError(new Error('Socket closed unexpectedly'), 'here').code).toBe('TargetUnreachable');
    expect(connectError({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }, 'here').code).toBe('TlsRefused');
    expect(connectError({ code: 'CERT_HAS_EXPIRED' }, 'here').code).toBe('TlsRefused');
  });
});
