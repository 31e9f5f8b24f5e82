import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

/** Hears from the local cloud which passwords a user of a real server is to have; see `local/emulator/cloud/passwords.py`. */
export interface PasswordReceiver {
  /** Makes the tags that bind a database or user of the local cloud to the server at `host:port`. */
  tags(host: string, port: number): { readonly Key: string; readonly Value: string }[];
  close(): Promise<void>;
}

interface Login {
  readonly username: string;
  /** Passwords of the user: one, or up to two in a cache. */
  readonly passwords: readonly string[];
}

const isLogin = (value: unknown): value is Login =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'username') === 'string' &&
  Array.isArray(Reflect.get(value, 'passwords'));

/**
 * Listens on this machine for passwords, at an address that nobody guesses.
 * @param setPasswords - sets them at the server; while it fails, the local cloud tries again
 */
export async function receivePasswords(
  setPasswords: (login: Login) => Promise<void>,
): Promise<PasswordReceiver> {
  const path = `/${randomUUID()}`;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const answer = (status: number) => {
        response.writeHead(status, { connection: 'close' });
        response.end();
      };
      if (request.method !== 'POST' || request.url !== path) return answer(404);
      const login: unknown = JSON.parse(body);
      if (!isLogin(login)) return answer(400);
      setPasswords(login).then(
        () => answer(204),
        () => answer(503),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    tags: (host, port) => [
      { Key: 'rekey:endpoint', Value: `${host}:${port}` },
      { Key: 'rekey:password-url', Value: `http://127.0.0.1:${address.port}${path}` },
    ],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
