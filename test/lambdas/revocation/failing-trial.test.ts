import { describe, expect, test } from '@jest/globals';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { requestId, secretArn, World } from './world.ts';

describe('one version whose trial throws, as the one with the port "99999" of MySQL does', () => {
  /** `v1` is current; `old0` to `old3` have lost their labels: one of another place is among them. */
  async function attacked() {
    const world = new World();
    const versions = ['v1'];
    const users = ['app', 'app', 'app', 'reader'];
    for (const [index, username] of users.entries()) {
      const id = `old${index}`;
      world.store.begin(secretArn, id);
      const password = index === 0 ? 'of port 99999' : `leaked ${index}`;
      await world.store.putPending(secretArn, id, JSON.stringify({ username, password }));
      world.store.removePending(secretArn);
      versions.push(id);
    }
    world.target.users.set('reader', { password: 'leaked 3', mayLogIn: true, sessions: 1 });
    const { probe } = world.rotator;
    const rotator: typeof world.rotator = {
      ...world.rotator,
      probe: async (credential, target) => {
        // What `net.connect` throws within the driver of MySQL.
        if (credential.password === 'of port 99999') throw new RangeError('Port should be >= 0 and < 65536');
        return await probe(credential, target);
      },
    };
    const input = {
      action: 'contain' as const,
      requestId,
      correlationId: 'c',
      secretArn,
      secretName: 'orders',
      versions,
      named: false,
    };
    await containLeaks(input, { ...world.containment(), rotator }).catch(() => undefined);
    return world;
  }

  test('keeps nothing that was done from the record', async () => {
    const world = await attacked();
    expect(world.target.contained).toContain('leaked-password');
    expect(world.published()).toContain('Credential Contained');
  });

  test('keeps no other version of the same user from being looked at', async () => {
    const world = await attacked();
    const contained = world.bus.events
      .filter(({ detailType }) => detailType === 'Credential Contained')
      .flatMap(({ detail }) => Reflect.get(detail.data, 'containments') as { versionIds: string[] }[])
      .flatMap(({ versionIds }) => versionIds);
    expect(contained).toEqual(expect.arrayContaining(['v1', 'old1', 'old2', 'old3']));
  });
});
