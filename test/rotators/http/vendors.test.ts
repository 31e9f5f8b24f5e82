import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { recipes } from '../../../rotators/http/recipes/index.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import type { StandIn } from './stand-in.ts';
import { type Documented, fixtures, startVendors, token } from './vendors.ts';

let standIn: StandIn;
beforeAll(async () => {
  standIn = await startVendors();
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
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 2_000,
    allowPrivateAddresses: true,
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
      method,
      host,
      path: path.replaceAll(`rekey-${token}-`, '<prefix>'),
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

  const retire = (old: HttpSecret) =>
    rotator().retire(old, { ...context(next), act: 'remove', announce: async () => undefined });

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
      done: 'nothing',
      note: expect.stringContaining('still accepts it'),
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
