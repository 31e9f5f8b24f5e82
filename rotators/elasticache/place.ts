import { SecretError } from '../../core/errors.ts';
import { toAssign } from '../assigned.ts';
import type { ApplyContext } from '../rotator.ts';
import { transportOf } from '../tls/transport.ts';
import type { CacheUserSecret } from './schema.ts';

/** Names that ElastiCache alone gives. https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html */
const endpoint = /^[a-z0-9.-]+\.cache\.amazonaws\.com(?:\.cn)?$/i;

/**
 * Refuses a place that nobody vouches for: the API sets the password, and a login there is to show that it is in force. Whoever
 * may write the secret could have it sent to a host of their own, which takes any password.
 *
 * An endpoint of ElastiCache over TLS is one; any other name, and a connection without TLS, is what the deployment names.
 * @throws SecretError `CredentialUnusable`
 */
export async function requirePlace(
  next: CacheUserSecret,
  { credentials }: Pick<ApplyContext<CacheUserSecret>, 'credentials'>,
): Promise<void> {
  const { host, username } = next;
  if (!host) return;
  if (endpoint.test(host) && transportOf(next) !== 'plaintext') return;
  if (await credentials.isAssigned(next)) return;
  throw new SecretError(
    'CredentialUnusable',
    `the secret of "${username}" names ${host}${transportOf(next) === 'plaintext' ? ' without TLS' : ''}, which is no endpoint ` +
      `of ElastiCache over TLS, so that a password that works is not sent there; ${toAssign({ ...next, host })}`,
  );
}
