import { beforeEach, expect, test } from '@jest/globals';
import { AuditUnavailableError } from '../../../core/errors/rekey-error.ts';
import { type AnyEvent, detailSchema } from '../../../core/events/catalogue.ts';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import { lookupAnswerSchema } from '../../../core/fingerprint/lookup.ts';
import { lookUp } from '../../../lambdas/fingerprint/look-up.ts';
import { MemoryIndex, MemoryKey } from './memory-index.ts';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/prod/orders-AbCdEf';
const value = 'kT7/first-value';
const now = new Date('2026-03-01T00:00:00.000Z');

let index: MemoryIndex;
let key: MemoryKey;
let published: AnyEvent[];
let left: number;

beforeEach(async () => {
  [index, key, published, left] = [new MemoryIndex(), new MemoryKey(), [], 1_000];
  await index.note({
    arn: secretArn,
    name: '/prod/orders',
    type: 'postgresql',
    strategy: 'single-user',
    owner: 'team-orders',
  });
  const standing = { labels: ['AWSCURRENT'], seenAt: now };
  const mac = await key.sign(hashOf(value));
  await index.add(secretArn, { versionId: 'v1', ...standing }, [{ mac, parts: ['password'] }]);
  key.signed.length = 0;
});

const ask = (request: unknown) =>
  lookUp(request, {
    key,
    index,
    budget: {
      take: async (candidates) => {
        if (candidates > left) return { retryAfterSeconds: 17 };
        left -= candidates;
        return 'taken';
      },
    },
    records: { publish: async (events) => void published.push(...events) },
    origin: {
      source: 'rekey.fingerprint',
      environment: 'prod',
      actor: 'lambda:lookup',
      clock: { now: () => now },
      random: { bytes: (length) => new Uint8Array(length), integer: () => 0 },
    },
  });

test('a value is found by its hash: which secret, which version, which label', async () => {
  const answer = await ask({ hashes: [hashOf('another'), hashOf(value)], claimedActor: 'somebody' });
  expect(lookupAnswerSchema.parse(answer)).toEqual(answer);
  expect(answer).toMatchObject({
    outcome: 'answered',
    matches: [{ candidate: 1, secretName: '/prod/orders', versionId: 'v1', labels: ['AWSCURRENT'] }],
  });
});

test('the record names how many, the secret and the version, and neither value nor hash nor signature', async () => {
  await ask({ hashes: [hashOf('another'), hashOf(value)], claimedActor: 'somebody' });
  const [event] = published;
  expect(published).toHaveLength(1);
  expect(detailSchema('Fingerprint Looked Up').parse(event?.detail).data).toEqual({
    candidates: 2,
    matches: [{ secretArn, secretName: '/prod/orders', versionId: 'v1' }],
    found: 1,
    claimedActor: 'somebody',
  });
  const text = JSON.stringify(published);
  for (const secret of [value, hashOf(value), hashOf('another'), await key.sign(hashOf(value))]) {
    expect(text).not.toContain(secret);
  }
});

test('what finds nothing is recorded as well', async () => {
  expect(await ask({ hashes: [hashOf('another')] })).toEqual({ outcome: 'answered', matches: [] });
  expect(published[0]?.detail.data).toEqual({ candidates: 1, matches: [], found: 0 });
});

test('a hash that is given twice is looked up and counted once, and found at both places', async () => {
  const answer = await ask({ hashes: [hashOf(value), hashOf('another'), hashOf(value)] });
  expect(answer.outcome === 'answered' && answer.matches.map(({ candidate }) => candidate)).toEqual([0, 2]);
  expect([key.signed.length, left]).toEqual([2, 998]);
});

test('one that comes too often is refused before it costs anything, with the time to wait', async () => {
  left = 1;
  const answer = await ask({ hashes: [hashOf(value), hashOf('another')] });
  expect(lookupAnswerSchema.parse(answer)).toMatchObject({
    outcome: 'refused',
    error: { code: 'LookupsExhausted', retryable: true },
    retryAfterSeconds: 17,
  });
  expect([key.signed.length, published.length]).toEqual([0, 0]);
});

test('nobody is told what no record tells of', async () => {
  const unwritable = lookUp(
    { hashes: [hashOf(value)] },
    {
      key,
      index,
      budget: { take: async () => 'taken' },
      records: {
        publish: async () => {
          throw new AuditUnavailableError('neither took it');
        },
      },
      origin: {
        source: 'rekey.fingerprint',
        environment: 'prod',
        actor: 'lambda:lookup',
        clock: { now: () => now },
        random: { bytes: (length) => new Uint8Array(length), integer: () => 0 },
      },
    },
  );
  await expect(unwritable).rejects.toMatchObject({ code: 'AuditUnavailable' });
});

test.each([
  ['a value', { hashes: [value] }],
  ['a hash in capitals', { hashes: [hashOf(value).toUpperCase()] }],
  ['no hash', { hashes: [] }],
  ['too many', { hashes: Array.from({ length: 101 }, (_, at) => hashOf(String(at))) }],
  ['something else', { hashes: [hashOf(value)], value }],
  ['nothing', undefined],
])('%s in the request is refused, and not repeated', async (_, request) => {
  const answer = await ask(request);
  expect(answer).toMatchObject({ outcome: 'refused', error: { code: 'LookupMalformed', retryable: false } });
  expect(JSON.stringify(answer)).not.toContain(value);
  expect([key.signed.length, published.length, left]).toEqual([0, 0, 1_000]);
});
