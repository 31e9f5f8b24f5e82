import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateUserCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { steps } from '../../lambdas/rotation/event.ts';
import type { IamAccessKeySecret } from '../../rotators/iam-access-key/schema.ts';
import { registry } from '../../rotators/registry.ts';
import { engine, MemoryBus } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { documentedPolicy, type IamUnderTest, start } from './drivers/iam-access-key.ts';
import { userOn } from './iam-access-key-scene.ts';
import { runLivesMs } from './pace.ts';
import { failure } from './scene.ts';

const strategy = 'dual-credential' as const;
const runIsDead = () => sleep(runLivesMs + 50);

describe('IAM access keys', () => {
  let target: IamUnderTest;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  const world = () => userOn(target);

  test('the documentation shows exactly the permissions that the constructs grant', async () => {
    const { aws } = registry['iam-access-key'];
    const actions = async (role: Parameters<typeof documentedPolicy>[0]) =>
      (await documentedPolicy(role)).Statement.map(({ Action }) => Action);
    expect(await actions('rotation')).toEqual([aws.rotation, aws.tags.actions]);
    expect(await actions('containment')).toEqual([aws.containment, 'lambda:InvokeFunction']);
    expect(await actions('session-cutoff')).toEqual([aws.sessionCutoff]);
    for (const arn of [
      'arn:aws:iam::123456789012:user/orders',
      'arn:aws-cn:iam::123456789012:user/a/b/o@x',
    ]) {
      expect(aws.resources.pattern.test(arn)).toBe(true);
    }
    for (const arn of ['arn:aws:iam::123456789012:user/*', 'arn:aws:iam::123456789012:role/orders', '*']) {
      expect(aws.resources.pattern.test(arn)).toBe(false);
    }
  });

  test('a rotation makes nine calls, and one more to remove the mark of the one before', async () => {
    const { rotate } = await world();
    await rotate();
    await rotate();
    await runIsDead();
    target.calls.length = 0;
    await rotate();
    expect(target.calls.map(({ action }) => action)).toEqual([
      ...['ListAccessKeys', 'GetCallerIdentity', 'DeleteAccessKey'],
      ...['ListAccessKeys', 'ListUserTags', 'UntagUser', 'TagUser', 'CreateAccessKey'],
      ...['GetCallerIdentity', 'GetCallerIdentity'],
    ]);
  });

  describe('both places taken', () => {
    test('by keys of others: the refusal names both, with age and use, and no key is touched', async () => {
      const { current, makeKey, propose, keyIds, setStatus, scene } = await world();
      const foreign = await makeKey();
      await target.logsIn(foreign);
      await setStatus(foreign.accessKeyId, 'Inactive');
      const { code, message, text } = await failure(propose());
      expect(code).toBe('SlotsTaken');
      expect(message).toMatch(new RegExp(`${current().accessKeyId} \\(the current one, active, created 20`));
      expect(message).toMatch(
        new RegExp(
          `${foreign.accessKeyId} \\(in no version of the secret, inactive, created 20.* last used 20`,
        ),
      );
      expect(message).toContain('Delete the one that nothing uses');
      for (const secret of scene.secrets) expect(text.includes(secret)).toBe(false);
      expect(await keyIds()).toEqual([current().accessKeyId, foreign.accessKeyId]);
    });

    test('by the key of a rotation that was cancelled: it makes room, which is a finding', async () => {
      const { scene, propose, rotate, codes, keyIds } = await world();
      const cancelled = await propose();
      scene.versions.push(scene.current, cancelled as never);
      const next = await rotate();
      expect(codes()).toEqual(['SpareKeyRemoved']);
      expect(await keyIds()).toContain(next.accessKeyId);
      expect(await keyIds()).not.toContain(cancelled.accessKeyId);
    });

    test('for a moment, by another run: one of two gets a key, the other may try again', async () => {
      const { propose, keyIds, current } = await world();
      const results = await Promise.allSettled([propose('t'), propose('t')]);
      const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(made).toHaveLength(1);
      const refused = results.find((result) => result.status === 'rejected');
      expect(refused?.reason).toMatchObject({ code: 'SlotsBusy', retryable: true });
      expect(await keyIds()).toEqual([current().accessKeyId, made[0]?.accessKeyId]);
      expect(await target.logsIn(made[0] ?? current())).toBe(true);
    });
  });

  describe('a key that was created and not stored', () => {
    test('stays while its run may be alive, then makes room: nobody has it', async () => {
      const { propose, rotate, codes, keyIds, current, scene, marks } = await world();
      const first = current();
      const lost = await propose('the same');
      expect(await failure(propose('the same'))).toMatchObject({
        code: 'SlotsBusy',
        message: expect.stringContaining(`${lost.accessKeyId}; if it is not stored`),
      });
      expect(await keyIds()).toContain(lost.accessKeyId);
      await runIsDead();
      const next = await rotate();
      expect(codes()).toEqual(['OrphanedKeyRemoved']);
      expect(await keyIds()).toEqual([first.accessKeyId, next.accessKeyId]);
      expect(await target.logsIn(first)).toBe(true);
      await runIsDead();
      expect(await scene.retire('disable')).toBe('disabled');
      expect(await marks()).toEqual([]);
    });

    test('is removed by a rotation with another token, too', async () => {
      const { propose, codes } = await world();
      await propose('cancelled');
      await runIsDead();
      expect(await target.logsIn(await propose('another'))).toBe(true);
      expect(codes()).toEqual(['OrphanedKeyRemoved']);
    });

    test.each([
      ['that has been used', 0, 'own', true],
      ['that was created long after the run died', 600_000, 'own', false],
      ["of another secret's run", 0, 'AKIAOFANOTHERSECRET1', false],
    ])('is none that somebody made by hand: one %s', async (_name, agoMs, owner, used) => {
      const { makeKey, leaveMark, propose, current, keyIds, codes } = await world();
      await leaveMark(new Date(Date.now() - agoMs), owner === 'own' ? current().accessKeyId : owner);
      const byHand = await makeKey();
      if (used) await target.logsIn(byHand);
      await runIsDead();
      expect(await failure(propose())).toMatchObject({
        code: 'SlotsTaken',
        message: expect.stringContaining(byHand.accessKeyId ?? '?'),
      });
      expect(await keyIds()).toContain(byHand.accessKeyId);
      expect(codes()).toEqual([]);
    });

    test('leaves no mark when IAM refused to create it', async () => {
      const { propose, marks, UserName } = await world();
      await target.deny('rotation', 'iam:CreateAccessKey', UserName);
      expect((await failure(propose())).code).toBe('PermissionMissing');
      expect(await marks()).toEqual([]);
    });

    test('is taken back when another run stored its own, and twice is once', async () => {
      const { propose, keyIds, current, scene } = await world();
      const proposal = (await propose()) as never;
      await target.rotator.discard(proposal, scene.applyContext as never);
      await target.rotator.discard(proposal, scene.applyContext as never);
      await target.rotator.discard(current(), scene.applyContext as never);
      expect(await keyIds()).toEqual([current().accessKeyId]);
    });
  });

  describe('a secret that was created', () => {
    async function created() {
      const username = `new_${randomUUID().slice(0, 8)}`;
      await target.iam.send(new CreateUserCommand({ UserName: username, Path: '/apps/' }));
      const [arn, store, bus] = ['arn:created', new MemoryStore(), new MemoryBus()];
      store.create(
        arn,
        JSON.stringify({ username, region: 'eu-central-1', password: 'generated by nobody' }),
      );
      const value = (stage: string) =>
        JSON.parse(store.peek(arn, stage)?.value ?? '{}') as IamAccessKeySecret;
      const run = async (token: string, step: string) => {
        const lifecycle = engine({ rotator: target.rotator, store, bus, strategy, target: target.context });
        await lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token });
      };
      const rotate = async (token: string = randomUUID()) => {
        store.begin(arn, token);
        for (const step of steps) await run(token, step);
      };
      return { username, arn, store, bus, value, run, rotate };
    }

    test('gets its key by the first rotation, loses the password that means nothing, and rotates on', async () => {
      const { rotate, value, username, bus } = await created();
      const context = { ...target.context, finding: () => {} };
      expect((await target.rotator.probe(value('AWSCURRENT'), context)).outcome).toBe('rejected');
      await rotate();
      const first = value('AWSCURRENT');
      expect(Object.keys(first).toSorted()).toEqual(['accessKeyId', 'region', 'secretAccessKey', 'username']);
      expect(first).toMatchObject({ username, region: 'eu-central-1' });
      expect((await target.rotator.probe(first, context)).outcome).toBe('accepted');
      await rotate();
      await rotate();
      expect((await target.rotator.probe(value('AWSCURRENT'), context)).outcome).toBe('accepted');
      expect((await target.rotator.probe(first, context)).outcome).toBe('rejected');
      expect(bus.events.map(({ detailType }) => detailType)).toEqual([
        'Secret Rotation Started',
        'Secret Rotation Succeeded',
        'Secret Rotation Started',
        'Secret Rotation Succeeded',
        'Secret Rotation Started',
        'Credential Retirement Started',
        'Credential Retired',
        'Secret Rotation Succeeded',
      ]);
    });

    test('whose first run died gets its key all the same, and the lost one goes', async () => {
      const { value, store, arn, run, username } = await created();
      const token = randomUUID();
      store.begin(arn, token);
      const put = store.putPending;
      store.putPending = async () => {
        throw new Error('the process is gone');
      };
      await failure(run(token, 'createSecret'));
      store.putPending = put;
      await runIsDead();
      for (const step of steps) await run(token, step);
      const { AccessKeyMetadata = [] } = await target.iam.send(
        new ListAccessKeysCommand({ UserName: username }),
      );
      expect(AccessKeyMetadata.map(({ AccessKeyId }) => AccessKeyId)).toEqual([
        value('AWSCURRENT').accessKeyId,
      ]);
    });

    test('cannot leak before it has a key', async () => {
      const { contain } = await world();
      expect(await contain({ username: 'whoever', password: 'generated' })).toEqual({
        loginsRefused: true,
        sessionsEnded: 0,
        note: expect.stringContaining('no access key'),
      });
    });
  });

  describe('set', () => {
    test('waits until STS accepts the key', async () => {
      const { propose, setStatus, scene } = await world();
      const next = await propose();
      await setStatus(next.accessKeyId, 'Inactive');
      const applied = target.rotatorWith({ patienceMs: 60_000 }).apply(next, scene.applyContext as never);
      // Awaited below; should it fail before, that is no unhandled rejection.
      applied.catch(() => {});
      await sleep(400);
      await setStatus(next.accessKeyId, 'Active');
      await applied;
      expect(await target.logsIn(next)).toBe(true);
    });

    test('gives up on one that stays refused, and says which', async () => {
      const { propose, setStatus, scene } = await world();
      const next = await propose();
      await setStatus(next.accessKeyId, 'Inactive');
      const { code, message } = await failure(target.rotator.apply(next, scene.applyContext as never));
      expect([code, message]).toEqual([
        'AuthenticationRefused',
        expect.stringContaining(next.accessKeyId ?? '?'),
      ]);
    });

    test("refuses another user's key", async () => {
      const [{ scene, current }, other] = [await world(), await world()];
      const next = { ...other.current(), username: current().username };
      expect(await failure(target.rotator.apply(next, scene.applyContext as never))).toMatchObject({
        code: 'IdentityMismatch',
        message: expect.stringContaining(target.userArn(other.UserName)),
      });
    });
  });

  describe('the end of an overlap', () => {
    test('never touches the current key or a key of another user', async () => {
      const [{ scene, current, rotate }, other] = [await world(), await world()];
      await rotate();
      const context = { ...scene.applyContext, act: 'remove', announce: async () => undefined } as never;
      expect(await target.rotator.retire(current(), context)).toEqual({ done: 'nothing' });
      expect(await target.rotator.retire(other.current(), context)).toEqual({ done: 'nothing' });
      expect(await target.logsIn(current())).toBe(true);
      expect(await target.logsIn(other.current())).toBe(true);
    });

    test.each(['AWSPREVIOUS', 'a version without a label'])(
      'leaves a key of the user whose secret part %s does not hold: somebody has made it for something else',
      async (which) => {
        const { scene, current, makeKey, keyIds, propose } = await world();
        const byHand = await makeKey();
        const planted = { ...byHand, secretAccessKey: 'of nobody' };
        scene.versions.push(...((which === 'AWSPREVIOUS' ? [] : [current()]) as never[]), planted as never);
        for (const act of ['disable', 'remove'] as const) {
          const context = { ...scene.applyContext, act, announce: async () => undefined } as never;
          expect(await target.rotator.retire(planted, context)).toMatchObject({ done: 'nothing' });
        }
        expect(await failure(propose())).toMatchObject({ code: 'SlotsTaken' });
        expect(await keyIds()).toContain(byHand.accessKeyId);
        expect(await target.logsIn(byHand)).toBe(true);
      },
    );

    test('can be taken back until the grace period is over', async () => {
      const { scene, current, rotate, setStatus } = await world();
      const first = current();
      await rotate();
      expect(await scene.retire('disable')).toBe('disabled');
      await setStatus(first.accessKeyId, 'Active');
      expect(await target.logsIn(first)).toBe(true);
    });

    test('names the permission that is missing', async () => {
      const { scene, rotate, UserName } = await world();
      await rotate();
      await target.deny('rotation', 'iam:UpdateAccessKey', UserName);
      expect(await failure(scene.retire('disable'))).toMatchObject({
        code: 'PermissionMissing',
        message: expect.stringMatching(`"${UserName}".*iam:UpdateAccessKey`),
      });
    });
  });
});
