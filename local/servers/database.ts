import pg from 'pg';
import { documented } from './documented.ts';
import type { PostgresServer } from './postgres.ts';

/** A login as an application keeps it. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly dbname?: string;
  readonly username: string;
  readonly password: string;
}

/** Opens a session over verified TLS. The end of a session by the server is handled, so that no error is thrown. */
export async function openSession(login: Login, caPem: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: login.host,
    port: login.port,
    user: login.username,
    password: login.password,
    database: login.dbname ?? 'postgres',
    ssl: { ca: caPem },
    connectionTimeoutMillis: 60_000,
    query_timeout: 60_000,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Tells whether the server accepts the login; anything but a refused password is thrown. */
export async function logsIn(login: Login, caPem: string): Promise<boolean> {
  try {
    const client = await openSession(login, caPem);
    await client.query('SELECT 1');
    await client.end();
    return true;
  } catch (error) {
    // invalid_password, and invalid_authorization_specification for a role that may not log in
    if (error instanceof pg.DatabaseError && ['28P01', '28000'].includes(error.code ?? '')) {
      return false;
    }
    throw error;
  }
}

/**
 * Makes the database `shop`, a login for every application and the admin with exactly the documented permissions.
 * @returns the admin's login, as its secret holds it
 */
export async function seedDatabase(
  server: PostgresServer,
  applications: readonly string[],
): Promise<Login & { engine: 'postgres' }> {
  const admin = {
    engine: 'postgres' as const,
    host: server.host,
    port: server.port,
    dbname: 'postgres',
    username: 'rekey_admin',
    password: crypto.randomUUID(),
  };
  const [grantAdmin, grantUser] = [
    await documented('postgresql', 'admin'),
    await documented('postgresql', 'per user'),
  ];
  const session = await openSession({ ...admin, ...server.superuser }, server.caPem);
  try {
    // These statements hold passwords; the server must not log them.
    await session.query("SET log_statement = 'none'; SET log_min_error_statement = 'panic'");
    await session.query('CREATE DATABASE shop');
    await session.query(grantAdmin.replaceAll("'…'", pg.escapeLiteral(admin.password)));
    for (const application of applications) {
      const name = pg.escapeIdentifier(application);
      await session.query(`CREATE ROLE ${name} LOGIN PASSWORD ${pg.escapeLiteral(crypto.randomUUID())}`);
      await session.query(grantUser.replaceAll(/\bapp\b/g, name));
    }
  } finally {
    await session.end();
  }
  return admin;
}
