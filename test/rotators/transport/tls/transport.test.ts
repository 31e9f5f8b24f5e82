import { describe, expect, test } from '@jest/globals';
import { TargetError } from '../../../../core/errors/rekey-error.ts';
import { connectionFailure, NoTlsOffered, noAnswer } from '../../../../rotators/transport/tls/failures.ts';
import { overTransport, transportOf } from '../../../../rotators/transport/tls/transport.ts';

test.each([
  [undefined, 'unsaid'],
  [true, 'tls'],
  ['true', 'tls'],
  ['True', 'tls'],
  [false, 'plaintext'],
  ['FALSE', 'plaintext'],
  ['yes', 'unsaid'],
  [0, 'unsaid'],
  [null, 'unsaid'],
])('ssl %p means %s', (ssl, transport) => {
  expect(transportOf({ ssl })).toBe(transport);
});

describe('a connection', () => {
  const attempt = async (ssl: unknown, allowPlaintext: boolean, failure?: Error) => {
    const tried: boolean[] = [];
    const findings: string[] = [];
    const context = {
      connectTimeoutMs: 1,
      statementTimeoutMs: 1,
      allowPlaintext,
      finding: ({ code, message }: { code: string; message: string }) => findings.push(`${code}: ${message}`),
    };
    const endpoint = { host: 'db.example', port: 5432, username: 'app', ssl };
    const result = await overTransport(endpoint, context, async (encrypted) => {
      tried.push(encrypted);
      if (encrypted && failure !== undefined) throw failure;
      return 'open';
    }).catch((error: unknown) => error);
    return { result, tried, findings };
  };
  const noTls = new NoTlsOffered('user "app" at db.example:5432');
  const otherwise = new TargetError('TlsRefused', 'the certificate has expired');

  test('is over TLS where that works, and says nothing', async () => {
    expect(await attempt(undefined, true)).toEqual({ result: 'open', tried: [true], findings: [] });
  });

  test('is plaintext when the secret says so, or when it is allowed and there is no TLS, never in silence', async () => {
    expect(await attempt('false', false)).toEqual({
      result: 'open',
      tried: [false],
      findings: [
        'PlaintextConnection: user "app" connects to db.example:5432 without TLS, because the secret says "ssl": false',
      ],
    });
    expect(await attempt(undefined, true, noTls)).toMatchObject({
      tried: [true, false],
      findings: [expect.stringContaining('the server offers no TLS and plaintext is allowed')],
    });
  });

  test.each([
    ['plaintext is not allowed', undefined, false, noTls],
    ['the secret asks for TLS', true, true, noTls],
    ['TLS failed for another reason', undefined, true, otherwise],
  ])('is not made without TLS when %s', async (_name, ssl, allowed, error) => {
    expect(await attempt(ssl, allowed, error)).toEqual({ result: error, tried: [true], findings: [] });
  });
});

test.each([
  ['tls', 'CERT_HAS_EXPIRED', 'TlsRefused', "the server's certificate was not accepted (CERT_HAS_EXPIRED)"],
  ['tls', 'EPROTO', 'TlsRefused', 'EPROTO'],
  ['tls', 'ECONNRESET', 'TargetUnreachable', 'during the TLS handshake (ECONNRESET)'],
  ['tls', undefined, 'TargetUnreachable', 'closed by the server'],
  ['connect', 'ENOTFOUND', 'TargetUnreachable', 'while connecting (ENOTFOUND)'],
  ['login', 'CERT_HAS_EXPIRED', 'TargetUnreachable', 'during the login'],
] as const)('a failure in the phase "%s" with %p is %s', (phase, code, expected, text) => {
  expect(connectionFailure('user "app"', phase, code)).toMatchObject({
    code: expected,
    message: expect.stringContaining(text),
  });
});

test('no answer says what was waited for, and how long', () => {
  expect(noAnswer('user "app"', 'tls', 300)).toMatchObject({
    code: 'TargetUnreachable',
    message: 'user "app": no answer within 300 ms; waited for the TLS handshake',
  });
});
