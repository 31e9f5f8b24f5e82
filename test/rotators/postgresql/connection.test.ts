import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Certificate, createAuthority, issueCertificate } from '../../../local/servers/certificates.ts';
import { probe } from '../../../rotators/postgresql/probe.ts';
import type { PostgresSecret } from '../../../rotators/postgresql/schema.ts';

let authority: Certificate;
let certificate: Certificate;
beforeAll(async () => {
  authority = await createAuthority();
  certificate = await issueCertificate(authority);
});

let server: Server | undefined;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server?.close();
});

/** A server that speaks just enough of the protocol to go wrong at a chosen point. */
async function listen(serve: (socket: Socket) => void): Promise<PostgresSecret> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    engine: 'postgres',
    host: '127.0.0.1',
    port: address.port,
    username: 'app',
    password: 'sentinel-password',
  };
}

const afterTlsRequest = (serve: (socket: Socket) => void) => (socket: Socket) =>
  socket.once('data', () => serve(socket));
/** Completes the TLS handshake, then hands the start of the login over. */
const afterTls = (serve: (socket: TLSSocket) => void) =>
  afterTlsRequest((socket) => {
    socket.write('S');
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ cert: certificate.cert, key: certificate.key }),
    });
    secure.on('error', () => {});
    secure.once('data', () => serve(secure));
  });

/** An ErrorResponse of the protocol. */
function refusal(code: string, routine: string, message: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0R${routine}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const message = (type: string, body: Buffer) => {
  const head = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const welcome = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);

const hangs: [string, (socket: Socket) => void, string, string][] = [
  ['before TLS', (socket) => socket.resume(), 'TargetUnreachable', 'waited for the TLS handshake'],
  [
    'within the TLS handshake',
    afterTlsRequest((socket) => socket.write('S')),
    'TargetUnreachable',
    'waited for the TLS handshake',
  ],
  ['within the login', afterTls(() => {}), 'TargetUnreachable', 'waited for the answer to the login'],
  ['at the first statement', afterTls((socket) => socket.write(welcome)), 'TargetTimeout', 'SELECT 1'],
];
const ends: [string, (socket: Socket) => void, string, string][] = [
  ['at once', (socket) => socket.destroy(), 'TargetUnreachable', 'connection failed'],
  ['by declining TLS', afterTlsRequest((socket) => socket.end('N')), 'TlsRefused', 'offers no TLS'],
  [
    'by not speaking the protocol',
    afterTlsRequest((socket) => socket.end('HTTP/1.1 400')),
    'TargetUnreachable',
    'failed',
  ],
  ['within the login', afterTls((socket) => socket.destroy()), 'TargetUnreachable', 'during the login'],
  [
    'while starting up',
    afterTls((socket) => socket.end(refusal('57P03', 'ProcessStartupPacket', 'starting'))),
    'TargetUnreachable',
    '57P03',
  ],
  [
    'without a rule in pg_hba.conf',
    afterTls((socket) => socket.end(refusal('28000', 'ClientAuthentication', 'sentinel-password'))),
    'TargetRefused',
    'no rule for this encrypted connection',
  ],
  [
    'with an authentication nobody knows',
    afterTls((socket) =>
      socket.write(message('R', Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from('OTHER\0\0')]))),
    ),
    'TargetRefused',
    'authentication that is not supported',
  ],
];

describe('a server that', () => {
  test.each([
    ...hangs.map(([name, ...rest]) => [`hangs ${name}`, ...rest] as const),
    ...ends.map(([name, ...rest]) => [`ends the connection ${name}`, ...rest] as const),
  ])('%s', async (_name, serve, code, text) => {
    const secret = await listen(serve);
    const begun = performance.now();
    const result = await probe(secret, {
      // Short only where it is what ends the wait: what comes before must be over by then on a busy machine, too.
      connectTimeoutMs: text.startsWith('waited for the answer')
        ? 5_000
        : text.startsWith('waited')
          ? 300
          : 60_000,
      statementTimeoutMs: 300,
      certificateAuthorities: [authority.cert],
      finding: () => {},
    });
    expect(performance.now() - begun).toBeLessThan(30_000);
    if (!('error' in result)) throw new Error(result.outcome);
    expect([result.outcome, result.error.code]).toEqual(['unreachable', code]);
    expect(result.error.message).toContain(text);
    expect(result.error.message).not.toContain('sentinel-password');
    while (![...sockets].every((socket) => socket.destroyed || socket.readableEnded)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});

test('a login whose user has a limit of time that a busy server cannot keep is proven all the same', async () => {
  const asked: string[] = [];
  const ready = message('Z', Buffer.from('I'));
  const cancelled = refusal('57014', 'ProcessInterrupts', 'canceling statement due to statement timeout');
  const answers = [cancelled, cancelled, message('C', Buffer.from('SELECT 1\0'))];
  const secret = await listen(
    afterTls((socket) => {
      socket.write(welcome);
      socket.on('data', (data) => {
        if (data[0] !== 'Q'.charCodeAt(0)) return;
        asked.push(data.subarray(5, -1).toString());
        socket.write(Buffer.concat([answers[asked.length - 1] ?? cancelled, ready]));
      });
    }),
  );
  const context = {
    connectTimeoutMs: 60_000,
    statementTimeoutMs: 60_000,
    certificateAuthorities: [authority.cert],
    finding: () => {},
  };
  expect(await probe(secret, context)).toMatchObject({ outcome: 'accepted' });
  expect(asked).toEqual(['SELECT 1', 'ROLLBACK', 'SELECT 1']);
  answers.length = 0;
  expect(await probe(secret, { ...context, statementTimeoutMs: 200 })).toMatchObject({
    outcome: 'unreachable',
    error: { code: 'TargetTimeout' },
  });
});

test.each([
  ['a host that does not resolve', { host: 'no-such-host.invalid' }, 'TargetUnreachable'],
  ['a port where nobody listens', { host: '127.0.0.1', port: 1 }, 'TargetUnreachable'],
])('%s is unreachable', async (_name, change, code) => {
  const result = await probe(
    { engine: 'postgres', username: 'app', password: 'sentinel-password', ...change },
    { connectTimeoutMs: 2_000, statementTimeoutMs: 300, finding: () => {} },
  );
  expect(result).toMatchObject({ outcome: 'unreachable', error: { code } });
});

test('certificate authorities that are none are named as the cause', async () => {
  const result = await probe(
    { engine: 'postgres', host: '127.0.0.1', port: 1, username: 'app', password: 'sentinel-password' },
    {
      connectTimeoutMs: 300,
      statementTimeoutMs: 300,
      certificateAuthorities: ['nonsense'],
      finding: () => {},
    },
  );
  expect(result).toMatchObject({ outcome: 'unreachable', error: { code: 'TlsRefused' } });
});
