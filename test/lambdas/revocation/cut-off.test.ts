import { describe, expect, test } from '@jest/globals';
import type { ContainmentInput } from '../../../core/deployed/revocation-state.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { requestId, secretArn, World } from './world.ts';

const input = (versions: readonly string[], change: Partial<ContainmentInput> = {}): ContainmentInput => ({
  action: 'contain',
  requestId,
  correlationId: 'c',
  secretArn,
  secretName: 'orders',
  named: false,
  versions: [...versions],
  ...change,
});

type Contain = World['rotator']['contain'];

/** A world whose rotator tells what it is asked to cut off. */
function watched(world: World, tell: (...call: Parameters<Contain>) => unknown) {
  const contain: Contain = async (leaked, context) => {
    await tell(leaked, context);
    return await world.rotator.contain(leaked, context);
  };
  return { ...world.containment(), rotator: { ...world.rotator, contain } };
}

async function add(world: World, id: string, value: Record<string, unknown>): Promise<void> {
  world.store.begin(secretArn, id);
  await world.store.putPending(secretArn, id, JSON.stringify(value));
}

/** Adds a version that has lost its labels. */
async function addForgotten(world: World, id: string, value: Record<string, unknown>): Promise<void> {
  await add(world, id, value);
  world.store.removePending(secretArn);
}

async function addCurrent(world: World, id: string, value: Record<string, unknown>): Promise<void> {
  await add(world, id, value);
  await world.store.moveCurrent(secretArn, { to: id, from: 'v1' });
}

describe('who is cut off at the target, though the target refuses the password already', () => {
  test('the first version of each login, since its sessions go on', async () => {
    const world = new World();
    await addForgotten(world, 'old', { username: 'app', password: 'of long ago' });
    await containLeaks(input(['old']), world.containment());
    expect(world.target.contained).toEqual(['of long ago']);
  });

  test('every login by itself, whatever was done about another one', async () => {
    const world = new World();
    for (const id of ['old0', 'old1']) await addForgotten(world, id, { username: 'second', password: id });
    const { containments } = await containLeaks(input(['v1', 'old0', 'old1']), world.containment());
    expect(world.target.contained.toSorted()).toEqual(['leaked-password', 'old0']);
    expect(containments).toContainEqual({
      versionIds: ['old1'],
      identity: 'second',
      loginsRefused: true,
      sessionsEnded: 0,
      note: 'refused already',
    });
  });

  test('a version that still has a label, since somebody may use it', async () => {
    const world = new World();
    await addCurrent(world, 'v2', { username: 'app', password: 'newer' });
    world.target.users.set('app', { password: 'newer', mayLogIn: true, sessions: 1 });
    await containLeaks(input(['v2', 'v1']), world.containment());
    expect(world.target.contained).toEqual(['newer', 'leaked-password']);
  });
});

describe('a version that points elsewhere than the current one', () => {
  const elsewhere = async (password: string) => {
    const world = new World();
    await addCurrent(world, 'v2', { username: 'app', password: 'newer', host: 'new.internal' });
    world.target.users.set('app', { password, mayLogIn: true, sessions: 1 });
    const { rotator } = world;
    const boundTo = (secret: object) => ({ host: String(Reflect.get(secret, 'host') ?? 'old.internal') });
    const dependencies = { ...world.containment(), rotator: { ...rotator, boundTo } };
    return { world, outcome: await containLeaks(input(['v1']), dependencies) };
  };

  test('is left alone where it is refused there', async () => {
    const { world, outcome } = await elsewhere('changed');
    expect(world.target.contained).toEqual([]);
    expect(outcome.containments).toEqual([
      {
        versionIds: ['v1'],
        identity: 'app',
        loginsRefused: true,
        sessionsEnded: 0,
        note: 'refused already where this version points',
      },
    ]);
  });

  test('is cut off where it works there', async () => {
    const { world } = await elsewhere('leaked-password');
    expect(world.target.contained).toEqual(['leaked-password']);
  });
});

describe('the means of a containment', () => {
  test.each([
    ['that of its current version, where both name one that is of no use', 'current', 'leaked', 'current'],
    ['that of the current version, where the leaked one names none', 'current', '', 'current'],
    ['that of the leaked version, where the current one names none', '', 'leaked', 'leaked'],
  ])('are missing an admin secret: %s is told', async (_, ofCurrent, ofLeaked, told) => {
    const world = new World();
    const masterarn = (name: string) => (name === '' ? {} : { masterarn: `${secretArn}-${name}-admin` });
    await addForgotten(world, 'old', { username: 'app', password: 'leaked', ...masterarn(ofLeaked) });
    await addCurrent(world, 'v2', { username: 'app', password: 'newer', ...masterarn(ofCurrent) });
    const dependencies = watched(world, (_leaked, { credentials }) => credentials.admin());
    await expect(containLeaks(input(['old']), dependencies)).rejects.toMatchObject({
      code: 'AdminSecretMissing',
      message: expect.stringContaining(`${secretArn}-${told}-admin `),
    });
    expect(world.target.contained).toEqual([]);
  });

  test.each([
    ['names', { fields: { username: 'app', host: 'db.internal' } }, true],
    ['does not name', { fields: { username: 'reader', host: 'db.internal' } }, false],
    ['says nothing of', null, false],
    ['knew nothing of', undefined, false],
  ])(
    'are told whose secret it is, as a deployment that %s its user has it',
    async (_, assigned, expected) => {
      const world = new World();
      const told: boolean[] = [];
      const dependencies = watched(world, async (leaked, { credentials }) => {
        told.push(await credentials.isAssigned(leaked));
      });
      await containLeaks(input(['v1'], assigned === undefined ? {} : { assigned }), dependencies);
      expect(told).toEqual([expected]);
    },
  );
});

describe('what a containment leaves behind', () => {
  test('is a record that nothing was done, where no target was told the value', async () => {
    const world = new World();
    world.store.create(secretArn, JSON.stringify({ password: 'the first value' }));
    await containLeaks(input(['v1']), world.containment());
    expect(world.bus.events.map(({ detail }) => detail.data)).toEqual([
      { requestId, secretArn, secretName: 'orders', containments: [] },
    ]);
  });

  test('is no time of refusal where no version could be tried, and none where one still works', async () => {
    const world = new World();
    expect(await containLeaks(input(['gone']), world.containment())).toStrictEqual({ containments: [] });
    world.target.stubborn = true;
    expect(await containLeaks(input(['v1']), world.containment())).toStrictEqual({
      containments: [{ versionIds: ['v1'], identity: 'app', loginsRefused: false, sessionsEnded: 0 }],
    });
  });
});
