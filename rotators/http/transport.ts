import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { parseExactly } from '../../core/secret/exact-json.ts';
import { anyAddress, isPublicAddress, PrivateAddress, publicOnly, type Resolve } from './addresses.ts';

/** A request that is ready to be sent. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON; undefined where the body is something else, or empty. */
  readonly body: unknown;
}

/** The limits of one exchange, and its name in errors. */
export interface Exchange extends Omit<TargetContext, 'finding'> {
  /** Name in errors: `create at gitlab.example.com`. */
  readonly where: string;
}

/** The error of a request that may have reached the service without an answer. */
export class OutcomeUnknown extends TargetError {}

/** Sends a request and returns the answer, whatever its status. */
export type Transport = (request: HttpRequest, exchange: Exchange) => Promise<HttpAnswer>;

export interface TransportOptions {
  /** Resolves host names. Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** Port to connect to whatever the URL says; for servers that stand in for others in tests. */
  readonly port?: number;
}

/** Longest answer that is read, in bytes. Those of the APIs at hand are a few kilobytes. */
const longestAnswer = 1024 * 1024;

/**
 * Sends over HTTPS with the server's certificate and name verified, by the public authorities or the given ones. Given ones
 * replace the public ones. Redirects are not followed, since they would carry the credential elsewhere. Addresses that are not of
 * the public internet are refused unless the context allows them, at the moment of connecting.
 *
 * @throws TargetError; {@link OutcomeUnknown} when the request may have been received
 */
export function httpsTransport(options: TransportOptions = {}): Transport {
  return async (request, exchange) => {
    const { hostname } = request.url;
    const bare = hostname.replace(/^\[|\]$/g, '');
    const { where } = exchange;
    const direct = options.resolve === undefined && isIP(bare) !== 0;
    if (direct && exchange.allowPrivateAddresses !== true && !isPublicAddress(bare)) {
      throw privateAddress(where, bare);
    }
    const answer = await send(request, exchange, options);
    if (answer.status >= 300 && answer.status < 400) {
      throw new TargetError(
        'TargetRefused',
        `${where}: answered ${answer.status}, a redirect to ${redirectHost(answer.headers.location, request.url)}, which is not followed; correct the host`,
      );
    }
    return answer;
  };
}

function send(request: HttpRequest, exchange: Exchange, options: TransportOptions): Promise<HttpAnswer> {
  const { where, connectTimeoutMs, statementTimeoutMs, allowPrivateAddresses } = exchange;
  const { url, method, headers, body } = request;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secureContext = trust(exchange.certificateAuthorities, where);
  return new Promise((resolve, reject) => {
    let connected = false;
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(error);
      outgoing.destroy();
    };
    const late = (): void =>
      fail(
        connected
          ? new OutcomeUnknown('TargetTimeout', `${where}: no answer within ${statementTimeoutMs} ms`)
          : new TargetError('TargetUnreachable', `${where}: no connection within ${connectTimeoutMs} ms`),
      );
    let timer = setTimeout(late, connectTimeoutMs);
    const request: RequestOptions & Pick<ConnectionOptions, 'secureContext'> = {
      method,
      host,
      path: `${url.pathname}${url.search}`,
      agent: false,
      secureContext,
      port: options.port ?? (url.port === '' ? 443 : Number(url.port)),
      headers: {
        host: url.host,
        connection: 'close',
        accept: 'application/json',
        'user-agent': 'rekey',
        // Whoever asks for nothing may be answered in any coding.
        'accept-encoding': 'identity',
        ...headers,
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
      rejectUnauthorized: true,
      lookup: allowPrivateAddresses === true ? anyAddress(options.resolve) : publicOnly(options.resolve),
      ...(isIP(host) === 0 && { servername: host }),
    };
    const outgoing = httpRequest(request);
    outgoing.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        connected = true;
        clearTimeout(timer);
        timer = setTimeout(late, statementTimeoutMs);
      });
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => fail(failed(error, where, connected)));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > longestAnswer) {
          fail(
            new OutcomeUnknown('TargetRefused', `${where}: the answer is longer than ${longestAnswer} bytes`),
          );
        }
      });
      response.on('error', (error: NodeJS.ErrnoException) => fail(failed(error, where, true)));
      response.on('end', () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: parsed(Buffer.concat(chunks).toString('utf8')),
        });
      });
    });
    outgoing.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    // Some services begin with a byte order mark: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
    return parseExactly(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

const networkCodes = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|EADDR|EACCES|HPE_)/;

/** Makes the error of a connection that broke. Texts of errors are withheld, only codes are quoted. */
function failed(
  error: NodeJS.ErrnoException & { errors?: unknown },
  where: string,
  connected: boolean,
): TargetError {
  if (error instanceof PrivateAddress) return privateAddress(where, error.address);
  const inner: unknown = Array.isArray(error.errors) ? error.errors[0] : undefined;
  const code = error.code ?? (inner as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
  if (connected) {
    return new OutcomeUnknown(
      'TargetUnreachable',
      `${where}: the connection was lost before the answer came (${code})`,
    );
  }
  if (networkCodes.test(code)) {
    return new TargetError('TargetUnreachable', `${where}: no connection (${code})`);
  }
  return new TargetError(
    'TlsRefused',
    `${where}: no TLS connection (${code}); either the server's certificate was not accepted, or it offers no TLS at this port`,
  );
}

const privateAddress = (where: string, address: string): TargetError =>
  new TargetError(
    'TargetRefused',
    `${where}: not called, since ${address} is not an address of the public internet; set allowPrivateAddresses for this secret if that is wanted`,
  );

/** Gives the host of a redirect and nothing else: the rest may quote what was sent. */
function redirectHost(location: string | undefined, from: URL): string {
  const to = location === undefined ? null : URL.parse(location, from.href);
  return to === null || to.host === '' ? 'nowhere' : to.host;
}

const contexts = new Map<string, SecureContext>();

/** Gives the TLS context that trusts the given authorities, or the public ones. It is made once, since that takes its time. */
function trust(own: readonly string[] | undefined, where: string): SecureContext {
  const key = own?.join('\n') ?? '';
  const known = contexts.get(key);
  if (known !== undefined) return known;
  try {
    // OpenSSL passes over text that is no certificate, and every server would then be refused for no visible reason.
    for (const pem of own ?? []) new X509Certificate(pem);
  } catch {
    throw new TargetError(
      'TlsRefused',
      `${where}: the given certificate authorities are no PEM certificates`,
    );
  }
  const context = createSecureContext({ ca: [...(own ?? rootCertificates)], minVersion: 'TLSv1.2' });
  contexts.set(key, context);
  return context;
}
