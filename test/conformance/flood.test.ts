import { execFile } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { SecretType } from '../../rotators/registry.ts';
import { greeting, ok, packet } from './hostile.ts';

/** A server that never comes to an end of what it says must not take the function's memory. */

/** What a server says: when somebody connects, to each of the first messages, and from then on for ever. */
interface Speech {
  readonly greeting?: Buffer;
  readonly replies?: readonly Buffer[];
  readonly beginning: Buffer;
  readonly endless: Buffer;
}

const mebibyte = 1024 * 1024;

async function startFlood({ greeting, replies = [], beginning, endless }: Speech) {
  const chunk = Buffer.alloc(Math.ceil(mebibyte / endless.length) * endless.length, endless);
  const sockets = new Set<Socket>();
  let sent = 0;
  const flood = (socket: Socket): void => {
    // An end, should nobody set one.
    while (!socket.destroyed && sent < 2 ** 31) {
      sent += chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', () => flood(socket));
        return;
      }
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (greeting !== undefined) socket.write(greeting);
    const left = [...replies];
    const answer = (): void => {
      const reply = left.shift();
      if (reply !== undefined) {
        socket.write(reply);
        return;
      }
      socket.off('data', answer);
      socket.write(beginning);
      flood(socket);
    };
    socket.on('data', answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    sent: () => sent,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const postgres = {
  message: (type: string, body: Buffer, length = body.length + 4): Buffer => {
    const head = Buffer.alloc(5);
    head.write(type, 'latin1');
    head.writeInt32BE(length, 1);
    return Buffer.concat([head, body]);
  },
  /** Takes any login: `R` with code 0, `Z`. */
  accepted: Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]),
};
const claim = postgres.message('E', Buffer.alloc(0), 2_000_000_000);
const x = Buffer.from('x');
/** One column `a` of type text. */
const oneColumn = postgres.message(
  'T',
  Buffer.from([0, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
);
const oneRow = postgres.message('D', Buffer.from([0, 0]));
const notice = postgres.message('N', Buffer.from('SNOTICE\0C00000\0Mx\0\0', 'latin1'));

/** 16 MiB less one byte, which says that the packet goes on in the next one. */
const longPacket = packet(0, Buffer.alloc(0xffffff));
const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
const mysqlColumn = packet(
  2,
  Buffer.concat([
    ...['def', '', '', '', 'a', ''].map(text),
    Buffer.from([12, 33, 0, 255, 0, 0, 0, 253, 0, 0, 0, 0, 0]),
  ]),
);

const cases: readonly (readonly [type: SecretType, answer: string, Speech])[] = [
  ...(['postgresql', 'redshift'] as const).flatMap(
    (type) =>
      [
        [type, 'one message before the login', { beginning: claim, endless: x }],
        [type, 'notices before the login', { beginning: notice, endless: notice }],
        [type, 'rows', { replies: [postgres.accepted], beginning: oneColumn, endless: oneRow }],
        [type, 'one message', { replies: [postgres.accepted], beginning: claim, endless: x }],
      ] as const,
  ),
  [
    'mysql',
    'one packet before the login',
    { greeting: longPacket, beginning: longPacket, endless: longPacket },
  ],
  ['mysql', 'one packet', { greeting, replies: [ok(2)], beginning: longPacket, endless: longPacket }],
  [
    'mysql',
    'rows',
    {
      greeting,
      replies: [ok(2)],
      beginning: Buffer.concat([
        packet(1, Buffer.from([1])),
        mysqlColumn,
        packet(3, Buffer.from([254, 0, 0, 2, 0])),
      ]),
      // NULL.
      endless: packet(4, Buffer.from([0xfb])),
    },
  ],
  ['redis', 'one text', { beginning: Buffer.from('$2000000000\r\n'), endless: x }],
  ['redis', 'one line', { beginning: Buffer.from('+'), endless: x }],
  ['redis', 'a list of texts', { beginning: Buffer.from('*100000000\r\n$1000000000\r\n'), endless: x }],
  [
    'redis',
    'a list of numbers',
    { beginning: Buffer.from('*2000000000\r\n'), endless: Buffer.from(':1\r\n') },
  ],
];

/** Probes once in a process of its own, as a function does, and prints what came out and the most memory it took. */
const script = `
  const [loader, type, given] = process.argv.slice(1);
  const rotator = await (await import(loader)).loadRotator(type);
  const secret = rotator.schema.parse(JSON.parse(given));
  // What ends it is the length of what is sent, not the time.
  const limits = { connectTimeoutMs: 60_000, statementTimeoutMs: 60_000, finding: () => undefined };
  const { outcome, error } = await rotator.probe(secret, limits);
  console.log(JSON.stringify({ outcome, code: error?.code, memoryBytes: process.resourceUsage().maxRSS * 1024 }));
  process.exit();`;

/** What a function may take in all; README, "Functions". */
const memoryBytes = 512 * 1024 * 1024;

test.each(cases)('%s: an answer without an end, %s, is not kept', async (type, _answer, speech) => {
  const flood = await startFlood(speech);
  const place = { host: '127.0.0.1', port: flood.port, ssl: false };
  const engine = type === 'postgresql' ? 'postgres' : type;
  const secret = JSON.stringify({ engine, ...place, username: 'app', password: 'x' });
  const loader = join(import.meta.dirname, '../load-rotator.ts');
  // Lambda gives Node as much of a function's memory.
  const args = ['--max-old-space-size=460', '--input-type=module', '-e', script, loader, type, secret];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    const probed = JSON.parse(stdout);
    expect(probed).toMatchObject({ outcome: 'unreachable', code: 'TargetRefused' });
    // A function's log keeps, and charges for, what is written there.
    expect(stderr.length).toBeLessThan(128 * 1024);
    // What lies in the buffers of both ends comes on top.
    expect(flood.sent()).toBeLessThan(128 * mebibyte);
    expect(probed.memoryBytes).toBeLessThan(memoryBytes);
  } finally {
    await flood.stop();
  }
});
