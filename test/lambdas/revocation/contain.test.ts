import { describe, expect, test } from '@jest/globals';
import type { ContainmentInput } from '../../../core/deployed/revocation-state.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { requestId, secretArn, World } from './world.ts';

const input = (versions: readonly string[], change: Partial<ContainmentInput> = {}): ContainmentInput => ({
  action: 'contain',
  requestId,
  correlationId: 'c',
  secretArn,
  secretName: 'orders',
  versions: [...versions],
  named: false,
  ...change,
});

/** A secret with old versions that have lost their labels. */
async function aged(passwords: readonly string[]): Promise<World> {
  const world = new World();
  for (const [index, password] of passwords.entries()) {
    world.store.begin(secretArn, `old${index}`);
    await world.store.putPending(secretArn, `old${index}`, JSON.stringify({ username: 'app', password }));
    world.store.removePending(secretArn);
  }
  return world;
}

describe('cutting off', () => {
  test('after the rotation, says of each replica that is behind that its readers are refused, and goes on', async () => {
    const world = new World();
    world.store.begin(secretArn, 'new');
    await world.store.putPending(secretArn, 'new', JSON.stringify({ username: 'app', password: 'new' }));
    await world.store.moveCurrent(secretArn, { to: 'new', from: 'v1' });
    world.store.replicate(secretArn, [
      { region: 'us-east-1', status: 'InSync' },
      { region: 'eu-west-1', status: 'InProgress' },
    ]);
    await containLeaks(input(['v1']), world.containment());
    const told = () => world.bus.events.filter(({ detailType }) => detailType === 'Finding Raised');
    expect(told()).toEqual([]);
    await containLeaks(input(['v1'], { newVersionId: 'new' }), world.containment());
    expect(told().map(({ detail }) => detail.data)).toEqual([
      expect.objectContaining({ code: 'ReplicaOutdated', message: expect.stringContaining('eu-west-1') }),
    ]);
    expect(world.target.contained).toContain('leaked-password');
  });

  test('the credential in use comes first; forgotten ones of the same login that are refused cost a login only', async () => {
    const world = await aged(['a', 'b', 'c']);
    const { containments, refusedAt } = await containLeaks(
      input(['old0', 'old1', 'old2', 'v1']),
      world.containment(),
    );
    expect(world.target.contained).toEqual(['leaked-password']);
    expect(containments).toEqual([
      { versionIds: ['v1'], identity: 'app', loginsRefused: true, sessionsEnded: 2 },
      {
        versionIds: ['old0', 'old1', 'old2'],
        identity: 'app',
        loginsRefused: true,
        sessionsEnded: 0,
        note: 'refused already',
      },
    ]);
    expect(refusedAt).toBe('2026-03-01T12:00:00.000Z');
  });

  test('the first value of a secret that Rekey created was told to no target: there is nothing to cut off', async () => {
    const world = new World();
    world.store.create(secretArn, JSON.stringify({ password: 'the first value' }));
    expect(await containLeaks(input(['v1']), world.containment())).toEqual({ containments: [] });
    await expect(verifyLeaks(input(['v1']), world.containment())).rejects.toThrow('v1 was revoked');
    expect(world.target.contained).toEqual([]);
  });

  test('beside a first value, what a rotation under way has set counts as in use', async () => {
    const world = new World();
    world.store.create(secretArn, JSON.stringify({ password: 'the first value' }));
    world.store.begin(secretArn, 'v2');
    const leaked = { username: 'app', password: 'leaked-password' };
    await world.store.putPending(secretArn, 'v2', JSON.stringify(leaked));
    await containLeaks(input(['v1', 'v2']), world.containment());
    expect(world.target.contained).toEqual(['leaked-password']);
    expect(world.target.accepts(leaked)).toBe(false);
  });

  test('a credential of another server is cut off there, and never tried where the current one is', async () => {
    const world = await aged(['of the former server']);
    const current = { username: 'app', password: 'of the new server', host: 'new.internal' };
    world.store.begin(secretArn, 'v2');
    await world.store.putPending(secretArn, 'v2', JSON.stringify(current));
    await world.store.moveCurrent(secretArn, { to: 'v2', from: 'v1' });
    const dependencies = world.containment();
    const seen: unknown[] = [];
    const rotator = {
      ...world.rotator,
      boundTo: (secret: object) => ({ host: String(Reflect.get(secret, 'host') ?? 'old.internal') }),
      contain: (...[leaked, context]: Parameters<typeof world.rotator.contain>) => {
        seen.push([leaked.password, context.credentials.current.password]);
        return world.rotator.contain(leaked, context);
      },
    };
    const { containments } = await containLeaks(input(['v1', 'old0']), { ...dependencies, rotator });
    // One works where it points and is cut off as the one in use there; the other is refused there.
    expect(seen).toEqual([['leaked-password', 'leaked-password']]);
    expect(containments).toHaveLength(2);
  });

  describe('a current version that somebody has tampered with shields no leaked one', () => {
    const leakedIsCurrent = () => {
      const world = new World();
      const put = async (value: string | undefined) => {
        world.store.begin(secretArn, 'v2');
        if (value !== undefined) await world.store.putPending(secretArn, 'v2', value);
        await world.store.moveCurrent(secretArn, { to: 'v2', from: 'v1' });
        return world;
      };
      return { put };
    };

    test.each([
      ['no JSON', 'no JSON'],
      ['no credential', '{"username":7}'],
      ['a list', '[]'],
      ['no text at all', undefined],
    ])('which holds %s', async (_name, value) => {
      const world = await leakedIsCurrent().put(value);
      const { containments } = await containLeaks(input(['v1', 'v2']), world.containment());
      expect(containments).toEqual([expect.objectContaining({ versionIds: ['v1'], loginsRefused: true })]);
      expect(world.target.users.get('app')?.mayLogIn).toBe(false);
      // The proof says that the leak is dead, and why nothing can log in now.
      await expect(verifyLeaks(input(['v1']), world.containment())).rejects.toMatchObject({
        code: value === undefined ? 'SecretValueMissing' : 'SecretValueInvalid',
      });
      world.target.users.set('app', { password: 'leaked-password', mayLogIn: true, sessions: 0 });
      await expect(verifyLeaks(input(['v1']), world.containment())).rejects.toThrow('still accepts');
    });

    test.each([
      ['whose admin secret does not fit', { masterarn: `${secretArn}-other` }],
      ['whose admin secret does not exist', { masterarn: `${secretArn}-gone` }],
      ['that names no admin secret', {}],
    ])('%s', async (_name, change) => {
      const world = new World();
      const admin = { username: 'root', password: 'of the admin', host: 'db.internal' };
      world.store.create(`${secretArn}-admin`, JSON.stringify(admin));
      world.store.create(`${secretArn}-other`, JSON.stringify({ ...admin, host: 'elsewhere.internal' }));
      const base = { username: 'app', password: 'leaked-password', host: 'db.internal' };
      world.store.create(secretArn, JSON.stringify({ ...base, masterarn: `${secretArn}-admin` }));
      world.store.begin(secretArn, 'v2');
      await world.store.putPending(secretArn, 'v2', JSON.stringify({ ...base, password: 'x', ...change }));
      await world.store.moveCurrent(secretArn, { to: 'v2', from: 'v1' });
      const admins: unknown[] = [];
      const dependencies = world.containment();
      const rotator = {
        ...world.rotator,
        contain: async (...[leaked, context]: Parameters<typeof world.rotator.contain>) => {
          admins.push((await context.credentials.admin())?.password);
          return world.rotator.contain(leaked, context);
        },
      };
      await containLeaks(input(['v1']), { ...dependencies, rotator });
      expect(admins).toEqual(['of the admin']);
    });
  });

  test('versions with the same value are one credential', async () => {
    const world = await aged(['leaked-password']);
    const { containments } = await containLeaks(input(['old0', 'v1']), world.containment());
    expect(containments).toEqual([expect.objectContaining({ versionIds: ['v1', 'old0'] })]);
    expect(world.target.contained).toHaveLength(1);
  });

  test('one that cannot be cut off does not keep the others from it, and the error is thrown afterwards', async () => {
    const world = new World();
    world.store.begin(secretArn, 'v9');
    await world.store.putPending(secretArn, 'v9', JSON.stringify({ username: 'second', password: 'x' }));
    world.target.users.set('second', { password: 'x', mayLogIn: true, sessions: 1 });
    const contain = world.rotator.contain;
    world.rotator.contain = async (leaked, context) => {
      if (leaked.username === 'app') {
        throw Object.assign(new Error('SELECT s3cret'), { name: 'DriverError' });
      }
      return contain(leaked, context);
    };
    await expect(containLeaks(input(['v1', 'v9']), world.containment())).rejects.toThrow();
    expect(world.target.users.get('second')?.mayLogIn).toBe(false);
    const recorded = JSON.stringify(world.bus.events);
    expect(recorded).toContain('unexpected DriverError');
    expect(recorded).not.toContain('s3cret');
  });

  test('a target that does not do what it says leaves no time of refusal', async () => {
    const world = new World();
    world.target.stubborn = true;
    const { refusedAt } = await containLeaks(input(['v1']), world.containment());
    expect(refusedAt).toBeUndefined();
  });
});

describe('labels that are old, or were moved back', () => {
  /** The revocation has rotated to `new`; the labels show what they showed before. */
  async function rotated(): Promise<World> {
    const world = new World();
    world.store.begin(secretArn, 'new');
    await world.runRotation(secretArn, 'new');
    await world.store.moveCurrent(secretArn, { to: 'v1', from: 'new' });
    return world;
  }

  test('nothing is cut off while the version that was replaced is shown as current, and it may be tried again', async () => {
    const world = await rotated();
    await expect(
      containLeaks(input(['v1'], { newVersionId: 'new' }), world.containment()),
    ).rejects.toMatchObject({ code: 'LabelsOutdated', retryable: true });
    expect(world.target.contained).toEqual([]);
    await expect(
      verifyLeaks(input(['v1'], { action: 'verify', newVersionId: 'new' }), world.containment()),
    ).rejects.toMatchObject({ code: 'RevocationUnproven' });
  });

  test('a version that is not shown yet is waited for, and then tried again later', async () => {
    const world = new World();
    await expect(
      containLeaks(input(['v1'], { newVersionId: 'new' }), world.containment()),
    ).rejects.toMatchObject({ code: 'LabelsOutdated', retryable: true });
  });

  test('the version that the revocation made is the current one, though an older one that did not leak is shown', async () => {
    const world = await aged(['harmless']);
    world.store.begin(secretArn, 'new');
    await world.runRotation(secretArn, 'new');
    await world.store.moveCurrent(secretArn, { to: 'old0', from: 'new' });
    await containLeaks(input(['v1'], { newVersionId: 'new' }), world.containment());
    const current = world.rotator.schema.parse(
      JSON.parse((await world.store.read(secretArn, { versionId: 'new' }))?.value ?? ''),
    );
    expect(world.target.accepts(current)).toBe(true);
  });

  test('a rotation that followed made the current one', async () => {
    const world = new World();
    for (const token of ['new', 'later']) {
      world.store.begin(secretArn, token);
      await world.runRotation(secretArn, token);
    }
    const { verifications } = await verifyLeaks(
      input(['v1'], { action: 'verify', newVersionId: 'new' }),
      world.containment(),
    );
    expect(verifications).toEqual([{ versionId: 'v1', identity: 'app', outcome: 'rejected' }]);
  });

  test('where all versions leaked, one that the request was answered without is tried as well', async () => {
    const world = await aged(['unseen']);
    world.store.begin(secretArn, 'new');
    await world.runRotation(secretArn, 'new');
    const change = { action: 'verify', newVersionId: 'new', requestedAt: '2026-02-01T00:00:00Z' } as const;
    const tried = async (named: boolean) =>
      (await verifyLeaks(input(['v1'], { ...change, named }), world.containment())).verifications.map(
        ({ versionId }) => versionId,
      );
    expect(await tried(false)).toEqual(['v1', 'old0']);
    expect(await tried(true)).toEqual(['v1']);
  });
});

describe('the proof', () => {
  const verify = (world: World, versions: readonly string[], named = false) =>
    verifyLeaks(input(versions, { action: 'verify', named }), world.containment());

  test('a revoked version that is still current is none', async () => {
    await expect(verify(new World(), ['v1'])).rejects.toMatchObject({
      code: 'RevocationUnproven',
      message: expect.stringContaining('still the current one'),
    });
  });

  test('a target that does not answer is none, and may be asked again', async () => {
    const world = await aged(['a']);
    world.target.unreachable = 1;
    await expect(verify(world, ['old0'])).rejects.toMatchObject({
      code: 'TargetUnreachable',
      retryable: true,
    });
    expect(await verify(world, ['old0'])).toMatchObject({
      verifications: [{ versionId: 'old0', identity: 'app', outcome: 'rejected' }],
    });
  });

  test('a current credential that is refused is none: nobody must be locked out', async () => {
    const world = await aged(['a']);
    world.target.users.set('app', { password: 'changed-by-hand', mayLogIn: true, sessions: 0 });
    await expect(verify(world, ['old0'])).rejects.toMatchObject({
      code: 'RevocationUnproven',
      message: expect.stringContaining('refuses the current credential'),
    });
  });

  test('what nobody can be asked about neither proves nor disproves', async () => {
    const world = await aged(['a']);
    world.target.nobody = 'the consumers decide';
    expect(await verify(world, ['old0'])).toEqual({
      verifications: [
        { versionId: 'old0', identity: 'app', outcome: 'unverifiable', note: 'the consumers decide' },
      ],
      unavailableVersions: [],
      current: 'unverifiable',
      note: 'the consumers decide',
    });
    const { containments, refusedAt } = await containLeaks(input(['old0', 'v1']), world.containment());
    expect(containments.map(({ loginsRefused }) => loginsRefused)).toEqual([false, false]);
    expect(refusedAt).toBeUndefined();
  });

  test('a current version that holds the leaked value is none, whoever could be asked', async () => {
    const world = await aged(['leaked-password']);
    world.target.nobody = 'the consumers decide';
    await expect(verify(world, ['old0'])).rejects.toMatchObject({
      code: 'RevocationUnproven',
      message: expect.stringContaining('the rotation changed nothing'),
    });
  });

  test('nothing that could be tried is none', async () => {
    await expect(verify(new World(), ['gone'])).rejects.toMatchObject({ code: 'RevocationUnproven' });
  });
});
