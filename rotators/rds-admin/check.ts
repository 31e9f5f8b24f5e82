import { characterFault } from '../families/aws-api/passwords.ts';
import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { requireDirect } from '../families/rds-proxy.ts';
import { rulesOf } from './limits.ts';
import { type MasterSecret, portOf } from './schema.ts';

/**
 * Refuses a pending master password that must never be set; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: MasterSecret, current: MasterSecret): void {
  const same = (['username', 'engine', 'host', 'dbInstanceIdentifier', 'dbClusterIdentifier'] as const).map(
    (key) => [key, next[key], current[key]] as const,
  );
  for (const [key, is, must] of same) requireSame(key, is ?? '', must ?? '');
  requireSame('port', portOf(next), portOf(current));
  requireDirect(next.host);
  requireSame('dbname', next.dbname ?? '', current.dbname ?? '');
  const rules = rulesOf(current);
  requireSoundPassword(next, current, {
    longest: rules.longest,
    // What the servers keep of a password: some would take it for one.
    stored: /^(?:SCRAM-SHA-256\$|md5[0-9a-f]{32}$|\*[0-9A-F]{40}$)/,
    storedName: 'password verifier',
    fault: (password) => characterFault(password, rules),
  });
}
