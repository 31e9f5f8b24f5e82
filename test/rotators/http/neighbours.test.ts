import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { parseCredential } from '../../../lambdas/rotation/secret-value.ts';
import { recipeBook } from '../../../rotators/http/recipe-book.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

const recipe = JSON.parse(readFileSync(join(import.meta.dirname, 'token-service.json'), 'utf8'));
const host = 'api.example';
const token = '11111111-2222-4333-8444-555555555555';
/** A number that no double holds, as services with 64-bit ids ("snowflakes") answer. */
const big = '9007199254740993';
const raw = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);

let standIn: StandIn;
beforeAll(async () => {
  standIn = await startStandIn([host]);
});
afterAll(() => standIn.stop());

const rotator = () =>
  httpRotator({
    recipes: recipeBook({ mine: recipe }),
    transport: standIn.transport,
    trialPauseMs: 1,
    runLivesMs: 1,
  });
const secret: HttpSecret = { recipe: 'mine', host, project: 'p', scopes: ['read'], id: '1', token: 'old' };
const admin: HttpSecret = { service: 'test-tokens', host, token: 'of the admin' };
const contextOf = (current: HttpSecret) => ({
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 5_000,
  allowPrivateAddresses: true,
  certificateAuthorities: standIn.certificateAuthorities,
  finding: () => {},
  strategy: 'single-user' as const,
  random: systemRandom,
  passwords: passwordPolicy({}),
  token,
  credentials: {
    current,
    admin: async () => admin,
    previous: async () => undefined,
    async *others() {},
    isAssigned: async () => true,
  },
});
const listed = (...tokens: object[]) => ({ status: 200, body: { tokens } });

/**
 * The kind of getsops/sops#2222 in what a service answers: an id that is a number beyond 2^53 is another one after JSON.parse. The
 * credential that is stored can then never be revoked, or another one is. https://www.rfc-editor.org/rfc/rfc8259#section-6
 */
test('the id that the service gives a credential is stored as the service says it', async () => {
  standIn.answer(listed(), { status: 201, body: { id: raw(big), value: 'new value' } });
  const next = await rotator().propose(secret, contextOf(secret));
  expect(String(next.id)).toBe(big);
});

test('of what an earlier try has left, exactly the listed id is revoked', async () => {
  const name = `rekey-${token}-${Date.now() - 600_000}`;
  standIn.answer(
    listed({ id: raw(big), name }),
    { status: 204 },
    { status: 201, body: { id: '2', value: 'new value' } },
  );
  await rotator().propose(secret, contextOf(secret));
  expect(standIn.received.filter(({ method }) => method === 'DELETE').map(({ path }) => path)).toEqual([
    `/projects/p/tokens/${big}`,
  ]);
});

test('a revocation names the id that stands in the secret, or is refused; never the neighbour', async () => {
  const text = JSON.stringify({ ...secret, id: raw(big), project: raw('1234567890123456789') });
  const leaked = parseCredential(rotator().schema, text, 'the secret');
  standIn.answer({ status: 200, body: { id: raw(big) } }, { status: 204 }, { status: 401 });
  await rotator()
    .contain(leaked, contextOf({ ...secret, id: '7', token: 'the current one' }))
    .catch(() => undefined);
  const deleted = standIn.received.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
  expect(deleted.every((path) => path === `/projects/1234567890123456789/tokens/${big}`)).toBe(true);
});

/** The schema takes an id that is a number. A consumer that reads a number must find one after the rotation, too (B01). */
test('an id that is a number in the secret stays a number', async () => {
  const current = { ...secret, id: 58 };
  standIn.answer(listed(), { status: 201, body: { id: 59, value: 'new value' } });
  expect(await rotator().propose(current, contextOf(current))).toMatchObject({ id: 59 });
});

/**
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3: a number of seconds or a date; recipients must live with what is neither, and
 * the page says that the service is asked again after 429.
 */
test.each(['1 second', 'soon', '0.1s'])('is asked again after 429 with "Retry-After: %s"', async (after) => {
  standIn.answer({ status: 429, headers: { 'retry-after': after } }, listed(), {
    status: 201,
    body: { id: '2', value: 'new value' },
  });
  expect(await rotator().propose(secret, contextOf(secret))).toMatchObject({ id: '2' });
});

/**
 * PaddleHQ/paddle-python-sdk#157, sindresorhus/got#991: gateways have more words for "not now" than 502 to 504. Cloudflare, which stands before many of the
 * services that have recipes, says 520 to 524 (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/); 408 and 500
 * are tried again by every SDK. Here they end as `TargetRefused`, "compare the secret's keys with the recipe", which no workflow tries again: in an
 * emergency a leaked token stays.
 */
test.each([408, 500, 520, 521, 522, 523, 524])('a service that answers %i is asked again', async (status) => {
  standIn.answer({ status }, listed(), { status: 201, body: { id: '2', value: 'new value' } });
  expect(await rotator().propose(secret, contextOf(secret))).toMatchObject({ id: '2' });
});

test.each([408, 500, 520, 522, 524])('where %i stays, the next try may succeed', async (status) => {
  standIn.answer(...Array.from({ length: 6 }, () => ({ status })));
  const { outcome, ...result } = await rotator().probe(secret, contextOf(secret));
  expect(outcome).toBe('unreachable');
  expect(result).toMatchObject({ error: { retryable: true } });
});

/**
 * A gateway that gave up waiting says nothing of what the service has done (https://www.rfc-editor.org/rfc/rfc9110#section-15.6.5). A connection that is lost in the
 * same moment is reported so: "a credential may have been made". Services without names (Okta, Atlas) keep that one for ever.
 */
test.each([500, 502, 504, 524])(
  'a create that is answered with %i says that a credential may have been made',
  async (status) => {
    standIn.answer(listed(), { status });
    await expect(rotator().propose(secret, contextOf(secret))).rejects.toThrow(/may have been made/);
  },
);
