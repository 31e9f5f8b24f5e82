import type { ProbeResult, TargetContext } from '../../core/rotator.ts';
import { probeLogin, using } from '../transport/login.ts';
import { open } from './connection.ts';
import type { PostgresSecret } from './schema.ts';

/**
 * Logs in to the secret's database and asks for one row. `rejected` is said only when the server left no doubt that it refused
 * this credential. A missing rule in `pg_hba.conf`, a missing database or a full server are no proof of that.
 */
export async function probe(secret: PostgresSecret, context: TargetContext): Promise<ProbeResult> {
  return await probeLogin(async () => using(await open(secret, context), (session) => session.answer()));
}
