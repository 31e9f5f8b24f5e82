import { SecretError } from '../../core/errors/rekey-error.ts';
import type { RetireContext, RetireResult } from '../../core/rotator.ts';
import { using } from '../transport/login.ts';
import { open } from './connection.ts';
import { hashOf, type RedisSecret } from './schema.ts';
import { changeUser, keep } from './user.ts';

/**
 * Takes away exactly the old password, by the admin; see {@link OverlappingRotator.retire}. It does so only while the user has the current
 * one as well. A user that a containment has left with one password keeps that as the proof of whose secret it is. Sessions that
 * began with the old password go on.
 */
export async function retire(old: RedisSecret, context: RetireContext<RedisSecret>): Promise<RetireResult> {
  const { credentials } = context;
  const { current } = credentials;
  const admin = await credentials.admin();
  if (admin === undefined) {
    throw new SecretError(
      'AdminSecretMissing',
      `ending the overlap of "${old.username}" needs an admin that may change it; name its secret in "masterarn"`,
    );
  }
  const stale = hashOf(old);
  const kept = hashOf(current);
  if (old.username !== current.username || stale === kept) return { done: 'nothing' };
  return await using(await open(admin, context), async (session) => {
    const changed = await changeUser(session, old.username, async ({ passwords }) => {
      if (!passwords.includes(stale) || !passwords.includes(kept)) return [];
      await context.announce();
      return [`!${stale}`];
    });
    if (changed === undefined || changed.rules.length === 0) return { done: 'nothing' };
    await keep(session, old.username, context);
    return { done: 'removed' };
  });
}
