import { characterFault } from '../families/aws-api/passwords.ts';
import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { rules } from './limits.ts';
import { type CacheUserSecret, userIdOf } from './schema.ts';

/**
 * Refuses a pending password that must never reach the cache; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: CacheUserSecret, current: CacheUserSecret): void {
  requireSame('username', next.username, current.username);
  requireSame('userId', userIdOf(next), userIdOf(current));
  requireSame('host', next.host ?? '', current.host ?? '');
  requireSame('port', Number(next.port ?? 6379), Number(current.port ?? 6379));
  requireSoundPassword(next, current, {
    longest: rules.longest,
    stored: /^#?[0-9a-f]{64}$/,
    storedName: 'password hash',
    fault: (password) => characterFault(password, rules),
  });
}
