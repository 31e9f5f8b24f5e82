import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { toAssign } from '../families/assigned.ts';
import { transportOf } from '../transport/tls/transport.ts';
import type { CacheUserSecret } from './schema.ts';

/** Form of names that ElastiCache alone gives. https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html */
const endpoint = /^[a-z0-9.-]+\.cache\.amazonaws\.com(?:\.cn)?$/i;

/**
 * Tells whether somebody besides the secret says that its host is the cache. Any server that a stranger runs takes any password.
 * An endpoint of ElastiCache over TLS is the cache by its name. For any other name, and for a connection without TLS, the
 * deployment must name the place.
 */
export async function isVouchedFor(
  secret: CacheUserSecret,
  { credentials }: Pick<ApplyContext<CacheUserSecret>, 'credentials'>,
): Promise<boolean> {
  const { host } = secret;
  if (host && endpoint.test(host) && transportOf(secret) !== 'plaintext') return true;
  return await credentials.isAssigned(secret);
}

/**
 * Refuses a place that nobody vouches for. The API sets the password, and a login there is to show that it is in force. Whoever
 * may write the secret could have it sent to a host of their own. Without a host nothing is sent.
 * @throws SecretError `CredentialUnusable`
 */
export async function requirePlace(
  next: CacheUserSecret,
  context: Pick<ApplyContext<CacheUserSecret>, 'credentials'>,
): Promise<void> {
  const { host, username } = next;
  if (!host || (await isVouchedFor(next, context))) return;
  throw new SecretError(
    'CredentialUnusable',
    `the secret of "${username}" names ${host}${transportOf(next) === 'plaintext' ? ' without TLS' : ''}, which is no endpoint ` +
      `of ElastiCache over TLS, so that a password that works is not sent there; ${toAssign({ ...next, host })}`,
  );
}
