import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { RekeyError, SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import type { EventOrigin } from '../../../core/events/create.ts';
import type { Finding } from '../../../core/findings/codes.ts';
import type { ProbeResult, Rotator } from '../../../core/rotator.ts';
import { contentDigest, type SecretDefinition } from '../../../core/secret/definition.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import { applyDefinition, assignedTo, currentForSet } from '../../../lambdas/rotation/apply-definition.ts';
import { adminOf, arn, base, one, two, withAdmin, world } from './defined-world.ts';
import { noDatabases } from './engine.ts';
import { type ModelSecret, ModelTarget, modelRotator } from './model-target.ts';

const origin: EventOrigin = {
  source: 'rekey.rotation',
  environment: 'test',
  actor: 'test',
  random: systemRandom,
  clock: { now: () => new Date() },
};
const tagged = { 'rekey:environment': 'test' };
const own = { arn, name: '/test/app', rotationEnabled: true, versions: {}, tags: tagged };
const adopted = { ...own, tags: {} };
const held = { ...base, password: 'in use' };

describe('what the deployment names', () => {
  const named = { content: undefined, identity: { fields: base } } as unknown as SecretDefinition;
  const denied = new RekeyError('AccessDenied', 'ssm:GetParameter is denied');
  const of = (secret: typeof own | typeof adopted, find: () => Promise<SecretDefinition | undefined>) =>
    assignedTo(secret, { definitions: { find }, origin });

  test.each([
    ['a secret of this environment', own],
    ['an adopted one', adopted],
  ])('is in the definition of %s, if there is one', async (_name, secret) => {
    expect(await of(secret, async () => named)).toEqual({ fields: base });
    expect(await of(secret, async () => undefined)).toBeUndefined();
  });

  test('cannot be told where the definition of a secret of this environment cannot be read', async () => {
    await expect(of(own, () => Promise.reject(denied))).rejects.toBe(denied);
  });

  test('is nothing where the function may not read the definition of an adopted secret', async () => {
    expect(await of(adopted, () => Promise.reject(denied))).toBeUndefined();
  });
});

describe('a definition that does not help a first rotation', () => {
  test.each([
    ['will not be readable', new RekeyError('AccessDenied', 'denied'), 'DefinitionUnreadable', false],
    ['may be soon', new RekeyError('ResourceBusy', 'busy'), 'DefinitionUnavailable', true],
    ['failed in another way', new Error('socket hang up'), 'DefinitionUnavailable', true],
  ])('since it %s', async (_name, broken, code, retryable) => {
    const scene = world(withAdmin());
    scene.definition.broken = broken;
    await expect(scene.begin()('createSecret')).rejects.toMatchObject({ code, retryable });
  });

  test('since it makes no secret of the type: the error says that it is the definition', async () => {
    const scene = world(withAdmin({ host: 17 }));
    await expect(scene.begin()('createSecret')).rejects.toMatchObject({
      code: 'SecretValueInvalid',
      message: expect.stringContaining('as its definition has it does not fit its type: host'),
    });
    expect(scene.findings()).toEqual([]);
  });
});

describe('a secret that is in use', () => {
  /** A secret of this environment that holds a credential which works, without an admin. */
  async function inUse(content: Parameters<typeof world>[0]) {
    const scene = world(content);
    await scene.edit(base);
    scene.target.passwords.set(`${base.username}@${one}`, scene.current().password);
    const tags: string[] = [];
    const tag = scene.store.tag.bind(scene.store);
    scene.store.tag = async (secret, key, value) => {
      tags.push(value);
      await tag(secret, key, value);
    };
    return { ...scene, tags };
  }

  test('and has no definition rotates as it is: nothing is noted', async () => {
    const scene = await inUse(withAdmin());
    scene.definition.content = undefined;
    await scene.rotate();
    expect([scene.findings(), scene.tags, scene.logsIn()]).toEqual([[], [], true]);
  });

  test('and whose definition is gone altogether does too', async () => {
    const content = { fields: base };
    const scene = await inUse(content);
    await scene.rotate();
    scene.definition.missing = true;
    await scene.rotate();
    expect([scene.findings(), scene.logsIn()]).toEqual([[], true]);
    expect(scene.tags).toStrictEqual([contentDigest(content)]);
  });

  test('takes over what does not move it, without an admin, and notes that once', async () => {
    const content = { fields: { ...base, team: 'orders' } };
    const scene = await inUse(content);
    await scene.rotate();
    await scene.rotate();
    expect(scene.current().team).toBe('orders');
    expect([scene.findings(), scene.tags]).toEqual([[], [contentDigest(content)]]);
  });

  test('rotates as it is where its definition makes no secret of the type, also by a key that it lacks', async () => {
    const scene = world({ fields: { username: 'app', host: 17 } });
    await scene.edit({ username: 'app' });
    scene.target.passwords.set('app', scene.current().password);
    await scene.rotate();
    expect([scene.current().host, scene.logsIn()]).toEqual([undefined, true]);
    expect(scene.findings()).toMatchObject([{ code: 'DefinitionNotFollowed' }]);
  });

  test('needs its admin for no change that leaves it and its admin where they are', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.store.create(adminOf(one), undefined);
    scene.definition.content = withAdmin({ team: 'orders' });
    await scene.rotate();
    expect([scene.current().team, scene.logsIn()]).toEqual(['orders', true]);
  });

  test('has rotated though what it has taken over cannot be noted, which is a finding', async () => {
    const scene = await inUse({ fields: base });
    scene.store.tag = () => Promise.reject(new SecretError('SecretAccessDenied', 'denied'));
    await scene.rotate();
    expect(scene.logsIn()).toBe(true);
    expect(scene.findings()).toMatchObject([
      { code: 'DefinitionNotNoted', message: expect.stringContaining('(SecretAccessDenied)') },
    ]);
  });

  test('is not moved by somebody else while it has no definition', async () => {
    const scene = world(withAdmin());
    await scene.rotate();
    scene.definition.content = undefined;
    const run = scene.begin();
    const token = scene.store.peek(arn, 'AWSPENDING')?.versionId ?? '';
    const pending = { ...scene.current(), host: two, password: 'by somebody' };
    await scene.store.putPending(arn, token, JSON.stringify(pending));
    await expect(run('setSecret')).rejects.toMatchObject({ code: 'PendingOutdated' });
    expect(scene.strayed()).toEqual([]);
  });
});

describe('a definition that points elsewhere', () => {
  /** What a rotation starts from, and what is found, where the trials at the other place are answered like this. */
  async function moved(
    answers: Record<string, ProbeResult['outcome']>,
    adapt: (rotator: Rotator<ModelSecret>) => Rotator<ModelSecret> = (rotator) => rotator,
  ) {
    const scene = world(withAdmin({}, two));
    const findings: Finding[] = [];
    const probed: string[] = [];
    const error = new TargetError('TargetTimeout', 'no answer in time');
    const rotator = adapt({
      ...modelRotator(new ModelTarget()),
      probe: async ({ username, host }) => {
        probed.push(`${username}@${host}`);
        const outcome = answers[username] ?? 'accepted';
        return outcome === 'accepted' || outcome === 'unverifiable'
          ? { outcome: 'accepted' }
          : { outcome, error };
      },
    });
    const result = await applyDefinition(
      own,
      JSON.stringify({ ...held, masterarn: adminOf(one) }),
      { connectTimeoutMs: 1, statementTimeoutMs: 1, finding: (finding) => findings.push(finding) },
      {
        rotator,
        strategy: 'single-user',
        store: scene.store,
        databases: noDatabases,
        origin,
        definitions: { find: async () => ({ content: withAdmin({}, two) }) as SecretDefinition },
        passwords: passwordPolicy({}),
      },
    );
    return { host: result.credential.host, findings, probed };
  }

  test('is followed where the admin is accepted and the user is not yet', async () => {
    const { host, findings, probed } = await moved({ app: 'rejected' });
    expect([host, findings, probed]).toEqual([two, [], [`admin@${two}`, `app@${two}`]]);
  });

  test.each([
    ['the admin is refused', { admin: 'rejected' }],
    ['the user is not answered', { app: 'unreachable' }],
  ] as const)('is not where %s, and a finding says why', async (_name, answers) => {
    const { host, findings } = await moved(answers);
    expect(host).toBe(one);
    expect(findings).toMatchObject([
      { code: 'DefinitionNotFollowed', message: expect.stringContaining('TargetTimeout: no answer in time') },
    ]);
  });

  test('is not where the target issues the credential, since no admin could set it', async () => {
    const { host, findings, probed } = await moved({}, (rotator) => ({
      ...rotator,
      kind: 'issuing',
      discard: async () => undefined,
      retire: async () => ({ done: 'nothing' }),
    }));
    expect([host, probed]).toEqual([one, []]);
    expect(findings).toMatchObject([
      { code: 'DefinitionNotFollowed', message: expect.stringContaining('only an admin secret could set') },
    ]);
  });
});

describe('the current credential before the next one is set', () => {
  const next = { ...held, password: 'next', team: 'sales' };
  const currentFor = (secret: typeof own | typeof adopted, change: object, content?: object) =>
    currentForSet<ModelSecret>({ ...next, ...change }, JSON.stringify({ ...held, team: 'orders' }), secret, {
      rotator: modelRotator(new ModelTarget()),
      strategy: 'single-user',
      databases: noDatabases,
      origin,
      store: world(withAdmin()).store,
      definitions: { find: async () => ({ content }) as SecretDefinition },
      passwords: passwordPolicy({}),
    });

  test('of an adopted secret is what it says', async () => {
    expect(await currentFor(adopted, {})).toEqual({ current: { ...held, team: 'orders' }, moved: [] });
  });

  test('of a secret of this environment has the other keys of the next one', async () => {
    expect(await currentFor(own, {})).toEqual({ current: { ...held, team: 'sales' }, moved: [] });
  });

  test('is moved only by what the definition says', async () => {
    const elsewhere = { fields: { ...base, host: two } };
    expect((await currentFor(own, { host: two }, elsewhere)).moved).toEqual(['host']);
    expect(await currentFor(own, { host: two }, { fields: base })).toMatchObject({
      current: { host: one },
      moved: [],
    });
    expect(await currentFor(own, { host: two })).toMatchObject({ current: { host: one }, moved: [] });
  });
});
