import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type Certificate, createAuthority, issueCertificate } from '../../../local/servers/certificates.ts';

interface Token {
  readonly id: string;
  readonly value: string;
  readonly name: string;
  readonly project: string;
}

/** What the service does to every request instead of serving it. */
type Mood = (response: ServerResponse) => void;

/** A service that gives out tokens by an HTTPS API, with state, permissions and a log of every request line. */
export interface TokenService {
  readonly port: number;
  readonly authority: Certificate;
  readonly tokens: Map<string, Token>;
  /** One line for each request: method, URL, status. */
  readonly log: string[];
  /** Administrators by their token: what each may do. */
  readonly admins: Map<string, Set<string>>;
  /** How many tokens a project may have. */
  room: number;
  mood: Mood | undefined;
  /** For the next trials of a token, in order: whether a replica answers that has not heard of the last change. */
  behind: boolean[];
  /** Called when a request was served, before its answer is sent; destroying the socket loses the answer. */
  beforeAnswer: ((request: IncomingMessage, status: number) => void) | undefined;
  issue(project: string, name?: string): Token;
  useCertificate(options: {
    hosts?: readonly string[];
    expired?: boolean;
    unknownAuthority?: boolean;
  }): Promise<void>;
  /** Nothing listens any more. */
  goDown(): Promise<void>;
  /** Connections are accepted, and nothing is ever said. */
  hang(): Promise<void>;
  comeBack(): Promise<void>;
  /** Whether the service accepts a token, asked as an application does. */
  accepts(token: string): Promise<boolean>;
  stop(): Promise<void>;
}

const pageSize = 2;

export async function startTokenService(): Promise<TokenService> {
  const authority = await createAuthority();
  const first = await issueCertificate(authority);
  const tokens = new Map<string, Token>();
  const removed = new Map<string, Token>();
  const log: string[] = [];
  let count = 0;
  let standIn: { close(): Promise<void> } | undefined;

  const served: Server = createServer({ ...first }, (request, response) => {
    const { mood } = service;
    if (mood !== undefined) {
      mood(response);
      log.push(`${request.method} ${request.url} ${response.statusCode}`);
      return;
    }
    handle(request)
      .then(({ status, body }) => {
        log.push(`${request.method} ${request.url} ${status}`);
        service.beforeAnswer?.(request, status);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? '' : JSON.stringify(body));
      })
      .catch(() => response.destroy());
  });
  served.on('tlsClientError', () => {});

  const handle = async (request: IncomingMessage): Promise<{ status: number; body?: unknown }> => {
    const url = new URL(request.url ?? '/', 'https://service.example');
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (url.pathname === '/self') {
      const known = service.behind.shift() === true ? removed : tokens;
      const own = [...known.values()].find(({ value }) => value === bearer);
      return own === undefined
        ? { status: 401, body: { error: { code: 'invalid_token' } } }
        : { status: 200, body: { id: own.id, name: own.name } };
    }
    const [, root, encoded = '', collection, id] = url.pathname.split('/');
    const allowed = service.admins.get(bearer);
    if (root !== 'projects' || collection !== 'tokens') return { status: 404 };
    if (allowed === undefined) return { status: 401, body: { error: { code: 'invalid_token' } } };
    const needs =
      { POST: 'tokens:write', GET: 'tokens:read', DELETE: 'tokens:revoke' }[request.method ?? ''] ?? '';
    if (!allowed.has(needs)) return { status: 403, body: { error: { code: 'insufficient_scope' } } };
    const project = decodeURIComponent(encoded);
    const all = [...tokens.values()].filter((token) => token.project === project);
    switch (request.method) {
      case 'POST': {
        if (all.length >= service.room) return { status: 409, body: { error: { code: 'limit_reached' } } };
        const { name, expires_at } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        const made = service.issue(project, name);
        return { status: 201, body: { id: made.id, value: made.value, name, expires_at } };
      }
      case 'DELETE': {
        const token = tokens.get(decodeURIComponent(id ?? ''));
        if (token?.project !== project) return { status: 404 };
        tokens.delete(token.id);
        removed.set(token.id, token);
        return { status: 204 };
      }
      default: {
        const from = Number(url.searchParams.get('from') ?? 0);
        const search = url.searchParams.get('search') ?? '';
        const found = all.filter(({ name }) => name.includes(search));
        url.searchParams.set('from', String(from + pageSize));
        return {
          status: 200,
          body: {
            tokens: found.slice(from, from + pageSize).map(({ id, name }) => ({ id, name })),
            next: found.length > from + pageSize ? `${url.pathname}${url.search}` : null,
          },
        };
      }
    }
  };

  const listen = async (port: number): Promise<void> => {
    served.listen(port, '127.0.0.1');
    await once(served, 'listening');
  };
  const close = async (): Promise<void> => {
    served.closeAllConnections();
    if (!served.listening) return;
    await new Promise<void>((resolve) => served.close(() => resolve()));
  };
  await listen(0);
  const { port } = served.address() as AddressInfo;

  const service: TokenService = {
    port,
    authority,
    tokens,
    log,
    admins: new Map(),
    room: 1_000,
    mood: undefined,
    behind: [],
    beforeAnswer: undefined,
    issue(project, name = 'made by hand') {
      count += 1;
      const token = { id: `tok/${count}`, value: `value-${randomUUID()}`, name, project };
      tokens.set(token.id, token);
      return token;
    },
    async useCertificate({ hosts, expired = false, unknownAuthority = false }) {
      const issuer = unknownAuthority ? await createAuthority('unknown') : authority;
      served.setSecureContext(await issueCertificate(issuer, hosts, { expired }));
    },
    goDown: close,
    async hang() {
      await close();
      const mute = createTcpServer((socket) => socket.on('error', () => {}));
      const sockets = new Set<{ destroy(): unknown }>();
      mute.on('connection', (socket) => sockets.add(socket));
      mute.listen(port, '127.0.0.1');
      await once(mute, 'listening');
      standIn = {
        close: () =>
          new Promise((resolve) => {
            for (const socket of sockets) socket.destroy();
            mute.close(() => resolve());
          }),
      };
    },
    async comeBack() {
      await standIn?.close();
      standIn = undefined;
      if (!served.listening) await listen(port);
    },
    accepts: (token) =>
      new Promise((resolve, reject) => {
        const asked = httpsRequest(
          {
            host: 'localhost',
            port,
            path: '/self',
            agent: false,
            ca: authority.cert,
            timeout: 5_000,
            headers: { authorization: `Bearer ${token}` },
          },
          (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode === 200));
          },
        );
        asked.on('error', reject);
        asked.on('timeout', () => asked.destroy(new Error('timeout')));
        asked.end();
      }),
    async stop() {
      await standIn?.close();
      await close();
    },
  };
  return service;
}
