import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { type Certificate, createAuthority, issueCertificate } from '../../../local/servers/certificates.ts';
import { recipeBook } from '../../../rotators/http/recipe-book.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import { httpsTransport } from '../../../rotators/http/transport.ts';

const recipe = JSON.parse(readFileSync(join(import.meta.dirname, 'token-service.json'), 'utf8'));
const host = 'api.example';
const token = '11111111-2222-4333-8444-555555555555';

let authority: Certificate;
let port: number;
let dress: (text: string, accepts: string | undefined) => [Buffer, Record<string, string>];
let close: () => Promise<unknown>;
beforeAll(async () => {
  authority = await createAuthority();
  const server = createServer(await issueCertificate(authority, [host]), (request, response) => {
    request.resume();
    const made = request.method === 'POST';
    const text = JSON.stringify(made ? { id: '2', value: 'new value' } : { tokens: [] });
    const encoding = request.headers['accept-encoding'];
    const [body, headers] = dress(text, typeof encoding === 'string' ? encoding : undefined);
    response.writeHead(made ? 201 : 200, { 'content-type': 'application/json', ...headers });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  close = () => new Promise((resolve) => server.close(resolve));
});
afterAll(() => close());

const secret: HttpSecret = { recipe: 'mine', host, project: 'p', scopes: ['read'], id: '1', token: 'old' };
const propose = () =>
  httpRotator({
    recipes: recipeBook({ mine: recipe }),
    transport: httpsTransport({ port, resolve: async () => [{ address: '127.0.0.1', family: 4 }] }),
  }).propose(secret, {
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 2_000,
    allowPrivateAddresses: true,
    certificateAuthorities: [authority.cert],
    finding: () => {},
    strategy: 'single-user',
    random: systemRandom,
    passwords: passwordPolicy({}),
    token,
    credentials: {
      current: secret,
      admin: async () => ({ service: 'test-tokens', host, token: 'of the admin' }),
      previous: async () => undefined,
      async *others() {},
      isAssigned: async () => true,
    },
  });

/**
 * https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3: "If no Accept-Encoding header field is in the request, any content coding is considered
 * acceptable by the user agent", and gateways compress then. Of a create, whose answer is told once, the credential would be lost with it.
 */
test('an answer that comes compressed because nothing else was asked for is read', async () => {
  dress = (text, accepts) =>
    accepts === undefined ? [gzipSync(text), { 'content-encoding': 'gzip' }] : [Buffer.from(text), {}];
  expect(await propose()).toMatchObject({ id: '2', token: 'new value' });
});

/** https://www.rfc-editor.org/rfc/rfc8259#section-8.1: some services begin with a byte order mark, and fetch passes over it. */
test('an answer that begins with a byte order mark is read', async () => {
  dress = (text) => [Buffer.from(`\uFEFF${text}`), {}];
  expect(await propose()).toMatchObject({ id: '2', token: 'new value' });
});
