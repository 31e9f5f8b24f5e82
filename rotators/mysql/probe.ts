import { TargetError } from '../../core/errors.ts';
import type { ProbeResult, TargetContext } from '../rotator.ts';
import { open, using } from './connection.ts';
import { LoginRefused } from './errors.ts';
import type { MysqlSecret } from './schema.ts';

/**
 * Logs in, to the secret's database if it names one, and asks for one row. `rejected` is said only when the server
 * refused the account or its password; a missing database or a full server are no proof of that.
 */
export async function probe(secret: MysqlSecret, context: TargetContext): Promise<ProbeResult> {
  try {
    await using(await open(secret, context), (session) => session.run('SELECT 1', { doing: 'SELECT 1' }));
    return { outcome: 'accepted' };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return { outcome: error instanceof LoginRefused ? 'rejected' : 'unreachable', error };
  }
}
