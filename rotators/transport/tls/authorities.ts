import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { TargetError } from '../../../core/errors/rekey-error.ts';

const contexts = new Map<string, Promise<SecureContext>>();

/** Gives the authorities that Node trusts: public ones, Amazon's among them. */
export const publicAuthorities = async (): Promise<readonly string[]> => rootCertificates;

/**
 * Gives the public authorities, and those of RDS. RDS signs with authorities of its own, three in each region. RDS Proxy and most
 * other providers use public ones.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export const databaseAuthorities = async (): Promise<readonly string[]> => {
  const { default: regions } = await import('./rds/authorities.json', { with: { type: 'json' } });
  return [...Object.values(regions).flat().map(toPem), ...rootCertificates];
};

/** Writes a certificate in the form that TLS takes, from base64 without line breaks. */
const toPem = (base64: string): string =>
  `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

async function create(
  own: readonly string[] | undefined,
  standard: () => Promise<readonly string[]>,
): Promise<SecureContext> {
  // OpenSSL passes over text that is no certificate, and every server would then be refused for no visible reason.
  for (const pem of own ?? []) new X509Certificate(pem);
  return createSecureContext({ ca: [...(own ?? (await standard()))], minVersion: 'TLSv1.2' });
}

/**
 * Gives the TLS context that trusts the given authorities, or the standard ones. Reading 220 certificates takes about 20 ms, so
 * it is done on the first connection and then kept.
 *
 * @param where - of the connection, for the error
 * @throws TargetError `TlsRefused` when the given authorities are no certificates
 */
export async function trust(
  own: readonly string[] | undefined,
  where: string,
  standard: () => Promise<readonly string[]>,
): Promise<SecureContext> {
  const key = own?.join('\n') ?? standard.name;
  let context = contexts.get(key);
  if (context === undefined) {
    context = create(own, standard);
    contexts.set(key, context);
  }
  return await context.catch(() => {
    throw new TargetError(
      'TlsRefused',
      `${where}: the given certificate authorities are no PEM certificates`,
    );
  });
}
