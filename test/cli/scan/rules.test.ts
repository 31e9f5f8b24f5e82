import { describe, expect, test } from '@jest/globals';
import { rules as presetRules } from '@secretlint/secretlint-rule-preset-recommend';
import { anchors, ruleNames, secretsIn, unannounced } from '../../../cli/scan/rules.ts';
import { kindOf, knownKinds } from '../../../core/scan/kinds.ts';
import { planted } from './planted.ts';
import { scanned } from './world.ts';

test('a secret of each kind is found, and its value stands nowhere', async () => {
  const results = await Promise.all(
    planted.map(async ({ name, rule, text, value, file = 'config.txt' }) => {
      const whole = file.endsWith('.json') ? text : `line one\n  ${text}\n`;
      const { found, rules } = await scanned(whole, { name: file });
      return {
        name,
        isFound: rules.includes(rule),
        others: rules.filter((one) => one !== rule && one !== 'PrivateKey'),
        shown: JSON.stringify(found).includes(value),
      };
    }),
  );
  expect(results.filter(({ isFound, others, shown }) => !isFound || others.length > 0 || shown)).toEqual([]);
  expect(new Set(planted.map(({ rule }) => rule)).size).toBeGreaterThanOrEqual(25);
  expect(new Set(planted.map(({ name }) => name)).size).toBe(planted.length);
});

test('the strings that announce rules hide nothing: every rule run on everything finds the same', async () => {
  expect(unannounced).toEqual([]);
  for (const { text, file = 'config.txt' } of planted) {
    expect(await secretsIn(text, file)).toEqual(await secretsIn(text, file, ruleNames));
  }
  const together = planted.map(({ text }) => text).join(' ');
  const [found, all] = [await secretsIn(together, 'a.txt'), await secretsIn(together, 'a.txt', ruleNames)];
  expect(found.map(({ start }) => start)).toEqual(all.map(({ start }) => start));
});

test('the table knows every rule of the preset that is installed', () => {
  const short = (id: string) => id.replace('@secretlint/secretlint-rule-', '');
  const messages = presetRules
    .filter(({ meta }) => short(meta.id) !== 'filter-comments')
    .flatMap(({ meta, messages: of }) =>
      Object.keys(of).map((message) => [short(meta.id), message] as const),
    );
  expect(messages.length).toBeGreaterThan(50);
  const unknown = messages.filter(
    ([rule, message]) => message !== 'AWSAccountID' && kindOf(rule, message).rule === 'SecretFound',
  );
  expect(unknown).toEqual([]);
  const known = new Set([...messages.map(([rule]) => rule), 'rekey']);
  expect(knownKinds().filter(([id]) => !known.has(id.split('/')[0] ?? ''))).toEqual([]);
  expect(Object.keys(anchors).filter((name) => !known.has(name))).toEqual([]);
});

describe('what is no secret is not found', () => {
  test.each([
    ['an account id', 'aws_account_id = "123456789012"'],
    ['the id of a role', `role AROA${'Q'.repeat(16)}`],
    ['the keys of the documentation of AWS', 'AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['a variable in a URL', `postgresql://app:\${DB_PASSWORD}@db.internal/orders`],
    ['an example of a secret', '{"engine":"postgres","host":"h","username":"u","password":"<password>"}'],
    ['a reference', '{"engine":"postgres","password":"{{resolve:secretsmanager:orders}}"}'],
    ['a public key', `-----BEGIN PUBLIC KEY-----\n${'MIIB'.repeat(40)}\n-----END PUBLIC KEY-----`],
    ['a hash', 'sha512-4Mm2vYuRrUC0zAqLE7H0mYQaI0V1sR3mWQkTX0yKq5w9X1WfZ1lDq0cWmH3Vd1Q8Pq3m8Xa0W1Zs5b1yA=='],
  ])('%s', async (_, text) => {
    expect((await scanned(text)).rules).toEqual([]);
  });
});

test('a password in a URL that anybody would guess is a warning', async () => {
  const of = async (password: string) =>
    (await scanned(`postgresql://app:${password}@db.internal/orders`)).found.map(({ severity }) => severity);
  expect(await of('p%40ss-word')).toEqual(['warning']);
  expect(await of('abc12')).toEqual(['warning']);
  expect(await of(['hN7', 'xkq', '29d', 'kW'].join(''))).toEqual(['error']);
});

test('comments in what is scanned keep nothing from being reported', async () => {
  const { text } = planted.find(({ name }) => name === 'GitHub') ?? { text: '' };
  const { rules } = await scanned(`// secretlint-disable\n${text} // secretlint-disable-line\n`);
  expect(rules).toEqual(['GitHubToken']);
});

test('a beginning that the issuer publishes is shown, and of other kinds the length alone', async () => {
  const of = async (name: string) => {
    const { text = '', file } = planted.find((one) => one.name === name) ?? {};
    return (await scanned(text, { name: file ?? 'a' })).found[0]?.excerpt;
  };
  expect(await of('GitHub')).toBe('ghp_… (40 characters)');
  expect(await of('AWS secret key')).toBe('… (40 characters)');
  expect(await of('PostgreSQL')).toMatch(/^… \(\d+ characters\)$/);
});
