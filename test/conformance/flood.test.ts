import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { mostBytes } from '../../rotators/flood.ts';
import { registry } from '../../rotators/registry.ts';
import type { Revoker } from '../../rotators/rotator.ts';

/** A server that never comes to an end of what it says must not take the function's memory. */

const chunk = Buffer.alloc(1024 * 1024, 'x');

/** Sends a beginning, and then as much as is taken. */
async function startFlood(greet: (socket: Socket) => void, beginning: Buffer) {
  const sockets = new Set<Socket>();
  let sent = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    greet(socket);
    socket.once('data', () => {
      socket.write(beginning);
      const go = () => {
        // An end, should nobody set one.
        while (!socket.destroyed && sent < 2 ** 31) {
          sent += chunk.length;
          if (!socket.write(chunk)) {
            socket.once('drain', go);
            return;
          }
        }
      };
      go();
    });
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

const claim = (type: string, length: number): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(length, 1);
  return head;
};

describe.each([
  ['postgresql', { engine: 'postgres' }, claim('E', 2_000_000_000)],
  ['redshift', { engine: 'redshift' }, claim('E', 2_000_000_000)],
  ['redis', { engine: 'redis' }, Buffer.from('$2000000000\r\n')],
  ['redis', { engine: 'redis' }, Buffer.from('+')],
  ['redis', { engine: 'redis' }, Buffer.from('*100000000\r\n$1000000000\r\n')],
] as const)('%s', (type, engine, beginning) => {
  test(`an answer without an end, ${JSON.stringify(beginning.toString('latin1').slice(0, 12))}, is not kept`, async () => {
    const rotator = (await registry[type].load()) as Revoker<object>;
    const flood = await startFlood(() => {}, beginning);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 20);
    try {
      const secret = {
        ...engine,
        host: '127.0.0.1',
        port: flood.port,
        ssl: false,
        username: 'app',
        password: 'x',
      };
      const probed = await rotator.probe(rotator.schema.parse(secret), {
        // What ends it is the length of what is sent, not the time.
        ...{ connectTimeoutMs: 60_000, statementTimeoutMs: 60_000 },
        finding: () => undefined,
      });
      expect(probed).toMatchObject({ outcome: 'unreachable', error: { code: 'TargetRefused' } });
      // What lies in the buffers of both ends comes on top.
      expect(flood.sent()).toBeLessThan(6 * mostBytes);
      expect(most).toBeLessThan(24 * mostBytes);
    } finally {
      clearInterval(watch);
      await flood.stop();
    }
  });
});
