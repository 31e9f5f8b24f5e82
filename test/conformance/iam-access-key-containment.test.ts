import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AttachUserPolicyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  GetUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { containLeaks } from '../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../lambdas/revocation/proof.ts';
import { steps } from '../../lambdas/rotation/event.ts';
import { policyName } from '../../rotators/iam-access-key/revocation-policy.ts';
import type { IamAccessKeySecret } from '../../rotators/iam-access-key/schema.ts';
import { engine, MemoryBus, noDatabases } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { type IamUnderTest, start } from './drivers/iam-access-key.ts';
import { userOn } from './iam-access-key-scene.ts';
import { failure } from './scene.ts';

const strategy = 'dual-credential' as const;

describe('containment of IAM access keys', () => {
  let target: IamUnderTest;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());
  const world = () => userOn(target);

  test('leaves the other key of the user alone and says what it cannot end', async () => {
    const { contain, current, rotate, keyIds } = await world();
    const first = current();
    const second = await rotate();
    const session = await target.openSession(second);
    const { note, loginsRefused } = await contain(second);
    expect(loginsRefused).toBe(true);
    expect(note).toContain(`${second.accessKeyId} is inactive and kept`);
    expect(note).toContain(
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html',
    );
    expect([await target.logsIn(first), await target.logsIn(second), await session.alive()]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await keyIds()).toEqual([first.accessKeyId, second.accessKeyId]);
    await sleep(1_000 - (Date.now() % 1_000));
    expect(await (await target.openSession(first)).alive()).toBe(true);
  });

  test('twice writes nothing the second time, and a key that was enabled again is cut off anew', async () => {
    const { contain, current, policy, setStatus } = await world();
    await contain(current());
    const before = await policy();
    await sleep(1_100);
    target.calls.length = 0;
    await contain(current());
    expect(await policy()).toBe(before);
    expect(target.calls.map(({ action }) => action)).toEqual([
      ...['ListAccessKeys', 'UpdateAccessKey', 'Invoke', 'GetCallerIdentity'],
    ]);
    await setStatus(current().accessKeyId, 'Active');
    const session = await target.openSession(current());
    expect(await session.alive()).toBe(true);
    await contain(current());
    expect(await policy()).not.toBe(before);
    expect(await session.alive()).toBe(false);
  });

  test('after the rotation covers what came before it, and never moves back', async () => {
    const { contain, current, policy } = await world();
    const leaked = current();
    await contain(leaked);
    const first = await policy();
    await contain(leaked, new Date(Date.now() - 3_600_000));
    expect(await policy()).toBe(first);
    const later = new Date(Date.now() + 5_000);
    await contain(leaked, later);
    expect(await policy()).toContain(new Date(later.getTime() + 1_000).toISOString().slice(0, 19));
  });

  test('of a key that is gone ends its sessions all the same; of a user that is gone it says so', async () => {
    const { contain, current, UserName } = await world();
    const session = await target.openSession(current());
    const AccessKeyId = current().accessKeyId;
    await target.iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
    expect(await session.alive()).toBe(true);
    expect(await contain(current())).toMatchObject({
      loginsRefused: true,
      note: expect.stringContaining(`no access key ${AccessKeyId}`),
    });
    expect(await session.alive()).toBe(false);
    expect(await contain({ ...current(), username: 'gone' })).toMatchObject({
      loginsRefused: true,
      note: expect.stringContaining('no user "gone"'),
    });
  });

  test('does not claim that a key is refused which STS accepts still: one that another user has', async () => {
    const [{ contain, UserName }, other] = [await world(), await world()];
    const result = await contain({ ...other.current(), username: UserName });
    expect(result).toMatchObject({
      loginsRefused: false,
      note: expect.stringContaining('STS still accepts it'),
    });
    expect(await target.logsIn(other.current())).toBe(true);
  });

  test('deactivates the key even where sessions cannot be ended, and says how to make room', async () => {
    const { contain, current, UserName } = await world();
    const Action = Array(105).fill('sqs:ListQueues');
    await target.iam.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: 'large',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Action, Resource: '*' },
        }),
      }),
    );
    expect(await failure(contain(current()))).toMatchObject({
      code: 'TargetRefused',
      message: expect.stringContaining('2048'),
    });
    expect(await target.logsIn(current())).toBe(false);
  });

  describe('whoever has taken over the containment function', () => {
    const taken = () => {
      const { credentials, sessionCutoff } = target.containment;
      const options = target.cloud.clientOptions(credentials);
      const lambda = new LambdaClient(options);
      return {
        iam: new IAMClient(options),
        invoke: async (request: object) => {
          const command = new InvokeCommand({
            FunctionName: sessionCutoff,
            Payload: JSON.stringify(request),
          });
          const { FunctionError, Payload } = await lambda.send(command);
          return { FunctionError, ...(JSON.parse(Payload?.transformToString() ?? '{}') as object) };
        },
      };
    };
    const administrator = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
    });
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';

    test('can write and attach no policy', async () => {
      const { UserName } = await world();
      const { iam } = taken();
      for (const PolicyName of [policyName, 'application']) {
        const command = new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument: administrator });
        await expect(iam.send(command)).rejects.toMatchObject({ name: 'AccessDenied' });
      }
      const attach = new AttachUserPolicyCommand({ UserName, PolicyArn });
      await expect(iam.send(attach)).rejects.toMatchObject({ name: 'AccessDenied' });
    });

    test('can have sessions of its users ended, and nothing else be done', async () => {
      const { UserName, current, policy } = await world();
      const { invoke } = taken();
      const before = new Date().toISOString();
      const request = { username: UserName, accessKeyId: current().accessKeyId, before, unlessKnown: false };
      for (const wrong of [
        { ...request, PolicyDocument: administrator },
        { ...request, accessKeyId: `${current().accessKeyId}","Effect":"Allow` },
        { ...request, before: '2999-01-01T00:00:00Z' },
        { ...request, before: undefined },
        [request],
      ]) {
        expect(await invoke(wrong)).toMatchObject({
          FunctionError: 'Unhandled',
          errorType: 'SessionCutoffInvalid',
        });
      }
      await expect(policy()).rejects.toMatchObject({ name: 'NoSuchEntityException' });
      await target.iam.send(new CreateUserCommand({ UserName: 'administrator' }));
      expect(await invoke({ ...request, username: 'administrator' })).toMatchObject({
        errorType: 'PermissionMissing',
      });
      expect(await invoke(request)).toMatchObject({ before: expect.stringContaining('T') });
      expect(JSON.parse(await policy())).toMatchObject({
        Statement: [{ Sid: `Leaked${current().accessKeyId}`, Effect: 'Deny' }],
      });
    });
  });

  test('goes on when it may not list keys, which is a finding', async () => {
    const { contain, current, UserName, codes } = await world();
    await target.deny('containment', 'iam:ListAccessKeys', UserName);
    expect((await contain(current())).loginsRefused).toBe(true);
    expect(await target.logsIn(current())).toBe(false);
    expect(codes()).toEqual(['KeyStateUnread']);
  });

  test('a revocation of all versions kills both keys, proves it, and keeps what the rotation brings', async () => {
    const { secret } = await target.createAccount();
    const [arn, store] = ['arn:revoked', new MemoryStore()];
    store.create(arn, JSON.stringify(secret));
    const value = (stage: string) => JSON.parse(store.peek(arn, stage)?.value ?? '{}') as IamAccessKeySecret;
    const rotate = async () => {
      const token = randomUUID();
      store.begin(arn, token);
      const lifecycle = engine({ rotator: target.rotator, store, strategy, target: target.context });
      for (const step of steps) await lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token });
      return token;
    };
    await rotate();
    const leaked = [value('AWSCURRENT'), value('AWSPREVIOUS')];
    const sessions = await Promise.all(leaked.map((one) => target.openSession(one)));
    const { versions } = await store.describe(arn);
    const clock = { now: () => new Date() };
    const random = { bytes: () => new Uint8Array(16), integer: () => 0 };
    const dependencies = {
      rotator: target.rotator,
      store,
      databases: noDatabases,
      strategy,
      bus: new MemoryBus(),
      target: target.context,
      origin: { source: 'rekey.containment', environment: 'test', actor: 'test', clock, random },
    } as const;
    const input = {
      requestId: randomUUID(),
      correlationId: 'c',
      secretArn: arn,
      secretName: arn,
      named: false,
      versions: Object.keys(versions),
    };
    const before = await containLeaks({ ...input, action: 'contain' }, dependencies);
    expect(before.refusedAt).toBeDefined();
    expect(before.containments.map(({ identity }) => identity).toSorted()).toEqual(
      leaked.map(({ accessKeyId }) => accessKeyId ?? '?').toSorted(),
    );
    expect(await Promise.all(sessions.map((session) => session.alive()))).toEqual([false, false]);
    // Both stand in the policy that they share, though they were cut off at the same time.
    const { PolicyDocument = '' } = await target.iam.send(
      new GetUserPolicyCommand({ UserName: secret.username, PolicyName: policyName }),
    );
    for (const { accessKeyId } of leaked) expect(PolicyDocument).toContain(`Leaked${accessKeyId}`);

    const newVersionId = await rotate();
    const rotated = { ...input, newVersionId, rotatedAt: new Date().toISOString() };
    await containLeaks({ ...rotated, action: 'contain' }, dependencies);
    const { verifications } = await verifyLeaks({ ...rotated, action: 'verify' }, dependencies);
    expect(verifications.map(({ outcome }) => outcome)).toEqual(['rejected', 'rejected']);
    expect(await target.logsIn(value('AWSCURRENT'))).toBe(true);
  });
});
