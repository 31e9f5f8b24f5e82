import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that counts the connections which pass through it. */
export interface CountingProxy {
  readonly port: number;
  connections: number;
  close(): Promise<void>;
}

/** Listens on a free port of this machine and hands every connection on, byte by byte, to `host:port`. */
export async function startProxy(host: string, port: number): Promise<CountingProxy> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    proxy.connections += 1;
    const target = connect({ host, port, noDelay: true });
    client.setNoDelay(true);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.once('error', () => other.destroy());
      socket.once('close', () => {
        open.delete(socket);
        other.end();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  const address = server.address();
  const proxy: CountingProxy = {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    connections: 0,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of open) socket.destroy();
      }),
  };
  return proxy;
}
