import type { Strategy } from '../../core/secret/secret.ts';
import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { redshiftFault } from './password.ts';
import { alternateOf, databaseOf, portOf, type RedshiftSecret } from './schema.ts';

const limits = {
  longest: 64,
  stored: /^(?:md5[0-9a-f]{32}$|sha256\|)/i,
  storedName: 'password hash',
  fault: redshiftFault,
};

/**
 * Refuses a pending password that must never reach the cluster; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch` | `StrategyUnsupported`
 */
export function check(next: RedshiftSecret, current: RedshiftSecret, strategy: Strategy): void {
  const username = strategy === 'alternating-users' ? alternateOf(current.username) : current.username;
  requireSame('username', next.username, username);
  requireSame('host', next.host, current.host);
  requireSame('port', portOf(next), portOf(current));
  requireSame('dbname', databaseOf(next), databaseOf(current));
  requireSoundPassword(next, current, limits);
}
