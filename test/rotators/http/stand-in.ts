import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueCertificate } from '../../../local/servers/certificates.ts';
import { httpsTransport, type Transport } from '../../../rotators/http/transport.ts';

/** A request as the stand-in got it. The credentials of HTTP Basic are decoded, so that they can be compared. */
export interface Received {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON parsed; a form as its text; undefined without a body. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A real HTTPS server that stands in for services: it has a certificate for their names, and answers what it is told to. */
export interface StandIn {
  readonly transport: Transport;
  readonly certificateAuthorities: readonly string[];
  readonly received: Received[];
  /** What the next requests are answered with, in this order; what is not foreseen is answered with 599. */
  answer(...answers: readonly Answer[]): void;
  /** Answers that were never asked for. */
  readonly left: number;
  stop(): Promise<void>;
}

export async function startStandIn(hosts: readonly string[]): Promise<StandIn> {
  const authority = await createAuthority();
  const received: Received[] = [];
  let answers: Answer[] = [];
  const server = createServer(await issueCertificate(authority, hosts), async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, decoded(String(value))]),
    );
    const isJson = /json/.test(headers['content-type'] ?? '');
    received.push({
      method: request.method ?? '',
      host: headers.host ?? '',
      path: request.url ?? '',
      headers,
      ...(text !== '' && { body: isJson ? JSON.parse(text) : text }),
    });
    const { status, headers: answered = {}, body } = answers.shift() ?? { status: 599 };
    response.writeHead(status, { 'content-type': 'application/json', ...answered });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    transport: httpsTransport({ port, resolve: async () => [{ address: '127.0.0.1', family: 4 }] }),
    certificateAuthorities: [authority.cert],
    received,
    answer(...next) {
      received.length = 0;
      answers = [...next];
    },
    get left() {
      return answers.length;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const decoded = (value: string): string =>
  value.startsWith('Basic ') ? `Basic ${Buffer.from(value.slice(6), 'base64').toString('utf8')}` : value;
