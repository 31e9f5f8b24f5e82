import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../adapters/system.ts';
import type { CacheUserSecret } from '../../rotators/elasticache/schema.ts';
import { guessed, type Place, placed, placeFields, watchLogins } from './adversary/logins.ts';
import {
  adminArn,
  assertGainsNothing,
  type Move,
  movesOf,
  type Plot,
  revocation,
  rotation,
  type Secret,
  write,
} from './adversary/story.ts';
import { type ElastiCacheUnderTest, start } from './drivers/elasticache.ts';
import { type HostileServer, startHostile } from './hostile.ts';
import { strangers } from './recorded.ts';
import { missing, type Target } from './scene.ts';

/**
 * The adversary of `adversary.test.ts`, and users of ElastiCache. Their passwords are set through an API that asks for no login:
 * the role of the function knows the secret's own user alone, and the place where a password is tried must be vouched for.
 */

type Fields = Place & {
  username?: 'own' | 'victim' | 'admin';
  userId?: 'own' | 'victim' | 'none' | 'gone';
  user_arn?: 'own' | 'victim' | 'none';
};

const moves = movesOf<Fields>(
  fc.record(
    {
      ...placeFields,
      host: fc.constantFrom('real' as const, 'other' as const, 'none' as const),
      username: fc.constantFrom('own' as const, 'victim' as const, 'admin' as const),
      userId: fc.constantFrom('own' as const, 'victim' as const, 'none' as const, 'gone' as const),
      user_arn: fc.constantFrom('own' as const, 'victim' as const, 'none' as const),
    },
    { requiredKeys: [] },
  ),
);

const found: readonly (readonly Move<Fields>[])[] = [
  [write({ host: 'other', port: 'his', ssl: false }), rotation, revocation],
  [write({ port: 'his', ssl: false }), rotation, revocation],
  // Another user of the API, by its id, its name, or both.
  [write({ userId: 'victim', user_arn: 'victim' }), rotation, revocation],
  [write({ userId: 'victim', user_arn: 'victim', username: 'victim' }), rotation, revocation],
  [write({ host: 'none', userId: 'victim', username: 'victim' }), rotation, revocation],
  [rotation, write({ userId: 'victim', username: 'victim' }, 'AWSPREVIOUS'), revocation],
];

const reason = missing.get('elasticache');
const describeHere = reason === undefined ? describe : describe.skip;

describeHere('elasticache', () => {
  let target: ElastiCacheUnderTest;
  let hostile: HostileServer;
  beforeAll(async () => {
    target = await start();
    hostile = await startHostile('redis');
  });
  afterAll(async () => {
    await hostile?.stop();
    await target?.stop();
  });

  /** A secret that names its cache where the deployment vouches for that, and one that names none where it does not. */
  const plot = async (hasHost: boolean): Promise<Plot<Fields>> => {
    const [{ secret, admin }, { secret: victim }] = [
      await target.createAccount(),
      await target.createAccount(),
    ];
    const { host, port, username } = secret as CacheUserSecret & { host: string; port: number };
    const idOf = ({ userId, user_arn: arn }: CacheUserSecret) => userId ?? arn?.split(':').at(-1) ?? '';
    const arnOf = (one: CacheUserSecret) =>
      `arn:aws:elasticache:${target.cloud.region}:${target.cloud.accountId}:user:${idOf(one)}`;
    const names = { own: username, victim: victim.username, admin: admin.username };
    const ids = { own: idOf(secret), victim: idOf(victim), none: undefined, gone: 'user-gone' };
    const arns = { own: arnOf(secret), victim: arnOf(victim), none: undefined };
    target.calls.length = 0;
    const given = target.given;
    const watched = await watchLogins({
      target: target as unknown as Target,
      hostile: [hostile],
      own: [secret],
      victims: [victim as Secret],
      admin,
      given,
    });
    return {
      rotator: (await target.onlyFor(secret)) as never,
      context: target.context,
      first: hasHost ? secret : { ...secret, host: undefined },
      admin,
      guess: guessed,
      identity: { fields: { username, host, port }, masterarn: adminArn },
      edit: ({ username: whose, userId, user_arn: arn, ...place }) => ({
        ...placed(place, { ...secret, masterarn: adminArn }, hostile),
        ...(whose && { username: names[whose] }),
        ...(userId && { userId: ids[userId] }),
        ...(arn && { user_arn: arns[arn] }),
      }),
      ...watched,
      look: async (known) => [
        ...(await watched.look(known)),
        ...strangers(target.calls, [ids.own]).map((call) => `granted to the function: ${call}`),
      ],
    };
  };

  test('a function may change its own user and no other', async () => {
    const { secret } = await target.createAccount();
    const { secret: other } = await target.createAccount();
    const rotator = await target.onlyFor(secret);
    target.calls.length = 0;
    const contain = async (leaked: CacheUserSecret) =>
      await rotator.contain(leaked, {
        ...target.context,
        strategy: 'single-user',
        finding: () => undefined,
        random: systemRandom,
        credentials: {
          current: leaked,
          admin: async () => undefined,
          previous: async () => undefined,
          async *others() {},
          isAssigned: async () => true,
        },
      });
    await expect(contain(other)).rejects.toMatchObject({ code: 'PermissionMissing' });
    expect(target.calls.some(({ granted }) => granted)).toBe(false);
    await contain(secret);
    expect(await target.logsIn(secret)).toBe(false);
    expect(strangers(target.calls, [])).toContainEqual(expect.stringMatching(/^ModifyUser user-/));
  });

  const cases = (['single-user', 'dual-credential'] as const).flatMap((strategy) =>
    [true, false].map((isNamed) => ({ strategy, isNamed })),
  );
  test.each(cases)(
    'gains nothing, $strategy, the deployment names the user: $isNamed',
    async ({ strategy, isNamed }) => {
      const from = { moves, found, runs: 12, plot: () => plot(isNamed) };
      await assertGainsNothing(from, { strategy, isNamed });
    },
  );
});
