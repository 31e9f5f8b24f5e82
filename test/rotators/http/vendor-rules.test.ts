import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { recipes } from '../../../rotators/http/recipes/index.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import type { Answer, StandIn } from './stand-in.ts';
import { fixtures, startVendors, token } from './vendors.ts';

let standIn: StandIn;
beforeAll(async () => {
  standIn = await startVendors();
});
afterAll(() => standIn.stop());

describe('a credential that makes its own successor', () => {
  const name = 'sendgrid-api-key';
  const fixture = fixtures.get(name);
  if (fixture === undefined) throw new Error(`no stand-in for ${name}`);
  const current: HttpSecret = { ...fixture.secret, ...fixture.made };
  const context = (of: HttpSecret) => ({
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 2_000,
    allowPrivateAddresses: true,
    certificateAuthorities: standIn.certificateAuthorities,
    finding: () => {},
    strategy: 'single-user' as const,
    random: systemRandom,
    passwords: passwordPolicy({}),
    token,
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
      loginsRefused: false,
      sessionsEnded: 0,
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
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 2_000,
    allowPrivateAddresses: true,
    certificateAuthorities: standIn.certificateAuthorities,
    finding: () => {},
    strategy: 'single-user' as const,
    random: systemRandom,
    passwords: passwordPolicy({}),
    token,
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

  test('MongoDB Atlas: a change at the same time is tried again, beginning with the list; no other conflict is', async () => {
    const { fixture, secret, context, rotator } = vendor('mongodb-atlas-service-account-secret');
    const granted = fixture.token?.answer ?? { status: 599 };
    const conflict = (errorCode?: string) => ({ status: 409, body: { error: 409, errorCode } });
    const listed = (...ids: unknown[]) => ({ status: 200, body: { secrets: ids.map((id) => ({ id })) } });
    const proposed = (...answers: Answer[]) => {
      standIn.answer(granted, ...answers);
      return rotator.propose(secret, context);
    };
    await expect(proposed(listed(secret.id), conflict('DATA_CONCURRENCY_ERROR'))).rejects.toMatchObject({
      code: 'TargetBusy',
      retryable: true,
      message: expect.stringContaining('answered 409 (DATA_CONCURRENCY_ERROR)'),
    });
    // Sent once: whoever was faster may have taken the last place, which only the list tells.
    expect(standIn.left).toBe(0);
    await expect(proposed(listed(secret.id, 'the-faster-one'))).rejects.toMatchObject({
      code: 'SlotsTaken',
      message: expect.stringContaining('the-faster-one'),
    });
    for (const errorCode of ['CANNOT_DO_THAT', undefined]) {
      await expect(proposed(listed(secret.id), conflict(errorCode))).rejects.toMatchObject({
        code: 'TargetRefused',
        retryable: false,
      });
    }
    expect(await proposed(listed(secret.id), fixture.create.answer)).toMatchObject(fixture.made);
  });

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
    expect(
      await rotator.retire?.(secret, {
        ...context,
        credentials,
        act: 'remove',
        announce: async () => undefined,
      }),
    ).toMatchObject({
      done: 'nothing',
      note: expect.stringContaining('still accepts it'),
    });
  });

  test('GitLab: of a token that is refused, the name shows whether it was made here', async () => {
    const { fixture, secret, context, rotator } = vendor('gitlab-project-access-token');
    const createdAs = `rekey-${token}-1760000000000`;
    const credentials = { ...context.credentials, current: { ...secret, ...fixture.made } };
    const retire = (old: HttpSecret) =>
      rotator.retire?.(old, { ...context, credentials, act: 'remove', announce: async () => undefined });
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
