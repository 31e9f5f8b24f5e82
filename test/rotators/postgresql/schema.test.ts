import { describe, expect, test } from '@jest/globals';
import { splitNames } from '../../../rotators/postgresql/follower.ts';
import {
  alternateOf,
  databaseOf,
  portOf,
  postgresSecretSchema,
} from '../../../rotators/postgresql/schema.ts';

const secret = { engine: 'postgres', host: 'db.example', username: 'app', password: 'x' } as const;

describe('the JSON of AWS', () => {
  test('is taken as it is, with what Rekey does not know', () => {
    const full = {
      ...secret,
      port: '5433',
      dbname: 'shop',
      ssl: 'True',
      masterarn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin',
      dbClusterIdentifier: 'shop',
      dbInstanceIdentifier: 'shop-1',
      note: { any: [1, null] },
    };
    expect(postgresSecretSchema.parse(full)).toEqual(full);
  });

  test('port and dbname default as in the functions of AWS', () => {
    expect([portOf(secret), databaseOf(secret)]).toEqual([5432, 'postgres']);
    expect([portOf({ ...secret, port: '5433' }), databaseOf({ ...secret, dbname: null })]).toEqual([
      5433,
      'postgres',
    ]);
  });

  test.each([
    ['no engine', { engine: undefined }],
    ['another engine', { engine: 'mysql' }],
    ['no host', { host: '' }],
    ['a Unix socket', { host: '/var/run/postgresql' }],
    ['no user', { username: '' }],
    ['a user of 64 bytes', { username: 'é'.repeat(32) }],
    ['a user with NUL', { username: 'a\0b' }],
    ['a password that is a number', { password: 12345678 }],
    ['a port that is no number', { port: '5432; DROP' }],
    ['a port out of range', { port: 70000 }],
  ])('%s is refused', (_name, change) => {
    expect(postgresSecretSchema.safeParse({ ...secret, ...change }).success).toBe(false);
  });
});

describe('alternateOf', () => {
  test('goes from the one to the other and back', () => {
    expect(alternateOf('app')).toBe('app_clone');
    expect(alternateOf('app_clone')).toBe('app');
    expect(alternateOf('x'.repeat(57))).toBe(`${'x'.repeat(57)}_clone`);
  });

  test.each(['x'.repeat(58), 'é'.repeat(29), '_clone'])('refuses %s', (username) => {
    expect(() => alternateOf(username)).toThrow(expect.objectContaining({ code: 'StrategyUnsupported' }));
  });
});

test('splitNames takes a list of names apart as the catalogue writes it', () => {
  expect(splitNames('"$user", public')).toEqual(['$user', 'public']);
  expect(splitNames('"a, ""b""",c')).toEqual(['a, "b"', 'c']);
  expect(splitNames('""')).toEqual(['']);
  expect(splitNames('')).toEqual([]);
});
