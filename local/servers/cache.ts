import { createHash, randomUUID } from 'node:crypto';
import { RedisClient } from '@redis/client';
import { documented } from './documented.ts';
import type { RedisServer } from './redis.ts';

/** A login to the cache as an application keeps it. */
export interface CacheLogin {
  readonly engine: 'redis';
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/**
 * Makes a user for every application and the admin with exactly the documented permissions.
 * @returns the admin's login, as its secret holds it
 */
export async function seedCache(server: RedisServer, applications: readonly string[]): Promise<CacheLogin> {
  const { host, port } = server;
  const admin = { engine: 'redis' as const, host, port, username: 'rekey_admin', password: randomUUID() };
  const digest = createHash('sha256').update(admin.password).digest('hex');
  const client = new RedisClient({
    ...server.superuser,
    socket: { path: server.socketPath, reconnectStrategy: false },
  });
  await client.connect();
  try {
    for (const application of applications) {
      await client.sendCommand(['ACL', 'SETUSER', application, 'on', '~*', '&*', '+@all', '-@dangerous']);
    }
    for (const command of (await documented('redis', 'admin')).split('\n')) {
      await client.sendCommand(command.split(' ').map((word) => word.replace('#…', `#${digest}`)));
    }
  } finally {
    client.destroy();
  }
  return admin;
}

/** Tells whether the cache accepts the login, over verified TLS; anything but a refused password is thrown. */
export async function cacheAccepts(login: CacheLogin, caPem: string): Promise<boolean> {
  const client = new RedisClient({
    username: login.username,
    password: login.password,
    disableClientInfo: true,
    socket: { host: login.host, port: login.port, tls: true, ca: caPem, reconnectStrategy: false },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGPASS')) {
      return false;
    }
    throw error;
  } finally {
    client.destroy();
  }
}
