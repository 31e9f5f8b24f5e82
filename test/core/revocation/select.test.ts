import { describe, expect, test } from '@jest/globals';
import { type SelectionSources, selectSecrets } from '../../../core/revocation/select.ts';
import { type Selection, selectionSchema, selectionText } from '../../../core/revocation/selection.ts';
import { arnOf, definition } from './definitions.ts';

const known = [
  definition('/prod/orders/db', { owner: 'team-orders', consumers: ['orders-api'] }),
  definition('/prod/orders/cache', { owner: 'team-orders', consumers: ['orders-api', 'worker'] }),
  definition('/prod/billing/db', { owner: 'team-billing', consumers: ['worker'] }),
];
const principal = 'arn:aws:iam::111122223333:role/worker';
const sources: SelectionSources = {
  environment: 'prod',
  tagged: async (key, value) =>
    key === 'tier' && value === 'gold' ? [arnOf('/prod/billing/db'), arnOf('/prod/not-of-rekey')] : [],
  readBy: async () => 'off',
  readableBy: async (who, secrets) => (who === principal ? secrets.slice(0, 2).map(({ arn }) => arn) : []),
};
const found = async (select: Selection) =>
  (await selectSecrets(select, known, sources)).selected.map(({ name }) => name);

const all = known.map(({ name }) => name);
const [db = '', cache = '', billing = ''] = all;

describe('a selection finds', () => {
  test.each<[string, Selection, string[]]>([
    ['a secret by its name', { secret: db }, [db]],
    ['a secret by its ARN', { secret: arnOf(db) }, [db]],
    ['a secret by its ARN without the suffix', { secret: arnOf(db).slice(0, -7) }, [db]],
    ['several that are named', { secrets: [{ secret: billing }, { secret: cache }] }, [billing, cache]],
    ['by tag, and only those that Rekey looks after', { tag: { key: 'tier', value: 'gold' } }, [billing]],
    ['by the beginning of the name', { namePrefix: '/prod/orders/' }, [db, cache]],
    ['by owner', { owner: 'team-billing' }, [billing]],
    ['by consumer', { consumer: 'worker' }, [cache, billing]],
    ['by who may read them', { principal }, [db, cache]],
    ['everything', { environment: 'prod' }, all],
  ])('%s', async (_what, select, expected) => {
    expect(selectionSchema.parse(select)).toEqual(select);
    expect(await found(select)).toEqual(expected);
    expect(selectionText(select)).not.toBe('');
  });

  test.each<[string, Selection, string, string]>([
    [
      'a name that is not there',
      { secret: '/prod/orders/db2' },
      'SecretUnknown',
      'did you mean /prod/orders/db?',
    ],
    ['the only one of a list', { secrets: [{ secret: 'x' }] }, 'SecretUnknown', '"x"'],
    ['an owner of nothing', { owner: 'team-order' }, 'SelectionEmpty', 'did you mean team-orders?'],
    ['a tag that nothing has', { tag: { key: 'a', value: 'b' } }, 'SelectionEmpty', 'a=b'],
    ['another environment', { environment: 'dev' }, 'EnvironmentMismatch', '"dev"'],
  ])('nothing for %s, and says so', async (_what, select, code, text) => {
    const error = await selectSecrets(select, known, sources).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(text);
  });
});

test.each([
  [{}],
  [{ secret: db, owner: 'team-orders' }],
  [{ secrets: [] }],
  [{ principal: 'worker' }],
  [{ fingerprint: 'ab' }],
  [{ tag: { key: '', value: '' } }],
])('%j is no selection', (select) => {
  expect(selectionSchema.safeParse(select).success).toBe(false);
});

test('a secret that was read by several of its names is found once, with the last time, and others are left aside', async () => {
  const reads = [
    { secret: billing, time: '2026-03-01T00:00:00.000Z' },
    { secret: arnOf(billing), time: '2026-03-03T00:00:00.000Z' },
    { secret: arnOf(billing).slice(0, -7), time: '2026-03-02T00:00:00.000Z' },
    { secret: '/prod/not-of-rekey', time: '2026-03-02T00:00:00.000Z' },
  ];
  const { selected, reads: told } = await selectSecrets({ principal }, known, {
    ...sources,
    readBy: async () => ({ reads }),
  });
  expect(selected.find(({ name }) => name === billing)).toEqual({
    name: billing,
    because: `${principal} has read it`,
    readAt: '2026-03-03T00:00:00.000Z',
  });
  expect(selected).toHaveLength(3);
  expect(told).toEqual({ trail: 'read' });
});

test('one wrong name of several keeps nothing from being done for the others, and is named', async () => {
  const found = await selectSecrets({ secrets: [{ secret: db }, { secret: 'x' }] }, known, sources);
  expect(found.selected.map(({ name }) => name)).toEqual([db]);
  expect(found.unknown).toEqual(['x']);
});
