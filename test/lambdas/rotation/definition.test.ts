import { describe, expect, test } from '@jest/globals';
import { contentDigest } from '../../../core/secret/definition.ts';
import { adminOf, arn, base, one, steps, two, withAdmin, world } from './defined-world.ts';
import { loginOf } from './model-target.ts';

describe('the first rotation of a created secret', () => {
  test('makes the first value a credential with all that the definition says', async () => {
    const content = withAdmin({ port: 5432, tls: true, team: 'orders' });
    const scene = world(content);
    await scene.rotate();
    const { password, ...others } = scene.current();
    expect(others).toEqual({ ...content.fields, masterarn: content.masterarn });
    expect(password).not.toBe('the first value of all');
    expect(scene.logsIn()).toBe(true);
    expect(await scene.tag()).toBe(contentDigest(content));
  });

  test('of two users begins with the one that the definition does not name', async () => {
    const scene = world(withAdmin(), { strategy: 'alternating-users' });
    await scene.rotate();
    expect(scene.current().username).toBe('app_clone');
    expect(scene.logsIn()).toBe(true);
  });

  test('fails for want of a definition, says so, and succeeds when there is one', async () => {
    const scene = world(withAdmin());
    scene.definition.broken = true;
    const run = scene.begin();
    await expect(run('createSecret')).rejects.toMatchObject({
      code: 'DefinitionUnavailable',
      retryable: true,
    });
    expect(scene.store.values(arn)).not.toContainEqual(expect.stringContaining('masterarn'));
    scene.definition.broken = false;
    for (const step of steps) await run(step);
    expect(scene.logsIn()).toBe(true);
  });

  test('is not called a failure by the try of a setup that comes before it, and has nothing to log in with', async () => {
    const scene = world(withAdmin());
    await expect(scene.begin()('testSecret')).resolves.toEqual({ step: 'testSecret', done: false });
    expect(scene.bus.events).toEqual([]);
    expect(scene.target.seen.size).toBe(0);
  });

  test('leaves a previous version that is no credential, and that no recovery tries', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.target.passwords.set(loginOf(base), 'set by somebody');
    await scene.rotate();
    expect(scene.logsIn()).toBe(true);
    expect(scene.target.seen.has(`the first value of all@${one}`)).toBe(true);
  });
});

describe('a definition', () => {
  test('is written once, and what is changed by hand stays until the definition itself changes', async () => {
    const scene = world(withAdmin({ team: 'orders', pool: 5 }));
    await scene.rotate();
    await scene.edit({ team: 'by hand', note: 'added' });
    await scene.rotate();
    expect(scene.current()).toMatchObject({ team: 'by hand', pool: 5, note: 'added' });
    scene.definition.content = withAdmin({ team: 'sales' });
    await scene.rotate();
    // A key that the definition no longer names stays.
    expect(scene.current()).toMatchObject({ team: 'sales', pool: 5, note: 'added' });
    await scene.edit({ team: 'by hand again' });
    await scene.rotate();
    expect(scene.current().team).toBe('by hand again');
    expect(scene.logsIn()).toBe(true);
  });

  test('never sets a credential, whatever its fields are called', async () => {
    const scene = world(withAdmin({ password: 'from a template' }));
    await scene.rotate();
    expect(scene.logsIn()).toBe(true);
    expect(JSON.stringify(scene.store.values(arn))).not.toContain('from a template');
  });

  test.each([false, true])('is noted also by a last step that began cold: %p', async (cold) => {
    const scene = world(withAdmin());
    await scene.rotate({ cold });
    expect(await scene.tag()).toBe(contentDigest(withAdmin()));
    const asked = scene.definition.asked;
    await scene.rotate({ cold: false });
    expect(scene.definition.asked).toBe(asked + 1);
  });

  test('explains what differs in a pending version, and nothing else', async () => {
    const scene = world(withAdmin({ team: 'orders' }));
    await scene.rotate();
    scene.definition.content = withAdmin({ team: 'sales' });
    const run = scene.begin();
    const pending = { ...scene.current(), team: 'sales', note: 'of nobody', password: 'by somebody' };
    const token = scene.store.peek(arn, 'AWSPENDING')?.versionId ?? '';
    await scene.store.putPending(arn, token, JSON.stringify(pending));
    await expect(run('setSecret')).rejects.toMatchObject({
      code: 'PendingOutdated',
      message: expect.stringContaining('the current version differs from it in note;'),
    });
  });

  test('that changes during a rotation is written by the next', async () => {
    const scene = world(withAdmin({ team: 'orders' }));
    const run = scene.begin();
    await run('createSecret');
    scene.definition.content = withAdmin({ team: 'sales' });
    for (const step of steps.slice(1)) await run(step);
    expect(scene.current().team).toBe('orders');
    await scene.rotate();
    expect(scene.current().team).toBe('sales');
  });

  test('does not put back the user that is in use', async () => {
    const scene = world(withAdmin(), { strategy: 'alternating-users' });
    await scene.rotate();
    const inUse = scene.current();
    expect(inUse.username).toBe('app_clone');
    scene.definition.content = withAdmin({ team: 'sales' });
    const run = scene.begin();
    for (const step of steps.slice(0, 3)) await run(step);
    expect(scene.logsIn(inUse)).toBe(true);
    await run('finishSecret');
    expect(scene.current()).toMatchObject({ username: 'app', team: 'sales' });
    expect(scene.logsIn(inUse)).toBe(true);
  });

  test('that cannot be read does not keep a credential from rotating', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    const before = scene.current();
    scene.definition.broken = true;
    scene.definition.content = withAdmin({ team: 'sales' });
    await scene.rotate();
    expect(scene.current()).toEqual({ ...before, password: expect.any(String) });
    expect(scene.current().password).not.toBe(before.password);
    expect(scene.logsIn()).toBe(true);
    expect(scene.findings()).toMatchObject([
      { code: 'DefinitionUnread', message: expect.stringMatching('TimeoutError') },
    ]);
  });

  test('of an adopted secret is not even asked for', async () => {
    const scene = world(withAdmin({ team: 'not ours' }), { created: false });
    await scene.edit({ username: 'app', host: one });
    scene.target.passwords.set(loginOf(base), scene.current().password);
    await scene.rotate();
    expect(scene.definition.asked).toBe(0);
    expect(scene.current()).not.toHaveProperty('team');
    expect(await scene.tag()).toBeUndefined();
  });

  test('that makes no secret of the type is not followed, and a finding says so', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.definition.content = withAdmin({ host: 17 });
    await scene.rotate();
    expect(scene.current().host).toBe(one);
    expect(scene.findings()).toMatchObject([{ code: 'DefinitionNotFollowed' }]);
  });

  test('whose admin is of another host stores nothing that could never be set', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.definition.content = { ...withAdmin(), masterarn: adminOf(two) };
    const run = scene.begin();
    await expect(run('createSecret')).rejects.toMatchObject({ code: 'AdminSecretMismatch' });
    scene.definition.content = withAdmin({ team: 'mended' });
    for (const step of steps) await run(step);
    expect(scene.current().team).toBe('mended');
  });
});

describe('a definition that moves a credential', () => {
  test.each(['single-user', 'alternating-users'] as const)(
    'has the admin set it there, and no password goes to another host than its own: %s',
    async (strategy) => {
      const scene = world(withAdmin(), { strategy });
      await scene.rotate();
      await scene.rotate();
      const before = scene.current();
      scene.definition.content = withAdmin({}, two);
      await scene.rotate();
      expect(scene.current().host).toBe(two);
      expect(scene.logsIn()).toBe(true);
      expect(scene.logsIn(before)).toBe(true);
      expect(scene.findings()).toMatchObject([
        { code: 'CredentialLeftBehind', message: expect.stringMatching('host') },
      ]);
      // Recovery has only versions of the former host to go by, and the admin.
      scene.target.passwords.set(loginOf(scene.current()), 'set by somebody');
      await scene.rotate();
      expect(scene.logsIn()).toBe(true);
      expect(scene.strayed()).toEqual([]);
    },
  );

  test('to another user asks the admin for that one', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    const before = scene.current();
    scene.definition.content = withAdmin({ username: 'other' });
    await scene.rotate();
    expect(scene.current().username).toBe('other');
    expect(scene.logsIn()).toBe(true);
    expect(scene.logsIn(before)).toBe(true);
  });

  test('without an admin leaves it where it is, writes the rest once, and follows when there is an admin', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.definition.content = { fields: { ...base, host: two, team: 'sales' } };
    await scene.rotate();
    expect(scene.current()).toMatchObject({ host: one, team: 'sales' });
    expect(scene.current()).not.toHaveProperty('masterarn');
    expect(scene.logsIn()).toBe(true);
    expect(scene.findings()).toMatchObject([
      { code: 'DefinitionNotFollowed', message: expect.stringMatching(/another host.*admin/) },
    ]);
    await scene.edit({ team: 'by hand' });
    await scene.rotate({ cold: true });
    expect(scene.current()).toMatchObject({ host: one, team: 'by hand' });
    expect(scene.findings()).toHaveLength(2);
    scene.definition.content = withAdmin({}, two);
    await scene.rotate();
    expect(scene.current().host).toBe(two);
    expect(scene.logsIn()).toBe(true);
    expect(scene.strayed()).toEqual([]);
  });

  test.each([
    ['a host that does not answer', withAdmin({}, two), () => [two]],
    ['a host that is not the admin\u2019s', { ...withAdmin(), fields: { ...base, host: two } }, () => []],
  ])('to %s leaves it where it is, and tries again each time', async (_, moved, down) => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.definition.content = moved;
    for (const host of down()) scene.target.down.add(host);
    await scene.rotate({ cold: true });
    await scene.rotate();
    expect(scene.current()).toMatchObject(withAdmin().fields);
    expect(scene.logsIn()).toBe(true);
    expect(scene.findings().map(({ code }) => code)).toEqual([
      'DefinitionNotFollowed',
      'DefinitionNotFollowed',
    ]);
    scene.target.down.clear();
    scene.definition.content = withAdmin({}, two);
    await scene.rotate();
    expect(scene.current().host).toBe(two);
    expect(scene.strayed()).toEqual([]);
  });

  test('does not let anybody else move it', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    const run = scene.begin();
    const token = scene.store.peek(arn, 'AWSPENDING')?.versionId ?? '';
    await scene.store.putPending(
      arn,
      token,
      JSON.stringify({ ...scene.current(), host: two, masterarn: adminOf(two), password: 'by somebody' }),
    );
    await expect(run('setSecret')).rejects.toMatchObject({ code: 'IdentityMismatch' });
    expect(scene.strayed()).toEqual([]);
  });
});
