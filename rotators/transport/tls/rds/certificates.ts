import { X509Certificate } from 'node:crypto';

/** An authority with which RDS signs, as it stands in the files of this folder. */
export interface Authority {
  readonly region: string;
  readonly name: string;
  /** Fingerprint: the SHA-256 of the certificate, hexadecimal. */
  readonly sha256: string;
  /** Day on which it ends, `YYYY-MM-DD`. */
  readonly notAfter: string;
  /** The certificate, DER in base64. */
  readonly certificate: string;
}

/** The content of a bundle: the authorities that can be trusted, and why the others were passed over. */
export interface Bundle {
  readonly authorities: readonly Authority[];
  readonly passedOver: ReadonlyMap<string, number>;
}

const root = /^Amazon RDS ([a-z]{2}(?:-[a-z]+)+-\d) Root CA (?:RSA2048|RSA4096|ECC384) G\d+$/;

/**
 * Reads a bundle in PEM and keeps the authorities that a server certificate may lead to. Those are self-signed, valid now, of a
 * region, and of no trial run ("Beta", "Preview"). Intermediates are sent by the servers themselves.
 * @throws Error when the text holds no certificate, or one that cannot be read
 */
export function readBundle(text: string, now: Date): Bundle {
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (pems === null) throw new Error('the bundle holds no PEM certificate');
  const authorities = new Map<string, Authority>();
  const passedOver = new Map<string, number>();
  for (const [index, pem] of pems.entries()) {
    const certificate = parse(pem, index);
    const why = reasonAgainst(certificate, now);
    if (why === undefined) {
      const authority = describe(certificate);
      authorities.set(authority.sha256, authority);
    } else {
      passedOver.set(why, (passedOver.get(why) ?? 0) + 1);
    }
  }
  return { authorities: [...authorities.values()], passedOver };
}

function parse(pem: string, index: number): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`certificate ${index + 1} of the bundle cannot be read`);
  }
}

function reasonAgainst(certificate: X509Certificate, now: Date): string | undefined {
  if (certificate.validToDate <= now) return 'expired';
  if (certificate.validFromDate > now) return 'not valid yet';
  if (!root.test(nameOf(certificate))) return 'not the root of a region';
  if (certificate.subject !== certificate.issuer || !certificate.verify(certificate.publicKey)) {
    return 'not signed by itself';
  }
  return certificate.ca ? undefined : 'no authority';
}

function describe(certificate: X509Certificate): Authority {
  const name = nameOf(certificate);
  return {
    region: root.exec(name)?.[1] ?? '',
    name,
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: certificate.validToDate.toISOString().slice(0, 10),
    certificate: certificate.raw.toString('base64'),
  };
}

const nameOf = ({ subject }: X509Certificate): string => /^CN=(.+)$/m.exec(subject)?.[1] ?? '';
