import type { ProbeResult, TargetContext } from '../../core/rotator.ts';
import { probeLogin, using } from '../transport/login.ts';
import { open } from './connection.ts';
import type { RedshiftSecret } from './schema.ts';

/** Logs in to the secret's database and asks for one row. See {@link probeLogin}. */
export async function probe(secret: RedshiftSecret, context: TargetContext): Promise<ProbeResult> {
  return await probeLogin(async () => using(await open(secret, context), (session) => session.answer()));
}
