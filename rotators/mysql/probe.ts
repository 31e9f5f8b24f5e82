import type { ProbeResult, TargetContext } from '../../core/rotator.ts';
import { probeLogin, using } from '../transport/login.ts';
import { open } from './connection.ts';
import type { MysqlSecret } from './schema.ts';

/**
 * Logs in, to the secret's database if it names one, and asks for one row. `rejected` is said only when the server refused the
 * account or its password. A missing database or a full server are no proof of that.
 */
export async function probe(secret: MysqlSecret, context: TargetContext): Promise<ProbeResult> {
  return await probeLogin(async () =>
    using(await open(secret, context), (session) => session.run('SELECT 1', { doing: 'SELECT 1' })),
  );
}
