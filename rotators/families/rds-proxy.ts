import { SecretError } from '../../core/errors/rekey-error.ts';
import { isProxyHost, proxyAdvice } from '../../core/secret/rds-proxy.ts';

/**
 * Refuses to rotate through RDS Proxy, which takes the current password alone. The new one could be set, but not tried.
 * @throws SecretError `IdentityMismatch`
 */
export function requireDirect(host: string): void {
  if (isProxyHost(host)) {
    throw new SecretError('IdentityMismatch', `the secret's host ${host} ${proxyAdvice}`);
  }
}
