import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueCertificate } from '../../local/servers/certificates.ts';
import type { Answer, Contract, Received } from './contracts.ts';

/** A real HTTPS server on loopback that keeps to the documented contract of a receiver. */
export interface Receiver {
  /** Base of its URLs, without a slash at the end. */
  readonly base: string;
  readonly authority: string;
  /** Requests that it has taken, and those that it has refused with its answer. */
  readonly taken: Received[];
  readonly refused: { readonly request: Received; readonly answer: Answer }[];
  /** Answers the next requests so, whatever they hold. */
  next(...answers: readonly Answer[]): void;
  /** Value for the secret of a channel to it. */
  readonly secret: string;
  stop(): Promise<void>;
}

export async function startReceiver(contract: Contract): Promise<Receiver> {
  const authority = await createAuthority();
  const taken: Received[] = [];
  const refused: { request: Received; answer: Answer }[] = [];
  const planned: Answer[] = [];
  const server = createServer(await issueCertificate(authority, ['localhost']), async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [
          name,
          value === undefined ? value : String(value),
        ]),
      ),
      body: Buffer.concat(chunks).toString('utf8'),
    };
    const answer = planned.shift() ?? contract.answer(received);
    if (answer.status < 300) taken.push(received);
    else refused.push({ request: received, answer });
    response.writeHead(answer.status, { ...answer.headers });
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `https://localhost:${(server.address() as AddressInfo).port}`;
  return {
    base,
    authority: authority.cert,
    taken,
    refused,
    next: (...answers) => planned.push(...answers),
    secret: JSON.stringify(contract.secret(base)),
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
