import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/random.ts';
import { passwordPolicy } from '../../../core/password.ts';
import { recipes } from '../../../rotators/http/recipes/index.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import { type Answer, type StandIn, startStandIn } from './stand-in.ts';

/** A request as the vendor documents it. `<name>`, `<prefix>`, `<day>` and `<time>` stand for what is new each time. */
interface Documented {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Fixture {
  readonly secret: HttpSecret;
  readonly admin: HttpSecret;
  /** What the vendor issues, as it must stand in the secret. */
  readonly made: Readonly<Record<string, string>>;
  readonly adminHeaders: Readonly<Record<string, string>>;
  readonly ownHeaders?: Readonly<Record<string, string>>;
  readonly token?: { readonly request: Documented; readonly answer: Answer };
  readonly list?: { readonly request: Documented; readonly answer: Answer };
  readonly create: { readonly request: Documented; readonly answer: Answer };
  readonly test: {
    readonly request: Documented;
    readonly headers?: Readonly<Record<string, string>>;
    readonly accepted: Answer;
    readonly rejected: Answer;
  };
  readonly disable?: Removal;
  readonly revoke: Removal;
}

interface Removal {
  readonly request: Documented;
  readonly done: Answer;
  readonly gone: Answer;
}

const folder = join(import.meta.dirname, 'vendors');
const fixtures = new Map(
  readdirSync(folder).map((file) => {
    const fixture: Fixture = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    return [file.replace(/\.json$/, ''), fixture] as const;
  }),
);
const token = '11111111-2222-4333-8444-555555555555';

let standIn: StandIn;
beforeAll(async () => {
  const requests = [...fixtures.values()].flatMap(
    ({ token: oauth, list, create, test: trial, disable, revoke }) =>
      [oauth, list, create, trial, disable, revoke].flatMap((part) =>
        part === undefined ? [] : [part.request],
      ),
  );
  standIn = await startStandIn([...new Set(requests.map(({ host }) => host))]);
});
afterAll(() => standIn.stop());

test('every recipe has a stand-in, and every stand-in a recipe', () => {
  expect([...fixtures.keys()].toSorted()).toEqual([...recipes.names].toSorted());
});

describe.each([...fixtures])('%s', (name, fixture) => {
  const recipe = recipes.get(name);
  if (recipe === undefined) throw new Error(`no recipe ${name}`);
  const { id: idKey, secret: valueKey } = recipe.credential;
  const part = (secret: HttpSecret, key: string) => String(secret[key]);
  const { secret, admin, made } = fixture;
  const next: HttpSecret = { ...secret, ...made };
  const findings: string[] = [];

  const context = (current: HttpSecret, hasAdmin = true) => ({
    ...{ connectTimeoutMs: 2_000, statementTimeoutMs: 2_000, allowPrivateAddresses: true },
    certificateAuthorities: standIn.certificateAuthorities,
    finding: ({ code }: { code: string }) => findings.push(code),
    strategy: 'single-user' as const,
    random: systemRandom,
    passwords: passwordPolicy({}),
    token,
    credentials: {
      current,
      admin: async () => (hasAdmin ? admin : undefined),
      previous: async () => undefined,
      async *others() {},
      isAssigned: async () => false,
    },
  });
  const rotator = () => httpRotator({ recipes, transport: standIn.transport, trialPauseMs: 1 });

  /** A documented request or answer for one credential. */
  const of = <T>(documented: T, credential: HttpSecret): T =>
    JSON.parse(
      JSON.stringify(documented)
        .replaceAll('{id}', part(credential, idKey))
        .replaceAll('{value}', encodedFor(documented, part(credential, valueKey))),
    ) as T;

  const byAdmin = ({ request }: { request: Documented }, credential: HttpSecret = secret) => ({
    ...of(request, credential),
    headers: { ...fixture.adminHeaders, ...request.headers },
  });
  const trial = (credential: HttpSecret) => ({
    ...of(fixture.test.request, credential),
    headers: of(fixture.test.headers ?? {}, credential),
  });
  /** As many times as the recipe wants an answer before it counts. */
  const often = <T>(item: T): T[] => Array.from({ length: recipe.settleAnswers }, () => item);
  const login = fixture.token === undefined ? [] : [{ headers: {}, ...fixture.token.request }];
  const granted = fixture.token === undefined ? [] : [fixture.token.answer];
  const listed = fixture.list === undefined ? [] : [fixture.list];

  function expectRequests(expected: readonly Documented[]): void {
    const normal = standIn.received.map(({ method, host, path, headers, body }, index) => ({
      ...{ method, host, path: path.replaceAll(`rekey-${token}-`, '<prefix>') },
      headers: Object.fromEntries(
        Object.keys(expected[index]?.headers ?? {}).map((header) => [header, headers[header]]),
      ),
      ...(body !== undefined && { body: normalized(body) }),
    }));
    expect(normal).toEqual(expected);
    expect(standIn.left).toBe(0);
    for (const { path } of standIn.received) {
      for (const value of [secretsOf(admin), part(secret, valueKey), part(next, valueKey)].flat()) {
        expect(decodeURIComponent(path)).not.toContain(value);
      }
    }
  }
  const secretsOf = (of: HttpSecret) =>
    Object.entries(recipe.admin.fields).flatMap(([key, field]) => (field.secret ? [part(of, key)] : []));

  test('creates the next credential under a name of its own', async () => {
    standIn.answer(...granted, ...listed.map(({ answer }) => answer), fixture.create.answer);
    const proposal = await rotator().propose(secret, context(secret));
    expectRequests([...login, ...listed.map((one) => byAdmin(one)), byAdmin(fixture.create)]);
    const { createdAs, ...rest } = proposal;
    expect(rest).toEqual(next);
    expect(createdAs).toMatch(new RegExp(`^rekey-${token}-\\d{13}$`));
    expect(rotator().schema.parse(proposal)).toEqual(proposal);
    expect(rotator().schema.safeParse(admin).success).toBe(true);
    expect(rotator().identity(proposal)).toBe(`${name} ${part(next, idKey)}`);
  });

  test('tells a credential that is accepted from one that is refused, and from no answer to that', async () => {
    standIn.answer(of(fixture.test.accepted, next));
    expect(await rotator().probe(next, context(secret))).toEqual({ outcome: 'accepted' });
    expectRequests([trial(next)]);
    standIn.answer(...often(of(fixture.test.rejected, next)));
    expect(await rotator().probe(next, context(secret))).toMatchObject({
      outcome: 'rejected',
      error: { code: 'AuthenticationRefused' },
    });
    expectRequests(often(trial(next)));
    standIn.answer({ status: 500, body: { error: 'odd' } });
    expect(await rotator().probe(next, context(secret))).toMatchObject({ outcome: 'unreachable' });
  });

  const removals = [fixture.disable, fixture.revoke].filter((one) => one !== undefined);

  const retire = (old: HttpSecret) => rotator().retire(old, { ...context(next), act: 'remove' });

  test('revokes the previous credential, and finds it refused the second time', async () => {
    standIn.answer(
      of(fixture.test.accepted, secret),
      ...granted,
      ...removals.map(({ done }) => of(done, secret)),
    );
    expect(await retire(secret)).toEqual({ done: 'removed' });
    expectRequests([trial(secret), ...login, ...removals.map((one) => byAdmin(one))]);
    const isNamed = recipe.list?.name !== undefined;
    const gone = of((removals[0] ?? fixture.revoke).gone, secret);
    const refusals = often(of(fixture.test.rejected, secret));
    standIn.answer(...refusals, ...(isNamed ? [] : [...granted, gone, ...refusals]));
    expect(await retire(secret)).toEqual({ done: 'nothing' });
    const byId = [...login, ...removals.slice(0, 1).map((one) => byAdmin(one)), ...often(trial(secret))];
    expectRequests([...often(trial(secret)), ...(isNamed ? [] : byId)]);
  });

  test('does not believe that a credential is gone while the service accepts it', async () => {
    const gone = of((removals[0] ?? fixture.revoke).gone, secret);
    const accepted = of(fixture.test.accepted, secret);
    findings.length = 0;
    standIn.answer(accepted, ...granted, gone, accepted);
    expect(await retire(secret)).toMatchObject({
      ...{ done: 'nothing', note: expect.stringContaining('still accepts it') },
    });
    expect(findings).toEqual(['PreviousCredentialRemains']);
    findings.length = 0;
    standIn.answer(...granted, ...often(gone), accepted);
    await rotator().discard?.(secret, context(next));
    expect(findings).toEqual(['AbandonedCredentialRemains']);
  });

  test('contains a leaked credential, and proves it', async () => {
    const off = fixture.disable ?? fixture.revoke;
    const refusals = often(of(fixture.test.rejected, secret));
    standIn.answer(of(fixture.test.accepted, secret), ...granted, of(off.done, secret), ...refusals);
    expect(await rotator().contain(secret, context(secret))).toEqual({
      loginsRefused: true,
      sessionsEnded: 0,
      note: recipe.revocation,
    });
    expectRequests([trial(secret), ...login, byAdmin(off), ...often(trial(secret))]);
  });

  test('names the permission that the admin lacks', async () => {
    standIn.answer(...granted, ...listed.map(({ answer }) => answer), { status: 403, body: {} });
    await expect(rotator().propose(secret, context(secret))).rejects.toMatchObject({
      code: 'PermissionMissing',
      message: expect.stringContaining(recipe.admin.permission),
    });
  });

  test('quotes nothing that an answer says, but short codes', async () => {
    const values = [...secretsOf(admin), part(secret, valueKey)];
    const echo = Object.fromEntries(
      ['error', 'errors', 'errorCode', 'code', 'id', 'message', 'messageId', 'error_code'].map((key) => [
        ...[key, [{ code: values[0], type: values[0] }, ...values]],
      ]),
    );
    const replies = [
      echo,
      { ...echo, error: { code: values[0], type: values[0] } },
      { ...echo, code: values[0] },
    ];
    for (const body of [...replies, { id: values[0], errorCode: values[0], error: values[0] }]) {
      for (const status of [400, 403, 500]) {
        const last = { status, body, headers: { 'x-echo': String(values[0]) } };
        standIn.answer(...granted, ...listed.map(({ answer }) => answer), last);
        const error = await rotator()
          .propose(secret, context(secret))
          .then(
            () => undefined,
            (thrown: unknown) => inspect(thrown, { depth: 12, showHidden: true }),
          );
        expect(error).toContain(String(status));
        for (const value of values) expect(error).not.toContain(value);
      }
    }
  });

  if (fixture.token !== undefined) {
    test('an admin that gets no access token is named', async () => {
      standIn.answer({ status: 401, body: { error: 'invalid_client' } });
      await expect(rotator().propose(secret, context(secret))).rejects.toMatchObject({
        code: 'AuthenticationRefused',
        message: expect.stringMatching(
          /answered 401(?: \(invalid_client\))?, so the (?:client|user) of the admin secret gets no access token$/,
        ),
      });
    });
  }

  test(`${recipe.own === undefined ? 'needs an admin, and says what it must hold' : 'may do without an admin'}`, async () => {
    standIn.answer(...listed.map(({ answer }) => answer), fixture.create.answer);
    const proposal = rotator().propose(secret, context(secret, false));
    if (recipe.own === undefined) {
      await expect(proposal).rejects.toMatchObject({
        code: 'AdminSecretMissing',
        message: expect.stringContaining(`"service": "${recipe.service}"`),
      });
      return;
    }
    expect(await proposal).toMatchObject(made);
    const own = (one: { request: Documented }) => ({ ...byAdmin(one), headers: fixture.ownHeaders ?? {} });
    expectRequests([...listed.map(own), own(fixture.create)]);
  });
});

describe('a credential that makes its own successor', () => {
  const name = 'sendgrid-api-key';
  const fixture = fixtures.get(name);
  if (fixture === undefined) throw new Error(`no stand-in for ${name}`);
  const current: HttpSecret = { ...fixture.secret, ...fixture.made };
  const context = (of: HttpSecret) => ({
    ...{ connectTimeoutMs: 2_000, statementTimeoutMs: 2_000, allowPrivateAddresses: true },
    certificateAuthorities: standIn.certificateAuthorities,
    finding: () => {},
    ...{ strategy: 'single-user' as const, random: systemRandom, passwords: passwordPolicy({}), token },
    credentials: {
      current: of,
      admin: async () => undefined,
      previous: async () => undefined,
      async *others() {},
      isAssigned: async () => false,
    },
  });
  const rotator = () => httpRotator({ recipes, transport: standIn.transport, trialPauseMs: 1 });

  test('is not revoked while it is the current one, since nothing could make the next', async () => {
    standIn.answer();
    expect(await rotator().contain(current, context(current))).toEqual({
      ...{ loginsRefused: false, sessionsEnded: 0 },
      note: expect.stringContaining('only a rotation'),
    });
    expect(standIn.received).toEqual([]);
  });

  test('is revoked by its successor', async () => {
    standIn.answer({ status: 200, body: {} }, { status: 204 }, { status: 401 });
    expect(await rotator().contain(fixture.secret, context(current))).toMatchObject({ loginsRefused: true });
    expect(
      standIn.received.map(({ method, path, headers }) => [method, path, headers.authorization]),
    ).toEqual([
      ['GET', '/v3/scopes', `Bearer ${fixture.secret.apiKey}`],
      ['DELETE', `/v3/api_keys/${fixture.secret.id}`, `Bearer ${current.apiKey}`],
      ['GET', '/v3/scopes', `Bearer ${fixture.secret.apiKey}`],
    ]);
  });

  test('that is refused itself needs an admin, and is told so', async () => {
    standIn.answer({ status: 401 });
    await expect(rotator().propose(current, context(current))).rejects.toMatchObject({
      code: 'CredentialUnusable',
      message: expect.stringContaining('masterarn'),
    });
  });
});

/** One recipe with what its stand-in knows. */
function vendor(name: string, change: Readonly<Record<string, unknown>> = {}) {
  const fixture = fixtures.get(name);
  if (fixture === undefined) throw new Error(`no stand-in for ${name}`);
  const secret: HttpSecret = { ...fixture.secret, ...change };
  const context = {
    ...{ connectTimeoutMs: 2_000, statementTimeoutMs: 2_000, allowPrivateAddresses: true },
    certificateAuthorities: standIn.certificateAuthorities,
    finding: () => {},
    ...{ strategy: 'single-user' as const, random: systemRandom, passwords: passwordPolicy({}), token },
    credentials: {
      current: secret,
      admin: async () => fixture.admin,
      previous: async () => undefined,
      async *others() {},
      isAssigned: async () => false,
    },
  };
  return {
    fixture,
    secret,
    context,
    rotator: httpRotator({ recipes, transport: standIn.transport, trialPauseMs: 1 }),
  };
}

describe('what is particular to a vendor', () => {
  test('Okta: a third secret finds no room', async () => {
    const { secret, context, rotator } = vendor('okta-client-secret');
    const errorSummary = "You've reached the maximum number of client secrets per client.";
    const listed = vendor('okta-client-secret').fixture.list?.answer ?? { status: 599 };
    standIn.answer(listed, { status: 400, body: { errorCode: 'E0000001', errorCauses: [{ errorSummary }] } });
    await expect(rotator.propose(secret, context)).rejects.toMatchObject({ code: 'SlotsTaken' });
  });

  test.each([
    ['okta-client-secret', (items: object[]) => items],
    ['mongodb-atlas-service-account-secret', (secrets: object[]) => ({ secrets })],
  ])(
    '%s: where all places are taken, what no version holds is named, and nothing is made',
    async (name, body) => {
      const { fixture, secret, context, rotator } = vendor(name);
      const granted = fixture.token === undefined ? [] : [fixture.token.answer];
      const [created, value] = ['2026-02-03T04:05:06Z', 'a-value-that-the-list-holds'];
      const one = (id: unknown) => ({ id, created, createdAt: created, client_secret: value, secret: value });
      const refusalWith = async (items: readonly unknown[], others: readonly HttpSecret[] = []) => {
        standIn.answer(...granted, { status: 200, body: body(items.map(one)) });
        const credentials = {
          ...context.credentials,
          async *others() {
            yield* others;
          },
        };
        const error = await rotator.propose(secret, { ...context, credentials }).catch((thrown) => thrown);
        expect(standIn.left).toBe(0);
        expect(error.code).toBe('SlotsTaken');
        expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(value);
        return error.message;
      };
      expect(await refusalWith([secret.id, 'unknown-1'])).toContain(`${name} unknown-1 (made ${created})`);
      expect(await refusalWith([secret.id, 'kept-1'], [{ ...secret, id: 'kept-1' }])).not.toContain('kept-1');
      // An id is quoted when it looks like one, and is nothing that is secret.
      const odd = await refusalWith([secret.id, 'odd id <x>', secret[keyOf(name)]]);
      expect(odd).toContain('an id that is not shown');
      for (const hidden of ['<x>', String(secret[keyOf(name)])]) expect(odd).not.toContain(hidden);
    },
  );

  test('Databricks: a service principal whose secrets have all ended gets another', async () => {
    const { fixture, secret, context, rotator } = vendor('databricks-service-principal-secret');
    const granted = fixture.token?.answer ?? { status: 599 };
    standIn.answer(granted, { status: 200, body: {} }, fixture.create.answer);
    expect(await rotator.propose(secret, context)).toMatchObject(fixture.made);
    for (const body of [{ secrets: 'odd' }, undefined, null, 'text']) {
      standIn.answer(granted, { status: 200, body });
      await expect(rotator.propose(secret, context)).rejects.toMatchObject({ code: 'TargetRefused' });
    }
  });

  test('an admin that is refused is said to have ended, or what ends it', async () => {
    const { fixture, secret, context, rotator } = vendor('okta-client-secret');
    for (const [expiresAt, said] of [
      ['2020-01-01', 'the credential of the admin secret is refused; it ended on 2020-01-01'],
      [
        '2999-01-01',
        'the credential of the admin secret is refused; it ends when nobody uses it for 30 days',
      ],
      [undefined, 'the credential of the admin secret is refused; it ends when nobody uses it for 30 days'],
    ]) {
      standIn.answer({ status: 401, body: {} });
      const credentials = { ...context.credentials, admin: async () => ({ ...fixture.admin, expiresAt }) };
      await expect(rotator.propose(secret, { ...context, credentials })).rejects.toMatchObject({
        code: 'AuthenticationRefused',
        message: expect.stringContaining(String(said)),
      });
    }
  });

  test('GitLab: a token of a project that the admin may not see is not believed to be gone', async () => {
    const { fixture, secret, context, rotator } = vendor('gitlab-project-access-token');
    const accepted = JSON.parse(JSON.stringify(fixture.test.accepted).replaceAll('{id}', String(secret.id)));
    standIn.answer(accepted, { status: 404, body: { message: '404 Project Not Found' } }, accepted);
    const credentials = { ...context.credentials, current: { ...secret, ...fixture.made } };
    expect(await rotator.retire?.(secret, { ...context, credentials, act: 'remove' })).toMatchObject({
      ...{ done: 'nothing', note: expect.stringContaining('still accepts it') },
    });
  });

  test('GitLab: of a token that is refused, the name shows whether it was made here', async () => {
    const { fixture, secret, context, rotator } = vendor('gitlab-project-access-token');
    const createdAs = `rekey-${token}-1760000000000`;
    const credentials = { ...context.credentials, current: { ...secret, ...fixture.made } };
    const retire = (old: HttpSecret) => rotator.retire?.(old, { ...context, credentials, act: 'remove' });
    const listed = (name: string) => ({ status: 200, body: [{ id: secret.id, name }] });
    standIn.answer({ status: 401, body: {} }, listed(createdAs), { status: 204 });
    expect(await retire({ ...secret, createdAs })).toEqual({ done: 'removed' });
    standIn.answer({ status: 401, body: {} }, listed('of somebody else'));
    expect(await retire({ ...secret, createdAs })).toEqual({ done: 'nothing' });
    expect(standIn.left).toBe(0);
  });

  test.each([
    ['us', true],
    ['evil.example', false],
  ])('OpenAI: keys of a project with data residency are tried at its region (%s)', async (region, fits) => {
    const { secret, rotator } = vendor('openai-service-account-key', { host: `${region}.api.openai.com` });
    expect(rotator.schema.safeParse(secret).success).toBe(fits);
  });

  test.each([
    ['elasticsearch-api-key', 'roleDescriptors'],
    ['cloudflare-account-api-token', 'policies'],
    ['cloudflare-account-api-token', 'condition'],
  ])('%s: %s that says nothing is refused, since services take it for everything', (name, key) => {
    for (const value of [{}, [], '{}', ' [ ] ']) {
      const { secret, rotator } = vendor(name, { [key]: value });
      expect(rotator.schema.safeParse(secret).error?.issues.map(({ path }) => path)).toEqual([[key]]);
    }
  });

  test('SendGrid: a parent account acts for a subuser, and names it in no other case', async () => {
    for (const subuser of ['sub', undefined]) {
      const { fixture, secret, context, rotator } = vendor('sendgrid-api-key', { subuser });
      standIn.answer(fixture.list?.answer ?? { status: 599 }, fixture.create.answer);
      await rotator.propose(secret, context);
      expect(standIn.received.map(({ headers }) => headers['on-behalf-of'])).toEqual([subuser, subuser]);
    }
  });

  test.each([
    ['entra-application-secret', { loginHost: 'login.microsoftonline.us', graphHost: 'graph.microsoft.us' }],
    [
      'entra-application-secret',
      { loginHost: 'login.partner.microsoftonline.cn', graphHost: 'microsoftgraph.chinacloudapi.cn' },
    ],
    ['twilio-api-key', { host: 'api.dublin.ie1.twilio.com' }],
    ['okta-client-secret', { domain: 'example.okta.mil' }],
  ])('%s: the service elsewhere, at %j, and nowhere else', async (name, hosts) => {
    const { fixture, secret, context, rotator } = vendor(name, hosts);
    expect(rotator.schema.safeParse(secret).success).toBe(true);
    // The admin secret has to name the same place.
    await expect(rotator.propose(secret, context)).rejects.toMatchObject({ code: 'AdminSecretMismatch' });
    for (const [key, host] of Object.entries(hosts)) {
      for (const odd of [`${host}.evil.example`, 'evil.example', `evil-${host}.example`, `x.${host}:1`]) {
        expect(rotator.schema.safeParse({ ...fixture.secret, [key]: odd }).success).toBe(false);
      }
    }
  });

  test.each(['cloudflare-account-api-token', 'cloudflare-user-api-token'])(
    '%s: a filter by address goes on to the successor',
    async (name) => {
      const condition = { request_ip: { in: ['192.0.2.0/24'] } };
      const { fixture, secret, context, rotator } = vendor(name, { condition });
      const listed = fixture.list === undefined ? [] : [fixture.list.answer];
      standIn.answer(...listed, fixture.create.answer);
      expect(await rotator.propose(secret, context)).toMatchObject({ condition });
      expect(standIn.received.at(-1)?.body).toMatchObject({ condition });
    },
  );
});

const keyOf = (name: string): string => recipes.get(name)?.credential.secret ?? '';

/** In a form body a value is encoded. */
function encodedFor(documented: unknown, value: string): string {
  const body = (documented as { body?: unknown }).body;
  return typeof body === 'string' ? new URLSearchParams({ v: value }).toString().slice(2) : value;
}

function normalized(body: unknown): unknown {
  return JSON.parse(
    JSON.stringify(body)
      .replaceAll(new RegExp(`rekey-${token}-\\d{13}`, 'g'), '<name>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
      .replaceAll(/"\d{4}-\d\d-\d\d"/g, '"<day>"')
      .replaceAll(/:\d{13}(?=[,}])/g, ':"<millis>"'),
  );
}
