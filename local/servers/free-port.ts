import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports below those that kernels give to outgoing connections (from 32768 on Linux, from 49152 elsewhere). A port of theirs may
 * be taken between the look and the start of the server, or while a server is down that is to come back.
 */
const [lowest, highest] = [20_000, 32_000];

/** Listens for a moment. @throws Error of the system when something listens there, or it is not permitted */
export async function requireFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve()));
  });
}

/** Finds a port of this machine that is free now and that outgoing connections never take. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(lowest, highest);
    const free = await requireFree(port).then(
      () => true,
      () => false,
    );
    if (free) return port;
  }
  throw new Error(`no free port between ${lowest} and ${highest} on 127.0.0.1`);
}
