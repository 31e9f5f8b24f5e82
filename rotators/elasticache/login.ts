import type { ProbeResult, TargetContext } from '../../core/rotator.ts';
import { type Worth, worthOf } from '../families/aws-api/reset.ts';
import { open } from '../redis/connection.ts';
import { endSessions as endAll, endOlderSessions } from '../redis/contain.ts';
import { rotator as redis } from '../redis/rotator.ts';
import type { RedisSecret } from '../redis/schema.ts';
import { using } from '../transport/login.ts';
import { asLogin, type CacheUserSecret } from './schema.ts';

/** Logs in where the secret names its cache; see {@link Rotator.probe}. */
export async function probe(secret: CacheUserSecret, context: TargetContext): Promise<ProbeResult> {
  const login = asLogin(secret);
  return login === undefined
    ? {
        outcome: 'unverifiable',
        note: 'the secret names no host to log in to; add the endpoint of the cache to it. The API reported the change as applied',
      }
    : await redis.probe(login, context);
}

/** Tries a login; `unknown` where the secret names no cache. */
export const tryLogin = async (secret: CacheUserSecret, context: TargetContext): Promise<Worth> =>
  worthOf(await probe(secret, context));

/**
 * Ends the sessions of a user other than the one that does it.
 * @param by - an admin of the cache, or the user itself
 * @param before - only those that may have begun before; undefined: all
 * @returns how many
 * @throws TargetError
 */
export async function endSessions(
  username: string,
  by: RedisSecret,
  context: TargetContext,
  before: Date | undefined,
): Promise<number> {
  return await using(await open(by, context), (session) =>
    before === undefined ? endAll(session, username) : endOlderSessions(session, username, before),
  );
}
