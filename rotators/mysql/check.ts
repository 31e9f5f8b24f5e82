import type { Strategy } from '../../core/secret/secret.ts';
import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { requireDirect } from '../families/rds-proxy.ts';
import { alternateOf, databaseOf, longestPassword, type MysqlSecret, portOf } from './schema.ts';

const limits = {
  longest: longestPassword,
  stored: /^(?:\*[0-9A-F]{40}$|\$A\$[0-9]{3}\$)/i,
  storedName: 'password hash',
};

/**
 * Refuses a pending password that must never reach the server; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch` | `StrategyUnsupported`
 */
export function check(next: MysqlSecret, current: MysqlSecret, strategy: Strategy): void {
  const username = strategy === 'alternating-users' ? alternateOf(current) : current.username;
  requireSame('username', next.username, username);
  requireSame('engine', next.engine, current.engine);
  requireSame('host', next.host, current.host);
  requireDirect(next.host);
  requireSame('port', portOf(next), portOf(current));
  requireSame('dbname', databaseOf(next), databaseOf(current));
  requireSoundPassword(next, current, limits);
}
