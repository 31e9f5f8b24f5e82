import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueCertificate } from './certificates.ts';

/** A server that keeps project access tokens as GitLab's API describes it, for the recipe that ships. */
export interface GitLab {
  readonly host: string;
  readonly caPem: string;
  /** A token of an administrator. */
  readonly adminToken: string;
  /** Makes a token of the project by hand. */
  issue(project: string): { readonly id: number; readonly token: string };
  /** Tells whether a request with this token is served. */
  accepts(token: string): Promise<boolean>;
  stop(): Promise<void>;
}

interface Token {
  readonly id: number;
  readonly token: string;
  readonly project: string;
  readonly name: string;
  readonly expires_at: string;
}

/**
 * Starts a server of project access tokens.
 * @see https://docs.gitlab.com/api/project_access_tokens/
 */
export async function startGitLab(): Promise<GitLab> {
  const authority = await createAuthority();
  const adminToken = `glpat-${randomUUID()}`;
  const tokens = new Map<number, Token>();
  const add = (made: Omit<Token, 'id' | 'token'>): Token => {
    const token = { ...made, id: tokens.size + 1, token: `glpat-${randomUUID()}` };
    tokens.set(token.id, token);
    return token;
  };
  const revoked = new Set<number>();
  const described = ({ token: _token, project: _project, ...rest }: Token) => ({ ...rest, active: true });

  const answer = async (request: IncomingMessage): Promise<{ status: number; body?: unknown }> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const by = request.headers['private-token'];
    const url = new URL(request.url ?? '', 'https://gitlab.example');
    const active = [...tokens.values()].filter(({ id }) => !revoked.has(id));
    if (url.pathname === '/api/v4/personal_access_tokens/self') {
      const own = active.find(({ token }) => token === by);
      return own === undefined ? { status: 401 } : { status: 200, body: described(own) };
    }
    const path = /^\/api\/v4\/projects\/([^/]+)\/access_tokens(?:\/(\d+))?$/.exec(url.pathname);
    if (by !== adminToken) return { status: 401 };
    if (path === null) return { status: 404 };
    const project = decodeURIComponent(path[1] ?? '');
    const ofProject = active.filter((token) => token.project === project);
    const id = Number(path[2]);
    switch (request.method) {
      case 'GET':
        return { status: 200, body: ofProject.map(described) };
      case 'DELETE':
        // https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/api/resource_access_tokens.rb
        if (!ofProject.some((token) => token.id === id)) {
          const message = `404 Could not find project access token with token_id: ${id} Not Found`;
          return { status: 404, body: { message } };
        }
        revoked.add(id);
        return { status: 204 };
      default: {
        const { name, expires_at } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        const made = add({ project, name, expires_at });
        return { status: 201, body: { ...described(made), token: made.token } };
      }
    }
  };

  const server = createServer(await issueCertificate(authority), (request, response) => {
    answer(request).then(
      ({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? '' : JSON.stringify(body));
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `localhost:${port}`,
    caPem: authority.cert,
    adminToken,
    issue: (project) => add({ project, name: 'made by hand', expires_at: '2099-01-01' }),
    accepts: (token) =>
      new Promise((resolve, reject) => {
        const asked = httpsRequest(
          {
            host: 'localhost',
            port,
            path: '/api/v4/personal_access_tokens/self',
            agent: false,
            ca: authority.cert,
            timeout: 5_000,
            headers: { 'private-token': token },
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
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
