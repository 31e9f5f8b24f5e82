import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { portOf, type RedisSecret } from './schema.ts';

const limits = {
  // What Secrets Manager's own GetRandomPassword yields at most.
  longest: 4096,
  stored: /^(?:#?[0-9a-f]{64}$|SCRAM-SHA-256\$)/,
  storedName: 'password hash',
};

/**
 * Refuses a pending password that must never reach the server; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: RedisSecret, current: RedisSecret): void {
  requireSame('username', next.username, current.username);
  requireSame('host', next.host, current.host);
  requireSame('port', portOf(next), portOf(current));
  requireSoundPassword(next, current, limits);
}
