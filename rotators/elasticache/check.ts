import { characterFault, type PasswordRules } from '../families/aws-api/passwords.ts';
import { requireSame, requireSoundPassword } from '../families/pending.ts';
import { type CacheUserSecret, userIdOf } from './schema.ts';

/**
 * What ElastiCache takes as a user's password.
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
 */
export const rules: PasswordRules = {
  ...{ of: 'ElastiCache', shortest: 16, longest: 128 },
  ...{ forbidden: ',"/@ ', needs: [] },
};

/**
 * See {@link Rotator.check}.
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
