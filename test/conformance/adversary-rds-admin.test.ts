import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../adapters/system.ts';
import type { MasterSecret } from '../../rotators/rds-admin/schema.ts';
import { guessed, type Place, placed, placeFields, watchLogins } from './adversary/logins.ts';
import {
  assertGainsNothing,
  type Move,
  movesOf,
  type Plot,
  revocation,
  rotation,
  type Secret,
  write,
} from './adversary/story.ts';
import { type RdsUnderTest, start } from './drivers/rds-admin.ts';
import { type HostileServer, startHostile } from './hostile.ts';
import { strangers } from './recorded.ts';
import type { Target } from './scene.ts';

/**
 * The adversary of `adversary.test.ts`, and master users of RDS. Their passwords are set through an API that asks for no login:
 * the role of the function knows the secret's own database alone, and the new password goes to no place but that.
 */

const ids = ['own', 'victim', 'none', 'gone'] as const;
const engines = ['postgres', 'aurora-postgresql', 'mysql', 'redshift', 'mongo'] as const;
type Fields = Omit<Place, 'masterarn'> & {
  engine?: (typeof engines)[number];
  username?: 'own' | 'victim';
  dbInstanceIdentifier?: (typeof ids)[number];
  dbClusterIdentifier?: (typeof ids)[number];
  dbname?: 'own' | 'other';
};

const { masterarn: _unused, ...place } = placeFields;
const moves = movesOf<Fields>(
  fc.record(
    {
      ...place,
      engine: fc.constantFrom(...engines),
      username: fc.constantFrom('own' as const, 'victim' as const),
      dbInstanceIdentifier: fc.constantFrom(...ids),
      dbClusterIdentifier: fc.constantFrom(...ids),
      dbname: fc.constantFrom('own' as const, 'other' as const),
    },
    { requiredKeys: [] },
  ),
);

const victimsId = { dbInstanceIdentifier: 'victim', dbClusterIdentifier: 'none' } as const;
const found: readonly (readonly Move<Fields>[])[] = [
  [write({ host: 'other', port: 'his', ssl: false }), rotation, revocation],
  // His port at the right host, which the API does not refuse by its name.
  [write({ port: 'his', ssl: false }), rotation, revocation],
  [write({ port: 'his', ssl: false, engine: 'mysql' }), revocation],
  // Another database, by its identifier, its master user, or both.
  [write(victimsId), rotation, revocation],
  [write({ ...victimsId, username: 'victim' }), rotation, revocation],
  [write({ dbInstanceIdentifier: 'none', dbClusterIdentifier: 'victim', username: 'victim' }), revocation],
  [rotation, write({ username: 'victim', dbInstanceIdentifier: 'none' }, 'AWSPREVIOUS'), revocation],
];

let target: RdsUnderTest;
let hostile: HostileServer;
let hostileMysql: HostileServer;
beforeAll(async () => {
  target = await start();
  [hostile, hostileMysql] = [await startHostile('postgresql'), await startHostile('mysql')];
});
afterAll(async () => {
  await hostile?.stop();
  await hostileMysql?.stop();
  await target?.stop();
});

let stories = 0;
/** Two databases, of one account and at one server, of all the kinds that the driver makes in turn. */
async function databases(): Promise<[MasterSecret, MasterSecret]> {
  stories += 1;
  const [{ secret: one }, { secret: other }] = [await target.createAccount(), await target.createAccount()];
  return stories % 2 === 0 ? [one, other] : [other, one];
}

async function plot(): Promise<Plot<Fields>> {
  const [secret, victim] = await databases();
  const { host, port, username } = secret;
  const [own, others] = [target.identifiersOf(secret), target.identifiersOf(victim)];
  const idOf = (known: readonly string[], of: MasterSecret, which?: (typeof ids)[number]) =>
    which === 'none' ? undefined : which === 'gone' ? 'db-gone' : (of.dbInstanceIdentifier ?? known[0]);
  const chosen = (which: (typeof ids)[number]) =>
    which === 'victim' ? idOf(others, victim, which) : idOf(own, secret, which);
  const clusterOf = (which: (typeof ids)[number]) =>
    which === 'victim' ? others[0] : which === 'own' ? own[0] : idOf(own, secret, which);
  // Where the secret says MySQL, two that wait for each other's first word are soon given up.
  const context = { ...target.context, connectTimeoutMs: 1_000, statementTimeoutMs: 5_000 };
  target.calls.length = 0;
  const given = target.given;
  const watched = await watchLogins({
    target: target as unknown as Target,
    hostile: [hostile, hostileMysql],
    own: [secret],
    victims: [victim as Secret],
    given,
  });
  return {
    rotator: (await target.onlyFor(secret)) as never,
    context,
    first: secret,
    guess: guessed,
    identity: { fields: { username, host, ...(port != null && { port }) } },
    edit: ({ username: whose, engine, dbname, dbInstanceIdentifier, dbClusterIdentifier, ...where }) => ({
      ...placed(where, secret, engine === 'mysql' ? hostileMysql : hostile),
      ...(whose && { username: whose === 'own' ? username : victim.username }),
      ...(engine && { engine }),
      ...(dbname && { dbname: dbname === 'own' ? secret.dbname : 'template1' }),
      ...(dbInstanceIdentifier && { dbInstanceIdentifier: chosen(dbInstanceIdentifier) }),
      ...(dbClusterIdentifier && { dbClusterIdentifier: clusterOf(dbClusterIdentifier) }),
    }),
    ...watched,
    look: async (known) => [
      ...(await watched.look(known)),
      ...strangers(target.calls, own).map((call) => `granted to the function: ${call}`),
    ],
  };
}

test('a function may change its own database and no other', async () => {
  const [secret, victim] = await databases();
  const rotator = await target.onlyFor(secret);
  target.calls.length = 0;
  const contain = async (leaked: MasterSecret) =>
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
  await expect(contain(victim)).rejects.toMatchObject({ code: 'PermissionMissing' });
  expect(strangers(target.calls, [])).toEqual([]);
  expect(await target.logsIn(victim)).toBe(true);
  await contain(secret);
  expect(await target.logsIn(secret)).toBe(false);
  expect(strangers(target.calls, [])).toContainEqual(expect.stringMatching(/^ModifyDB\w+ db-/));
});

test.each([true, false])('gains nothing, the deployment names the user: %s', async (isNamed) => {
  const from = { moves, found, runs: 12, plot };
  await assertGainsNothing(from, { strategy: 'single-user', isNamed });
});
