import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { registry } from '../../rotators/registry.ts';
import { guessed, type Place, placed, placeFields, watchLogins } from './adversary/logins.ts';
import {
  adminArn,
  assertGainsNothing,
  type Move,
  movesOf,
  type Plot,
  revocation,
  rotation,
  step,
  write,
} from './adversary/story.ts';
import type { PostgresUnderTest } from './drivers/postgresql.ts';
import { type HostileServer, startHostile } from './hostile.ts';
import { missing, startTarget, stopTargets, type Target } from './scene.ts';

/**
 * Somebody who may write a secret, and read none, changes any of its fields in any version between any two steps of rotations
 * and revocations, and listens where the secret then points. He must learn no password that works and was not his, and nobody
 * else's login may change. Here: servers that users log in to, with an admin who may change them all.
 */

type Fields = Place & { username?: 'own' | 'clone' | 'victim' | 'admin'; dbname?: 'own' | 'other' };

const moves = movesOf<Fields>(
  fc.record(
    {
      ...placeFields,
      username: fc.constantFrom(...(['own', 'clone', 'victim', 'admin'] as const)),
      dbname: fc.constantFrom('own' as const, 'other' as const),
    },
    { requiredKeys: [] },
  ),
);

const found: readonly (readonly Move<Fields>[])[] = [
  // His host, his port, in the clear; then a rotation and a revocation.
  [write({ host: 'other', port: 'his', ssl: false }), rotation, revocation],
  // His port at the right host: the admin would set what is then sent to him.
  [write({ port: 'his', ssl: false }), rotation, revocation],
  // Another user, who would be handed over, or lose the login.
  [write({ username: 'victim' }), rotation, revocation],
  [rotation, write({ username: 'victim' }, 'AWSPENDING'), rotation],
  [step, write({ username: 'victim' }), step, step, rotation],
  [write({ username: 'admin' }), revocation],
];

afterAll(stopTargets);

/** The protocol of each type's server, which his server speaks as well. */
const protocols = {
  postgresql: 'postgresql',
  mysql: 'mysql',
  redis: 'redis',
  redshift: 'postgresql',
} as const;

describe.each(Object.keys(protocols) as (keyof typeof protocols)[])('%s', (type) => {
  const reason = missing.get(type);
  if (reason !== undefined) {
    // biome-ignore lint/suspicious/noSkippedTests: its server is not on this machine; with CI=true that is a failure
    test.skip(`${type}: ${reason}`, () => {});
    return;
  }
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(type);
  });

  /** Two users of one server, with an admin that may change both. */
  const users = async () => {
    const [own, victim] = [await target.createAccount(), await target.createAccount()];
    if (type === 'postgresql') {
      const admin = pg.escapeIdentifier(String(own.admin.username));
      // The table of targets has one type for all; this row is PostgreSQL's.
      const server = target as unknown as PostgresUnderTest;
      await server.superuser(
        `GRANT ${pg.escapeIdentifier(String(victim.secret.username))} TO ${admin} WITH ADMIN OPTION`,
      );
    }
    return { own, victim: victim.secret };
  };

  const plot = async (hostile: HostileServer): Promise<Plot<Fields>> => {
    const { own, victim } = await users();
    const { secret, admin } = own;
    const { host, port, username } = secret as { host: string; port: number; username: string };
    const names = {
      own: username,
      clone: `${username}_clone`,
      victim: victim.username,
      admin: admin.username,
    };
    const cloneOf = (user: typeof secret) => ({ ...user, username: `${String(user.username)}_clone` });
    const cast = { own: [secret, cloneOf(secret)], victims: [victim, cloneOf(victim)] as const, admin };
    return {
      rotator: target.rotator,
      context: target.context,
      first: secret,
      admin,
      guess: guessed,
      identity: { fields: { username, host, port }, masterarn: adminArn },
      edit: ({ username: whose, dbname, ...place }) => ({
        ...placed(place, { ...secret, masterarn: adminArn }, hostile),
        ...(whose && { username: names[whose] }),
        ...(dbname && { dbname: dbname === 'own' ? secret.dbname : 'postgres' }),
      }),
      ...(await watchLogins({ target, hostile: [hostile], ...cast })),
    };
  };

  test('his server is told what is sent to it, and takes whoever comes', async () => {
    const hostile = await startHostile(protocols[type]);
    try {
      const { secret } = await target.createAccount();
      const there = { ...target.withPassword(secret, 'sent to him'), port: hostile.port, ssl: false };
      const probed = await target.rotator.probe(there, { ...target.context, finding: () => {} });
      expect(probed.outcome).toBe('accepted');
      expect(hostile.learned(['sent to him', 'not sent'])).toEqual(['sent to him']);
    } finally {
      await hostile.stop();
    }
  });

  const cases = registry[type].strategies
    .filter((strategy) => !(type === 'mysql' && strategy === 'dual-credential'))
    .flatMap((strategy) => [true, false].map((isNamed) => ({ strategy, isNamed })));

  test.each(cases)(
    'gains nothing, $strategy, the deployment names the user: $isNamed',
    async ({ strategy, isNamed }) => {
      const hostile = await startHostile(protocols[type]);
      try {
        const from = { moves, found, runs: 12, plot: () => plot(hostile) };
        await assertGainsNothing(from, { strategy, isNamed });
      } finally {
        await hostile.stop();
      }
    },
  );
});
