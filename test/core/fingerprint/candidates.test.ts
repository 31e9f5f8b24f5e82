import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { candidatesIn } from '../../../core/fingerprint/candidates.ts';
import { propertyRuns } from '../../property-runs.ts';

const secret = `kL9@v/2 q"x\\Z'%41=&;:é`;
const token = 'ghx_4f9c2bZ81kQm07';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const values = (text: string) => candidatesIn(text).map(({ value }) => value);

describe('what somebody found holds the value', () => {
  test.each([
    ['as it is', secret],
    ['with the end of its line', `${secret}\r\n`],
    ['with space around', `  ${secret}\n`],
    ['in base64, as in a manifest of Kubernetes', base64(secret)],
    ['in base64 with the end of a line in it', base64(`${secret}\n`)],
    ['in base64 of the other alphabet', Buffer.from(`${secret}>>>???`).toString('base64url')],
    ['in base64 twice', base64(base64(secret))],
    ['in a URL', encodeURIComponent(secret)],
    ['in a URL twice', encodeURIComponent(encodeURIComponent(secret))],
    ['in the URL of a database', `postgresql://app:${encodeURIComponent(secret)}@db.internal:5432/orders`],
    ['in the query of a URL', `https://db.internal/?user=app&password=${encodeURIComponent(secret)}#top`],
    ['between quotes', `'${secret}'`],
    ['as text of JSON', JSON.stringify(secret)],
    ['as text of JSON, without its quotes', JSON.stringify(secret).slice(1, -1)],
    ['in JSON', JSON.stringify({ db: { host: 'x', password: secret } })],
    ['in a list in JSON', JSON.stringify([{ password: secret }])],
    ['in a line of an .env file', `PGUSER=app\nexport PGPASSWORD="${token}"\nPGHOST=db\n`],
    ['in a manifest', `apiVersion: v1\nkind: Secret\ndata:\n  password: ${base64(secret)}\n`],
    ['in a connection string', `Server=db;User Id=app;Password=${token};Encrypt=true`],
    ['in a header', `Authorization: Bearer ${token}`],
    ['in a header with a login', `Authorization: Basic ${base64(`app:${token}`)}`],
  ])('%s', (_, text) => {
    const wanted = text.includes(token) || text.includes(base64(`app:${token}`)) ? token : secret;
    const found = values(text);
    expect(found.some((value) => value === wanted || value === `${wanted}>>>???`)).toBe(true);
  });
});

test('what was given comes first, and each value once', () => {
  const [first, ...others] = candidatesIn(` ${encodeURIComponent(secret)}\n`);
  expect(first).toEqual({ value: ` ${encodeURIComponent(secret)}\n`, form: 'as given' });
  expect(others.find(({ value }) => value === secret)?.form).toBe('ends trimmed, percent decoded');
  const all = values(JSON.stringify([secret, secret, secret]));
  expect(new Set(all).size).toBe(all.length);
});

test('a form quotes nothing of what was given', () => {
  const words = new Set(
    candidatesIn(JSON.stringify({ [token]: `${token}=${base64(token)}` })).flatMap(({ form }) =>
      form.split(', '),
    ),
  );
  expect([...words].filter((word) => word.includes(token))).toEqual([]);
});

test('however a text looks, there are few values, soon, and the text is one of them', () => {
  const wild = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2_000 }),
    fc.json(),
    fc.string({ unit: fc.constantFrom('%', '4', '=', ':', ';', '\n', '"', '\\', '@', '/', 'a', '+') }),
  );
  fc.assert(
    fc.property(wild, (text) => {
      const started = performance.now();
      const found = values(text);
      expect(found[0]).toBe(text);
      expect(found.length).toBeLessThanOrEqual(100);
      expect(performance.now() - started).toBeLessThan(1_000);
    }),
    { numRuns: propertyRuns(500) },
  );
});

test.each([
  ['lines', 'password: x\n'.repeat(6_000)],
  ['separators', ';a=b'.repeat(16_000)],
  ['colons and spaces', `a${' '.repeat(30_000)}:`.repeat(2)],
  ['at signs', `x://a:${'@'.repeat(60_000)}`],
  ['schemes', 'a://b:c'.repeat(9_000)],
  ['base64', 'QUJD'.repeat(16_000)],
  ['backslashes', '\\\\'.repeat(30_000)],
])('64 KiB of %s are read in a moment', (_, text) => {
  const started = performance.now();
  expect(values(text).length).toBeLessThanOrEqual(100);
  expect(performance.now() - started).toBeLessThan(2_000);
});
