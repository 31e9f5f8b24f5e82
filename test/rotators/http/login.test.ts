import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { parseRecipe } from '../../../rotators/http/parse-recipe.ts';
import { recipeBook } from '../../../rotators/http/recipe-book.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

const data = JSON.parse(readFileSync(join(import.meta.dirname, 'token-service.json'), 'utf8'));
const [host, password, accessToken] = ['api.example', 'admin-password', 'SessionTokenOfLetters'];
const token = '11111111-2222-4333-8444-555555555555';

/** The recipe of the tests with an admin that logs in by JSON. */
function loggingIn(change: object = {}) {
  const authentication = {
    kind: 'login',
    url: 'https://{{host}}/login',
    json: { identifier: '{{admin.user}}', secret: '{{admin.password}}' },
    token: '/session/token',
    ...change,
  };
  const fields = {
    user: { description: 'user', secret: false },
    password: { description: 'its password', secret: true },
  };
  return { ...data, admin: { ...data.admin, fields, authentication } };
}

/** The same with the client credentials grant. */
const granted = () => ({
  ...loggingIn(),
  admin: {
    ...loggingIn().admin,
    authentication: {
      kind: 'oauth2',
      url: 'https://{{host}}/login',
      sendAs: 'form',
      clientId: '{{admin.user}}',
      clientSecret: '{{admin.password}}',
    },
  },
});

describe('an admin that logs in by JSON', () => {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startStandIn([host]);
  });
  afterAll(() => standIn.stop());

  const secret: HttpSecret = { recipe: 'mine', host, project: 'p', scopes: ['read'], id: '1', token: 'old' };
  const admin: HttpSecret = { service: 'test-tokens', host, user: 'rekey', password };
  const propose = (recipe: unknown, change: object = {}) => {
    const rotator = httpRotator({ recipes: recipeBook({ mine: recipe }), transport: standIn.transport });
    return rotator.propose(
      { ...secret, ...change },
      {
        connectTimeoutMs: 2_000,
        statementTimeoutMs: 2_000,
        allowPrivateAddresses: true,
        certificateAuthorities: standIn.certificateAuthorities,
        finding: () => {},
        strategy: 'single-user',
        random: systemRandom,
        passwords: passwordPolicy({}),
        token,
        credentials: {
          current: secret,
          admin: async () => admin,
          previous: async () => undefined,
          async *others() {},
          isAssigned: async () => false,
        },
      },
    );
  };
  const session = { status: 200, body: { session: { token: accessToken }, access_token: accessToken } };
  const listed = { status: 200, body: { tokens: [] } };
  const created = { status: 201, body: { id: '2', value: 'new', expires_at: '2026-06-01T00:00:00Z' } };
  const told = async (recipe: unknown, change: object = {}) =>
    await propose(recipe, change).then(
      () => 'nothing failed',
      (error: unknown) => inspect(error, { depth: 12, showHidden: true }),
    );

  test('logs in once for all requests of a call, and sends the token as bearer', async () => {
    standIn.answer(session, listed, created);
    expect(await propose(loggingIn())).toMatchObject({ id: '2', token: 'new' });
    expect(standIn.received.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual([
      'POST /login',
      'GET /projects/p/tokens',
      'POST /projects/p/tokens',
    ]);
    const [login, ...others] = standIn.received;
    expect(login?.body).toEqual({ identifier: 'rekey', secret: password });
    expect(login?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(login?.headers.authorization).toBeUndefined();
    expect(others.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${accessToken}`,
      `Bearer ${accessToken}`,
    ]);
    standIn.answer(session, listed, created);
    await propose(loggingIn());
    expect(standIn.received[0]?.path).toBe('/login');
  });

  test('sends the token in the headers that the recipe names', async () => {
    standIn.answer({ ...session, status: 201 }, listed, created);
    await propose(loggingIn({ headers: { 'X-Session': '{{login.token}}', 'X-User': '{{admin.user}}' } }));
    expect(standIn.received.at(-1)?.headers).toMatchObject({ 'x-session': accessToken, 'x-user': 'rekey' });
    expect(standIn.received.at(-1)?.headers.authorization).toBeUndefined();
  });

  test.each([401, 400])('a login that is refused with %i is said to be one', async (status) => {
    standIn.answer({ status, body: { error: { code: 'bad_login', echo: password } } });
    const error = await told(loggingIn());
    expect(error).toContain(`AuthenticationRefused: token at ${host}: answered ${status} (bad_login)`);
    expect(error).not.toContain(password);
  });

  test.each([
    ['no token', {}],
    ['a token that no header can hold', { session: { token: `${accessToken}\r\nX-Other: y` } }],
    ['a number for a token', { session: { token: 12_345_678 } }],
  ])('an answer with %s is refused, and not quoted', async (_name, body) => {
    standIn.answer({ status: 200, body });
    const error = await told(loggingIn());
    expect(error).toContain('TargetRefused: token at');
    expect(error).not.toMatch(new RegExp(`${accessToken}|12345678|12_345_678`));
    expect(standIn.received).toHaveLength(1);
  });

  test.each([
    ['login', loggingIn()],
    ['oauth2', granted()],
  ])('a token that an answer gives back as its error code is not quoted (%s)', async (_kind, recipe) => {
    for (const code of [accessToken, password, accessToken.slice(0, 12)]) {
      standIn.answer(session, { status: 403, body: { error: { code } } });
      const error = await told(recipe);
      expect(error).toContain('PermissionMissing');
      expect(error).not.toContain(code);
    }
  });

  test('a host of the login that the admin secret does not name gets no password', async () => {
    const elsewhere = loggingIn({ url: 'https://{{login}}/login' });
    const login = { description: 'host of the login', type: 'host' };
    const recipe = { ...elsewhere, parameters: { ...data.parameters, login } };
    standIn.answer();
    expect(await told(recipe, { login: 'elsewhere.example' })).toContain(
      'AdminSecretMismatch: login of the admin secret is',
    );
    expect(standIn.received).toEqual([]);
  });

  test('the token goes to no host that an answer names', async () => {
    const next = 'https://elsewhere.example/tokens';
    standIn.answer(session, { status: 200, body: { tokens: [], next } });
    expect(await told(loggingIn())).toContain('elsewhere.example, which is not called');
    standIn.answer({ status: 307, headers: { location: next } });
    expect(await told(loggingIn())).toContain('elsewhere.example, which is not followed');
  });
});

describe('a recipe that logs in is refused', () => {
  test.each([
    ['its token in a URL', loggingIn({ url: 'https://{{host}}/{{login.token}}' }), 'authentication.url'],
    ['a secret in its URL', loggingIn({ url: 'https://{{host}}/{{admin.password}}' }), 'authentication.url'],
    ['an unknown name in its body', loggingIn({ json: { a: '{{nobody}}' } }), 'authentication.json.a'],
    ['its token in its own body', loggingIn({ json: { a: '{{login.token}}' } }), 'authentication.json.a'],
    ['headers without the token', loggingIn({ headers: { 'x-a': 'b' } }), 'authentication.headers'],
    ['any text as its host', loggingIn({ url: 'https://{{project}}.example/x' }), 'authentication.url'],
    [
      'the token in a request',
      { ...loggingIn(), list: { ...data.list, headers: { 'x-a': '{{login.token}}' } } },
      'list.headers.x-a',
    ],
    [
      'a trial that logs in before it asks',
      { ...data, test: { ...data.test, authentication: granted().admin.authentication } },
      'test.authentication',
    ],
  ])('for %s', (_name, recipe, path) => {
    expect(() => parseRecipe('mine', recipe)).toThrow(`${path}: `);
  });
});
