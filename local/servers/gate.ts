import { connect, createServer, type Socket } from 'node:net';

/** A door in front of a server on this machine. The tour shuts it to make a database go away. */
export interface Gate {
  readonly port: number;
  /** Shuts the door as soon as `connections` more have passed; open ones end, new ones are refused. */
  shutAfter(connections: number): void;
  open(): void;
  close(): Promise<void>;
}

/** Opens a gate in front of `port` on localhost. */
export async function openGate(port: number): Promise<Gate> {
  let admits = Number.POSITIVE_INFINITY;
  const passing = new Set<Socket>();
  const server = createServer((client) => {
    if (admits <= 0) {
      client.destroy();
      return;
    }
    admits -= 1;
    const target = connect(port, 'localhost');
    for (const socket of [client, target]) {
      passing.add(socket);
      socket.once('close', () => passing.delete(socket));
      socket.on('error', () => {
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, 'localhost', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    shutAfter: (connections) => {
      admits = connections;
    },
    open: () => {
      admits = Number.POSITIVE_INFINITY;
    },
    close: async () => {
      for (const socket of passing) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
