import { type Worth, worthOf } from '../aws/reset.ts';
import { open } from '../redis/connection.ts';
import { sessionsOf } from '../redis/contain.ts';
import { redis } from '../redis/rotator.ts';
import type { RedisSecret } from '../redis/schema.ts';
import type { ProbeResult, TargetContext } from '../rotator.ts';
import { asLogin, type CacheUserSecret } from './schema.ts';

/** Really logs in where the secret says to which cache; see {@link Rotator.probe}. */
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

/** The server counts the age of sessions in whole seconds, by a clock that it reads ten times a second. */
const ageToleranceSeconds = 1.5;

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
  const session = await open(by, context);
  const killing = { doing: `end the sessions of "${username}"`, missing: '+client|kill' };
  try {
    if (before === undefined) {
      return Number(await session.run(['CLIENT', 'KILL', 'USER', username, 'SKIPME', 'yes'], killing));
    }
    const list = await session.run(['CLIENT', 'LIST'], {
      ...{ doing: `find the sessions of "${username}"`, missing: '+client|list' },
    });
    const sinceSeconds = (Date.now() - before.getTime()) / 1000;
    let ended = 0;
    for (const { id, age } of sessionsOf(String(list), username)) {
      if (age + ageToleranceSeconds < sinceSeconds) continue;
      ended += Number(await session.run(['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'yes'], killing));
    }
    return ended;
  } finally {
    session.end();
  }
}
