import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { endpointBounds, endpointFields, nameField } from '../../../rotators/transport/endpoint.ts';

const endpoint = z.object(endpointFields);
const faultsOf = (change: object): readonly string[] =>
  endpoint
    .safeParse({ host: 'db.example', password: 'x', ...change })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('a host', () => {
  test.each(['db', 'db.example.', '10.0.0.1', '2001:db8::1', 'h'.repeat(253)])('may be %s', (host) => {
    expect(faultsOf({ host })).toEqual([]);
  });

  test.each(['/var/run/postgresql', 'db.example/shop', 'db example', 'db\n', 'db\0'])(
    'is no socket, path or text with spaces: %j',
    (host) => {
      expect(faultsOf({ host })).toEqual(['host: host must be a host name or an IP address']);
    },
  );

  test('has at least one character and as many as a name in DNS', () => {
    expect(faultsOf({ host: '' })).toHaveLength(1);
    expect(faultsOf({ host: 'h'.repeat(254) })).toEqual(['host: host must have at most 253 characters']);
  });
});

describe('a port', () => {
  test.each([1, 65_535, '1', '65535', '05432', null, undefined])('may be %j', (port) => {
    expect(faultsOf({ port })).toEqual([]);
  });

  test.each([0, 65_536, 1.5, '0', '65536', '', '+1', '1e3', ' 5432', '5432 ', '054321', true])(
    'is not %j',
    (port) => {
      expect(faultsOf({ port })).toHaveLength(1);
    },
  );
});

describe('a name', () => {
  const faultOf = (name: string) => nameField('username', 8).safeParse(name).error?.issues[0]?.message;

  test('is counted in bytes', () => {
    expect([faultOf('12345678'), faultOf('ÄÖÜß')]).toEqual([undefined, undefined]);
    expect([faultOf('123456789'), faultOf('ÄÖÜßé')]).toEqual(
      Array(2).fill('username must be at most 8 bytes'),
    );
  });

  test('is there, and is text', () => {
    expect(faultOf('')).toBe('username must not be empty');
    expect([faultOf('a\0b'), faultOf('a\ud800')]).toEqual(Array(2).fill('username must be text without NUL'));
  });
});

test.each([
  [{}, 'unsaid'],
  [{ ssl: 'False' }, 'plaintext'],
  [{ ssl: true }, 'tls'],
] as const)('a login is bound to its user, place and encryption: %j', (more, ssl) => {
  const secret = { username: 'app', host: 'db.example', password: 'never a bound', ...more };
  expect(endpointBounds(secret, 5432)).toEqual({ username: 'app', host: 'db.example', port: 5432, ssl });
});
