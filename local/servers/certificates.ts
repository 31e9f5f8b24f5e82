import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Type of the keys of all certificates of one authority. */
type KeyType = 'ec' | 'rsa';

const day = 24 * 60 * 60 * 1000;
const common = (from: number, days: number, keyType: KeyType = 'ec') => ({
  keyType,
  algorithm: 'sha256',
  notBeforeDate: new Date(from),
  notAfterDate: new Date(from + days * day),
});

/** Makes an authority of its own, for the servers that tests and the local cloud start. */
export async function createAuthority(
  name = 'Rekey local authority',
  keyType: KeyType = 'ec',
): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...common(Date.now() - day, 30, keyType),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert, key };
}

/** Issues a server certificate for the given host names and addresses; `expired` makes it one of last week. */
export async function issueCertificate(
  authority: Certificate,
  hosts: readonly string[] = ['localhost', '127.0.0.1'],
  options: { expired?: boolean; keyType?: KeyType } = {},
): Promise<Certificate> {
  const from = Date.now() - (options.expired ? 8 * day : day);
  const { cert, private: key } = await generate([{ name: 'commonName', value: hosts[0] ?? 'server' }], {
    ...common(from, options.expired ? 7 : 20, options.keyType),
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host })),
      },
    ],
  });
  return { cert, key };
}

/** The faults of a server's certificate: made for other hosts, of last week, or by a strange authority. */
export interface CertificateChoice {
  readonly hosts?: readonly string[];
  readonly expired?: boolean;
  readonly unknownAuthority?: boolean;
}

/** Issues a certificate as chosen; with no choice, a good one of `authority`. */
export async function issueChosen(
  authority: Certificate,
  { hosts, expired, unknownAuthority }: CertificateChoice,
  keyType: KeyType = 'ec',
): Promise<Certificate> {
  const by = unknownAuthority ? await createAuthority('Somebody else', keyType) : authority;
  return await issueCertificate(by, hosts, { expired: expired ?? false, keyType });
}
