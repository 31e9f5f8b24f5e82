import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type LinkKey, readLink, signLink } from '../../../core/approval/link.ts';
import { limiter } from '../../../core/pace/limiter.ts';
import { pageHtml } from '../../../lambdas/approval/html.ts';
import { serveLink } from '../../../lambdas/approval/page.ts';
import { wait } from '../../../lambdas/approval/wait.ts';
import { ApprovalWorld, requestId } from './world.ts';

/** A key as KMS has it. */
const keyOf = (secret: string): LinkKey & { asked: number } => ({
  asked: 0,
  async make(message) {
    return createHmac('sha256', secret).update(message).digest();
  },
  async verify(message, code) {
    this.asked += 1;
    return timingSafeEqual(createHmac('sha256', secret).update(message).digest(), code);
  },
});
const key = keyOf('the key');
const limits = { minutes: 60, onExpiry: 'refuse' } as const;

async function opened(approvers = ['bob', 'carol', 'alice']) {
  const world = new ApprovalWorld();
  world.approvers = approvers;
  await wait(world.round(), limits, world.dependencies());
  const expiresAt = world.store.items.get(requestId)?.request.expiresAt ?? '';
  const tokenFor = (approver: string, change: object = {}, by: LinkKey = key, environment = 'test') =>
    signLink({ requestId, approver, expiresAt, ...change }, environment, by);
  const serve = (input: object) => serveLink(input, { ...world.dependencies(), key, admit: () => true });
  const get = (token: string, method = 'GET') =>
    serve({ requestContext: { http: { method } }, queryStringParameters: { t: token } });
  const post = (form: Record<string, string>, cookies: readonly string[] = [], method = 'POST') =>
    serve({
      requestContext: { http: { method } },
      cookies,
      body: Buffer.from(new URLSearchParams(form).toString()).toString('base64'),
      isBase64Encoded: true,
    });
  /** Looks at the page as a browser, and presses a button. */
  const press = async (token: string, outcome: string, change: Record<string, string> = {}) => {
    const page = await get(token);
    const nonce = /name="nonce" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    return post({ token, nonce, outcome, reason: '', ...change }, [page.cookies?.[0]?.split(';')[0] ?? '']);
  };
  return { world, tokenFor, get, post, press };
}

describe('the page behind a link', () => {
  test('shows what is asked and decides nothing, however often and by whatever scanner it is opened', async () => {
    const { world, tokenFor, get } = await opened();
    const token = await tokenFor('bob');
    for (const method of ['GET', 'GET', 'HEAD']) {
      const { statusCode, body } = await get(token, method);
      expect(statusCode).toBe(200);
      expect(body).toContain('/prod/orders/db');
      expect(body).toContain('laptop lost');
      expect(body).not.toMatch(/<script|token-1|http:|https:/);
    }
    expect(world.store.decided).toEqual([]);
    expect(world.completed).toEqual([]);
  });

  test('is kept, framed, scripted and told to nobody', async () => {
    const { tokenFor, get } = await opened();
    const { headers, cookies } = await get(await tokenFor('bob'));
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      ),
    });
    expect(cookies?.[0]).toMatch(
      /^__Host-rekey-approval=[\w-]{32}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=900$/,
    );
  });

  test('has a press of a button decide, which is recorded as done by link', async () => {
    const { world, tokenFor, press } = await opened();
    expect(await press(await tokenFor('bob'), 'granted', { reason: 'seen it' })).toMatchObject({
      statusCode: 200,
    });
    expect(world.completed).toEqual([{ outcome: 'granted', proceeds: true, by: 'bob', reason: 'seen it' }]);
    expect(world.events.at(-1)).toMatchObject({
      detailType: 'Approval Granted',
      detail: { data: { approver: 'bob', way: 'link' } },
    });
  });

  test('counts once: not again, not from another, and it says what was decided', async () => {
    const { world, tokenFor, get, post, press } = await opened();
    const token = await tokenFor('bob');
    const before = await get(token);
    const nonce = /name="nonce" value="([^"]+)"/.exec(before.body)?.[1] ?? '';
    await press(token, 'refused');
    const again = await post({ token, nonce, outcome: 'granted' }, [`__Host-rekey-approval=${nonce}`]);
    expect(again.statusCode).toBe(409);
    expect((await press(await tokenFor('carol'), 'granted')).statusCode).not.toBe(200);
    expect((await get(token)).body).toMatch(/was refused.*By bob/);
    expect((await get(token)).body).not.toContain('<form');
    expect(world.store.decided).toHaveLength(1);
  });

  test('says that the time has ended, and takes no answer then', async () => {
    const { world, tokenFor, get, post } = await opened();
    const token = await tokenFor('bob');
    world.now += 61 * 60_000;
    expect((await get(token)).body).toContain('time to answer has ended');
    const late = await post({ token, nonce: 'n', outcome: 'granted' }, ['__Host-rekey-approval=n']);
    expect(late.statusCode).toBe(409);
    expect(world.completed).toEqual([{ outcome: 'expired', proceeds: false }]);
  });

  test.each([
    ['no cookie', []],
    ['the cookie of another form', ['__Host-rekey-approval=other']],
    ['an empty cookie', ['__Host-rekey-approval=']],
    ['a cookie that another host may set', ['rekey-approval=n']],
  ])('takes no form with %s', async (_what, cookies) => {
    const { world, tokenFor, post } = await opened();
    const token = await tokenFor('bob');
    for (const nonce of ['n', '']) {
      expect(await post({ token, nonce, outcome: 'granted' }, cookies)).toMatchObject({ statusCode: 403 });
    }
    expect(world.store.decided).toEqual([]);
  });

  test.each(['alice', 'Alice'])('has none for the author, whoever signed it: %s', async (name) => {
    const { world, tokenFor, get, press } = await opened(['bob', 'alice']);
    expect(await get(await tokenFor(name))).toMatchObject({ statusCode: 409 });
    expect(await press(await tokenFor(name), 'granted')).not.toMatchObject({ statusCode: 200 });
    expect(world.store.decided).toEqual([]);
  });

  test('has none for a person whom the configuration names no more', async () => {
    const { tokenFor, get } = await opened(['carol']);
    expect((await get(await tokenFor('bob'))).body).toContain('not among those');
  });

  test('has none for a link that is forged, changed or of something else', async () => {
    const { world, tokenFor, get } = await opened();
    const token = await tokenFor('bob');
    const [body = '', code = ''] = token.split('.');
    const other = Buffer.from(
      JSON.stringify({ requestId, approver: 'carol', expiresAt: '2030-01-01T00:00:00.000Z' }),
    );
    const forged = [
      '',
      body,
      `${body}.`,
      `${body}.${'A'.repeat(43)}`,
      `${other.toString('base64url')}.${code}`,
      `${token}A`,
      `${token}.${code}`,
      `${'A'.repeat(2_000)}.${code}`,
      `<script>alert(1)</script>.${code}`,
      await tokenFor('bob', {}, keyOf('another key')),
      await tokenFor('bob', {}, key, 'another-environment'),
      await tokenFor('bob', { expiresAt: '2030-01-01T00:00:00.000Z' }),
    ];
    for (const one of forged) {
      const { statusCode, body: html } = await get(one);
      expect(statusCode).toBe(403);
      expect(html).not.toMatch(/<script|laptop lost|<form/);
    }
    expect(world.store.decided).toEqual([]);
  });

  test('asks KMS about nothing that cannot be a link', async () => {
    const before = key.asked;
    for (const token of ['', 'a', 'a.b', 'x'.repeat(5_000)]) {
      await expect(readLink(token, 'test', key)).rejects.toMatchObject({ code: 'LinkInvalid' });
    }
    expect(key.asked).toBe(before);
  });

  test('is for no other method, and for so many requests a minute', async () => {
    const { post, world } = await opened();
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'get']) {
      expect(await post({}, [], method)).toMatchObject({ statusCode: 405 });
    }
    let now = 0;
    const admit = limiter(2, () => now);
    expect([admit(), admit(), admit()]).toEqual([true, true, false]);
    now = 60_000;
    expect(admit()).toBe(true);
    expect(await serveLink({}, { ...world.dependencies(), key, admit: () => false })).toMatchObject({
      statusCode: 429,
    });
  });

  test('shows what a person wrote as text, and nothing of it as markup or as hidden direction', () => {
    const hostile = `<img src=x onerror="a('b')">&\u202Etxt\u200B\u0000`;
    const shown = '&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;\uFFFDtxt\uFFFD\uFFFD';
    const page = pageHtml({
      title: hostile,
      text: hostile,
      rows: [[hostile, hostile]],
      form: { token: hostile, nonce: hostile },
    });
    expect(page.split(shown)).toHaveLength(8);
    expect(page).not.toContain('<img');
  });
});
