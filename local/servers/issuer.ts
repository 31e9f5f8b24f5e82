import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueCertificate } from './certificates.ts';

/** The way in which a token is signed: as its header says, or in a way that nobody may believe. */
export type Signing =
  | 'RS256'
  | 'ES256'
  /** By a key of somebody else, under the id of the right one. */
  | 'strange key'
  /** By a key that is not published. */
  | 'unpublished key'
  /** Not at all. */
  | 'none'
  /** With HMAC, for which the public key is the password. */
  | 'public key as password'
  /** By the right key, over other claims. */
  | 'altered claims';

/** Issuers of OpenID Connect tokens, each with keys of its own, behind one port of this machine. */
export interface Issuers {
  readonly port: number;
  /** PEM of the authority that signed the certificate of all issuers. */
  readonly authority: string;
  /**
   * Issues a token as a pipeline gets it.
   * @param claims - `exp`, `iat` and `nbf` are set for five minutes from now, unless given
   */
  token(issuer: string, claims: Readonly<Record<string, unknown>>, signing?: Signing): string;
  stop(): Promise<void>;
}

interface Keys {
  readonly RS256: KeyPair;
  readonly ES256: KeyPair;
}

interface KeyPair {
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const encode = (value: object | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url');

const rsa = (): KeyPair => ({ id: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) });
const elliptic = (): KeyPair => ({ id: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) });

/** Signs `header.claims` as JSON Web Algorithms has it. */
function signature(algorithm: 'RS256' | 'ES256', key: KeyObject, signed: string): string {
  return encode(
    sign('sha256', Buffer.from(signed), { key, ...(algorithm === 'ES256' && { dsaEncoding: 'ieee-p1363' }) }),
  );
}

/**
 * Starts issuers, by their URLs. Their documents are served as OpenID Connect Discovery has it, under the names of their hosts.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export async function startIssuers(urls: readonly string[]): Promise<Issuers> {
  const authority = await createAuthority('Authority of the issuers');
  const certificate = await issueCertificate(
    authority,
    urls.map((url) => new URL(url).hostname),
  );
  const keys = new Map<string, Keys>(urls.map((url) => [url, { RS256: rsa(), ES256: elliptic() }]));
  const keysOf = (issuer: string): Keys => {
    const found = keys.get(issuer);
    if (found === undefined) throw new Error(`${issuer} was not started`);
    return found;
  };
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    const [, path = '', document] =
      /^(.*)\/\.well-known\/(openid-configuration|jwks)$/.exec(request.url ?? '') ?? [];
    const issuer = `https://${request.headers.host}${path}`;
    const own = keys.get(issuer);
    if (own === undefined) {
      response.writeHead(404).end();
      return;
    }
    const answer =
      document === 'jwks'
        ? {
            keys: (['RS256', 'ES256'] as const).map((alg) => ({
              ...own[alg].publicKey.export({ format: 'jwk' }),
              kid: own[alg].id,
              use: 'sig',
              alg,
            })),
          }
        : {
            issuer,
            jwks_uri: `${issuer}/.well-known/jwks`,
            id_token_signing_alg_values_supported: ['RS256'],
          };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const strange = rsa();
  return {
    port: (server.address() as AddressInfo).port,
    authority: authority.cert,
    token: (issuer, claims, signing = 'RS256') => {
      const own = keysOf(issuer);
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: issuer, iat: now, nbf: now, exp: now + 300, jti: randomUUID(), ...claims };
      const algorithm = signing === 'ES256' ? 'ES256' : 'RS256';
      const header = (alg: string, kid = own[algorithm].id) => encode({ typ: 'JWT', alg, kid });
      const make = (head: string, key: KeyObject) => {
        const signed = `${head}.${encode(all)}`;
        return `${signed}.${signature(algorithm, key, signed)}`;
      };
      switch (signing) {
        case 'none':
          return `${header('none')}.${encode(all)}.`;
        case 'public key as password': {
          const signed = `${header('HS256')}.${encode(all)}`;
          const password = own.RS256.publicKey.export({ type: 'spki', format: 'pem' });
          return `${signed}.${encode(createHmac('sha256', password).update(signed).digest())}`;
        }
        case 'strange key':
          return make(header('RS256'), strange.privateKey);
        case 'unpublished key':
          return make(header('RS256', strange.id), strange.privateKey);
        case 'altered claims': {
          const [head = '', , mark = ''] = make(header('RS256'), own.RS256.privateKey).split('.');
          return `${head}.${encode({ ...all, jti: 'another' })}.${mark}`;
        }
        default:
          return make(header(algorithm), own[algorithm].privateKey);
      }
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
