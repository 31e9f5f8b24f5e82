import { connect, createServer, type Socket } from 'node:net';

/** A line to a server that can be cut between any two things that the client says. */
export interface Line {
  readonly port: number;
  /**
   * Cuts every connection when the client has said `messages` things since now, before or after the server gets the
   * last of them; further connections are refused until it is mended.
   */
  cutAfter(messages: number, when: 'before' | 'after'): void;
  mend(): void;
  /** Cuts every connection; those that follow are made to this port, as after a failover. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

/** Opens a line to a port of this machine. It passes bytes on and understands none of them, so TLS goes through. */
export async function layLine(to: number): Promise<Line> {
  let goal = to;
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let last: 'before' | 'after' = 'before';
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((client) => {
    if (left <= 0) {
      client.destroy();
      return;
    }
    const target = connect(goal, '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
    target.pipe(client);
    client.on('data', (chunk) => {
      left -= 1;
      if (left > 0) {
        target.write(chunk);
      } else if (last === 'before') {
        cut();
      } else {
        // The server gets it; the client never hears the answer.
        target.unpipe(client);
        target.end(chunk);
        client.destroy();
        cutOthers(client, target);
      }
    });
  });
  const cutOthers = (...kept: Socket[]) => {
    for (const socket of sockets) if (!kept.includes(socket)) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    cutAfter(messages, when) {
      left = messages;
      last = when;
    },
    mend() {
      left = Number.POSITIVE_INFINITY;
    },
    leadTo(other) {
      goal = other;
      cut();
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}
