import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { tryOpen } from '../../../rotators/redshift/connection.ts';
import type { ServerForm } from '../../../rotators/redshift/password.ts';
import { probe } from '../../../rotators/redshift/probe.ts';
import type { RedshiftSecret } from '../../../rotators/redshift/schema.ts';

let server: Server | undefined;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server?.close();
});

const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const message = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int(body.length + 4), body]);
};
const sized = (bytes: Buffer) => Buffer.concat([int(bytes.length), bytes]);
const sha256 = (...parts: (Buffer | string)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const salt = Buffer.alloc(32, 7);
const nonce = Buffer.from('nonce of the server');
const request = message('R', int(13), int(0), sized(salt), sized(nonce));
const welcome = Buffer.concat([message('R', int(0)), message('Z', Buffer.from('I'))]);
const refusal = (code: string, routine: string) =>
  message('E', Buffer.from(`SFATAL\0C${code}\0Mno\0R${routine}\0\0`));

/** A server without TLS that answers the start of a login with what `serve` says. */
async function listen(serve: (socket: Socket) => void): Promise<RedshiftSecret> {
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => serve(socket));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    engine: 'redshift',
    host: '127.0.0.1',
    port: address.port,
    username: 'app',
    ssl: false,
    password: 'Sentinel-123456',
  };
}

const context = { connectTimeoutMs: 20_000, statementTimeoutMs: 20_000, finding: () => {} };

describe('a login by SHA-256', () => {
  /** Judges the answer as AWS’s drivers make it; welcomes, and says `SELECT 1` is done. */
  const judge = (password: string) => (socket: Socket) => {
    socket.once('data', (answer) => {
      const digest = answer.subarray(9, 41);
      const own = answer.subarray(45);
      const expected = sha256(sha256(password, salt), nonce, own);
      const right =
        answer[0] === 'd'.charCodeAt(0) &&
        answer.readInt32BE(1) === answer.length - 1 &&
        answer.readInt32BE(41) === own.length &&
        digest.equals(expected);
      socket.write(right ? welcome : refusal('28000', 'auth_failed'));
      socket.on('data', () =>
        socket.write(
          Buffer.concat([message('C', Buffer.from('SELECT 1\0')), message('Z', Buffer.from('I'))]),
        ),
      );
    });
  };

  test.each([
    ['at once', (socket: Socket) => socket.write(request)],
    [
      'byte by byte',
      async (socket: Socket) => {
        socket.setNoDelay(true);
        for (const byte of request) {
          socket.write(Buffer.from([byte]));
          await new Promise((done) => setImmediate(done));
        }
      },
    ],
  ])('is answered as AWS’s drivers do, when the request comes %s', async (_name, send) => {
    const secret = await listen((socket) => {
      judge('Sentinel-123456')(socket);
      void send(socket);
    });
    expect(await probe(secret, context)).toEqual({ outcome: 'accepted' });
  });

  test('with another password is a rejection, and shows how the server keeps it all the same', async () => {
    const secret = await listen((socket) => {
      judge('Another-123456')(socket);
      socket.write(request);
    });
    const heard: ServerForm = {};
    expect(await tryOpen(secret, context, heard)).toMatchObject({
      code: 'AuthenticationRefused',
      message: expect.stringContaining('refused the password'),
    });
    expect(heard).toEqual({ saltBytes: 32 });
  });
});

test.each([
  [
    'of an identity provider',
    message('R', int(14)),
    'TargetRefused',
    'an authentication that is not supported',
  ],
  [
    'by another algorithm',
    message('R', int(13), int(2), sized(salt), sized(nonce)),
    'TargetRefused',
    'not supported',
  ],
  ['that is cut off', message('R', int(13), int(0), int(400), salt), 'TargetRefused', 'not supported'],
  ['of no code at all', message('R'), 'TargetRefused', 'not supported'],
  ['from nobody it lets in', refusal('28000', 'ClientAuthentication'), 'TargetRefused', 'require_ssl'],
  ['of PostgreSQL 9 and later', refusal('28P01', 'auth_failed'), 'AuthenticationRefused', '28P01'],
  ['for a database that is not there', refusal('3D000', 'InitPostgres'), 'DatabaseMissing', '"dev"'],
])('a request %s has its name, and ends nothing but the connection', async (_name, said, code, text) => {
  const secret = await listen((socket) => socket.write(said));
  const result = await probe(secret, context);
  expect(result).toMatchObject({ error: { code, message: expect.stringContaining(text) } });
  expect(JSON.stringify(result)).not.toContain(secret.password);
});
