import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { signatureHeaders, signingKey } from '../../core/notification/signature.ts';
import { packageRoot } from '../../lib/function/bundle.ts';

/** The examples of the page on notifications, run as they stand against what the notifier signs. */

const page = readFileSync(join(packageRoot, 'docs', 'notifications.md'), 'utf8');
const exampleIn = (language: string): string =>
  new RegExp(`\`\`\`${language} verify\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';

const secret = `whsec_${Buffer.from('a key of thirty-two bytes, exactly').toString('base64')}`;
const other = `whsec_${Buffer.from('another key of thirty-two bytes...').toString('base64')}`;
const now = new Date('2026-03-10T12:00:00.000Z');
const body = '{"type":"rekey.digest","data":{"title":"Ümlaut 🔥"}}';
const keyOf = (text: string): Buffer => signingKey(text) ?? Buffer.alloc(0);
const sign = (id: string, at = now, keys = [secret]) =>
  signatureHeaders({ id, now: at, body }, keys.map(keyOf));
const minutes = (count: number) => new Date(now.getTime() + count * 60_000);

/** Requests, and whether each is to be believed. They come in this order to one receiver. */
const cases: readonly (readonly [string, Record<string, string>, string, boolean])[] = [
  ['genuine', sign('a'), body, true],
  ['the same once more', sign('a'), body, false],
  ['sent again later, signed again', sign('b', minutes(4)), body, true],
  ['an old one', sign('c', minutes(-6)), body, false],
  ['one of the future', sign('d', minutes(6)), body, false],
  ['with another body', sign('e'), `${body} `, false],
  ['with another id', { ...sign('f'), 'webhook-id': 'g' }, body, false],
  [
    'with another timestamp',
    { ...sign('h'), 'webhook-timestamp': String(now.getTime() / 1_000 + 1) },
    body,
    false,
  ],
  ['by another key', sign('i', now, [other]), body, false],
  ['by both keys, while one replaces the other', sign('j', now, [other, secret]), body, true],
  ['without a signature', { ...sign('k'), 'webhook-signature': '' }, body, false],
  ['without headers', {}, body, false],
];
const input = JSON.stringify({
  secret,
  now: now.getTime(),
  cases: cases.map(([, headers, text]) => [headers, text]),
});

function answersOf(command: string, args: readonly string[]): boolean[] {
  const { stdout, stderr, status } = spawnSync(command, args, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const ran = {
  js: () =>
    answersOf(process.execPath, [
      '--input-type=module',
      '--eval',
      `${exampleIn('js')}
import { readFileSync } from 'node:fs';
const { secret, now, cases } = JSON.parse(readFileSync(0, 'utf8'));
const seen = new Set();
console.log(JSON.stringify(cases.map(([headers, body]) => isGenuine(headers, body, secret, seen, now))));`,
    ]),
  python: () =>
    answersOf('python3', [
      '-c',
      `${exampleIn('python')}
import json, sys
given = json.load(sys.stdin)
seen = set()
print(json.dumps([is_genuine(headers, body.encode(), given["secret"], seen, given["now"] / 1000) for headers, body in given["cases"]]))`,
    ]),
} as const;

describe.each(Object.keys(ran) as (keyof typeof ran)[])('the example in %s', (language) => {
  test('believes what is genuine and new, and nothing else', () => {
    const answers = ran[language]();
    expect(cases.map(([what], index) => [what, answers[index]])).toEqual(
      cases.map(([what, , , expected]) => [what, expected]),
    );
  });
});

test.each(['', 'whsec_', 'whsec_AAAA', `whsec_${'A'.repeat(92)}`, `whsec_${'!'.repeat(44)}`, 'A'.repeat(44)])(
  'what is no signing key is none: %j',
  (text) => expect(signingKey(text)).toBeUndefined(),
);

test('a signature is that of the specification', () => {
  // The example of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  const key = keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    now: new Date(1_614_265_330_000),
    body: '{"test": 2432232314}',
  };
  expect(signatureHeaders(message, [key])['webhook-signature']).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});
