import type { Strategy } from '../../core/secret/secret.ts';
import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { requireDirect } from '../families/rds-proxy.ts';
import { alternateOf, databaseOf, type PostgresSecret, portOf } from './schema.ts';

const limits = {
  // What Secrets Manager's own GetRandomPassword yields at most.
  longest: 4096,
  stored: /^(?:SCRAM-SHA-256\$|md5[0-9a-f]{32}$)/,
  storedName: 'password verifier',
};

/**
 * Refuses a pending password that must never reach the server; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch` | `StrategyUnsupported`
 */
export function check(next: PostgresSecret, current: PostgresSecret, strategy: Strategy): void {
  const username = strategy === 'alternating-users' ? alternateOf(current.username) : current.username;
  requireSame('username', next.username, username);
  requireSame('host', next.host, current.host);
  requireDirect(next.host);
  requireSame('port', portOf(next), portOf(current));
  requireSame('dbname', databaseOf(next), databaseOf(current));
  requireSoundPassword(next, current, limits);
}
