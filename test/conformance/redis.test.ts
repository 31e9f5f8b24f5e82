import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { containLeaks } from '../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../lambdas/revocation/proof.ts';
import { steps } from '../../lambdas/rotation/event.ts';
import { hashOf } from '../../rotators/redis/schema.ts';
import { parseUser } from '../../rotators/redis/user.ts';
import { engine, MemoryBus, noDatabases } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { type RedisUnderTest, start } from './drivers/redis.ts';
import { patience } from './pace.ts';
import { failure, missing, Scene, type Target } from './scene.ts';
import { worldOf } from './world.ts';

type Secret = Parameters<RedisUnderTest['logsIn']>[0];
type Strategy = 'single-user' | 'dual-credential';

const describeHere = missing.has('redis') ? describe.skip : describe;
const ownRules = ['+acl|getuser', '+acl|setuser', '+acl|save', '+client|kill', '+client|list'];

describeHere('Redis', () => {
  let target: RedisUnderTest;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  async function world(strategy: Strategy, on: RedisUnderTest = target) {
    const common = await worldOf(on, strategy);
    const { name } = common;
    return {
      ...common,
      user: async () => parseUser(await on.superuser(['ACL', 'GETUSER', name])),
      alter: (...rules: string[]) => on.superuser(['ACL', 'SETUSER', name, ...rules]),
    };
  }

  describe('two passwords', () => {
    test('are the current and the next, and no others, however they came there', async () => {
      const { rotate, current, user, alter } = await world('dual-credential');
      const first = current();
      await alter('>added by hand');
      const second = await rotate();
      expect((await user())?.passwords.toSorted()).toEqual([hashOf(first), hashOf(second)].toSorted());
      const third = await rotate();
      expect((await user())?.passwords.toSorted()).toEqual([hashOf(second), hashOf(third)].toSorted());
    });

    test('become one when the strategy changes, and a user that took any password takes that no more', async () => {
      const { rotate, current, user, alter, scene } = await world('dual-credential');
      await alter('nopass');
      const first = current();
      const second = await rotate();
      expect(await user()).toMatchObject({ nopass: false });
      expect([await target.logsIn(first), await target.logsIn(second)]).toEqual([true, true]);
      const single = new Scene(target as unknown as Target, 'single-user', scene.account);
      single.versions.unshift(second as never);
      const third = (await single.rotate()) as unknown as Secret;
      expect((await user())?.passwords).toEqual([hashOf(third)]);
    });

    test('one that leaked is taken away, the other stays', async () => {
      const { scene, rotate, current } = await world('dual-credential');
      const first = current();
      const second = await rotate();
      expect(await scene.contain(second as never)).toEqual({ loginsRefused: true, sessionsEnded: 0 });
      expect([await target.logsIn(first), await target.logsIn(second)]).toEqual([true, false]);
      const third = await rotate();
      const logins = await Promise.all([first, second, third].map((secret) => target.logsIn(secret)));
      expect(logins).toEqual([false, false, true]);
    });

    test('a revocation of all versions kills both, proves it, and keeps what the rotation brings', async () => {
      const { account, name } = await world('dual-credential');
      const [arn, adminArn] = ['arn:secret', 'arn:admin'];
      const store = new MemoryStore();
      store.create(arn, JSON.stringify({ ...account.secret, masterarn: adminArn }));
      store.create(adminArn, JSON.stringify(account.admin));
      const value = (stage: string) => JSON.parse(store.peek(arn, stage)?.value ?? '{}') as Secret;
      const rotate = async () => {
        const token = randomUUID();
        store.begin(arn, token);
        const lifecycle = engine({
          rotator: target.rotator,
          store,
          strategy: 'dual-credential',
          target: target.context,
        });
        for (const step of steps) {
          await lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token });
        }
        return token;
      };
      await rotate();
      const leaked = [value('AWSCURRENT'), value('AWSPREVIOUS')];
      const sessions = await Promise.all(leaked.map((secret) => target.openSession(secret)));
      const { versions } = await store.describe(arn);
      const clock = { now: () => new Date() };
      const random = { bytes: () => new Uint8Array(16), integer: () => 0 };
      const dependencies = {
        rotator: target.rotator,
        store,
        databases: noDatabases,
        strategy: 'dual-credential',
        bus: new MemoryBus(),
        target: target.context,
        origin: { source: 'rekey.containment', environment: 'test', actor: 'test', clock, random },
      } as const;
      const input = {
        requestId: randomUUID(),
        correlationId: 'c',
        secretArn: arn,
        secretName: name,
        named: false,
        versions: Object.keys(versions),
      };
      const before = await containLeaks({ ...input, action: 'contain' }, dependencies);
      expect(before.refusedAt).toBeDefined();
      expect(before.containments.map(({ loginsRefused }) => loginsRefused)).toEqual([true, true]);
      expect(await Promise.all(sessions.map((session) => session.alive()))).toEqual([false, false]);

      const newVersionId = await rotate();
      const rotated = { ...input, newVersionId, rotatedAt: new Date().toISOString() };
      await containLeaks({ ...rotated, action: 'contain' }, dependencies);
      const { verifications } = await verifyLeaks({ ...rotated, action: 'verify' }, dependencies);
      expect(verifications.map(({ outcome }) => outcome)).toEqual(['rejected', 'rejected']);
      expect(await Promise.all(leaked.map((secret) => target.logsIn(secret)))).toEqual([false, false]);
      expect(await target.logsIn(value('AWSCURRENT'))).toBe(true);
    });
  });

  describe('without an admin', () => {
    test('a user that may change itself is rotated, and repaired from a kept version', async () => {
      const { scene, rotate, alter, current, codes } = await world('single-user');
      scene.hasAdmin = false;
      await alter(...ownRules);
      expect(await target.logsIn(await rotate())).toBe(true);
      const kept = current();
      scene.versions.unshift({ ...kept, password: 'nobody has this one' } as never);
      expect(await target.logsIn(await rotate())).toBe(true);
      expect(codes()).toEqual(['CurrentCredentialRefused']);
      expect(await target.logsIn(kept)).toBe(false);
    });

    test('a user that may not is told what it lacks, and that an admin is needed for two passwords', async () => {
      const { scene } = await world('single-user');
      scene.hasAdmin = false;
      expect(await failure(scene.rotate())).toMatchObject({
        code: 'PermissionMissing',
        message: expect.stringContaining('+acl|getuser'),
      });
      const dual = (await world('dual-credential')).scene;
      dual.hasAdmin = false;
      expect(await failure(dual.rotate())).toMatchObject({
        code: 'AdminSecretMissing',
        message: expect.stringContaining('masterarn'),
      });
    });

    test('containment ends the sessions, and says that only a rotation ends new logins', async () => {
      const { scene, current, alter, rotate } = await world('single-user');
      scene.hasAdmin = false;
      await alter(...ownRules);
      const leaked = current();
      const session = await target.openSession(leaked);
      expect(await scene.contain(leaked as never)).toEqual({
        loginsRefused: false,
        sessionsEnded: 1,
        note: expect.stringContaining('only a rotation'),
      });
      expect(await session.alive()).toBe(false);
      const stolen = await target.openSession(leaked);
      await rotate();
      expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
      expect(await stolen.alive()).toBe(false);
      expect(await target.logsIn(current())).toBe(true);
    });
  });

  test.each(['single-user', 'dual-credential'] as const)(
    'a secret cannot be used to take over a privileged user that it does not belong to (%s)',
    async (strategy) => {
      const { scene, current, alter } = await world(strategy);
      const own = current();
      await alter('+acl');
      scene.versions.splice(0, 1, { ...own, password: 'a guess by somebody' } as never);
      expect((await failure(scene.rotate())).code).toBe('CredentialUnusable');
      expect(await target.logsIn(own)).toBe(true);
    },
  );

  test('a contained privileged user belongs to its secret still, and is brought back', async () => {
    const { scene, current, alter, rotate, codes } = await world('single-user');
    await alter('+acl');
    const leaked = current();
    expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true });
    expect(await target.logsIn(leaked)).toBe(false);
    expect(await target.logsIn(await rotate())).toBe(true);
    expect(codes()).toEqual(['LoginRestored']);
    expect(await target.logsIn(leaked)).toBe(false);
  });

  test('an admin that is the leaked user itself is not locked out, and the result says so', async () => {
    const { account, scene } = await world('single-user');
    const own = new Scene(target as unknown as Target, 'single-user', {
      secret: account.admin,
      admin: account.admin,
    } as never);
    const session = await target.openSession(account.admin);
    expect(await own.contain(account.admin as never)).toEqual({
      loginsRefused: false,
      sessionsEnded: 1,
      note: expect.stringContaining('only a rotation'),
    });
    expect(await session.alive()).toBe(false);
    expect(await target.logsIn(account.admin)).toBe(true);
    expect(await target.logsIn((await scene.rotate()) as unknown as Secret)).toBe(true);
  });

  test('a leaked password of a user that takes any is refused, the current one is not', async () => {
    const { scene, current, alter, rotate } = await world('single-user');
    const leaked = current();
    await rotate();
    await alter('nopass');
    expect(await target.logsIn(leaked)).toBe(true);
    expect(await scene.contain(leaked as never)).toMatchObject({ loginsRefused: true });
    expect([await target.logsIn(leaked), await target.logsIn(current())]).toEqual([false, true]);
  });

  describe('what a refused login proves', () => {
    const outcome = async (secret: Secret, findings: string[] = [], connectTimeoutMs?: number) => {
      const result = await target.rotator.probe(secret, {
        ...target.context,
        ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
        finding: ({ code }) => findings.push(code),
      });
      return [result.outcome, 'error' in result ? result.error.code : undefined];
    };

    test('only WRONGPASS is a rejection, and no permission is needed', async () => {
      const { account, alter } = await world('single-user');
      const { secret } = account;
      await alter('-@all', 'resetkeys', 'resetchannels');
      expect(await outcome(secret)).toEqual(['accepted', undefined]);
      const rejected = ['rejected', 'AuthenticationRefused'];
      expect(await outcome({ ...secret, password: 'wrong password' })).toEqual(rejected);
      expect(await outcome({ ...secret, username: 'nobody' })).toEqual(rejected);
      await alter('off');
      expect(await outcome(secret)).toEqual(rejected);
    });

    test('plaintext is used only when the secret says so, never in silence', async () => {
      const { account } = await world('single-user');
      const findings: string[] = [];
      const { socketPath } = target.serverHandle;
      const line = createServer((client) => {
        const server = connect(socketPath);
        for (const side of [client, server]) side.on('error', () => {});
        client.pipe(server).pipe(client);
      }).listen(0, 'localhost');
      await once(line, 'listening');
      const { port: plain } = line.address() as AddressInfo;
      expect(await outcome({ ...account.secret, port: plain, ssl: 'false' }, findings)).toEqual([
        'accepted',
        undefined,
      ]);
      expect(findings).toEqual(['PlaintextConnection']);
      // The server waits for a command, and takes the start of TLS for the beginning of one.
      expect((await outcome({ ...account.secret, port: plain }, findings, 1_000))[0]).toBe('unreachable');
      expect(findings).toHaveLength(1);
      line.close();
    });
  });

  test('a node of a cluster is left as it is, with and without an admin, unless it is the only one', async () => {
    const cluster = await start({ cluster: true });
    try {
      const { scene, account, current, rotate } = await world('single-user', cluster);
      const slots = Array.from({ length: 16_384 }, (_, slot) => String(slot));
      await cluster.superuser(['CLUSTER', 'ADDSLOTS', ...slots]);
      const first = current();
      const refused = {
        code: 'TargetRefused',
        message: expect.stringContaining('is a node of a Redis Cluster'),
      };
      expect(await failure(rotate())).toMatchObject(refused);
      await cluster.superuser(['ACL', 'SETUSER', first.username, '-@all', '+hello', ...ownRules]);
      scene.hasAdmin = false;
      expect(await failure(rotate())).toMatchObject(refused);
      expect(await cluster.logsIn(first)).toBe(true);
      scene.hasAdmin = true;
      await cluster.superuser(['ACL', 'SETUSER', account.admin.username, '+cluster|info']);
      await rotate();
      expect(await cluster.logsIn(current())).toBe(true);
    } finally {
      await cluster.stop();
    }
  });

  test('replicas do not get the change, which is a finding', async () => {
    const { rotate, codes } = await world('dual-credential');
    const { username, password } = target.serverHandle.superuser;
    const replica = connect(target.serverHandle.socketPath);
    replica.on('error', () => {});
    const lines = [`AUTH ${username} ${password}`, 'REPLCONF listening-port 1 ip-address 127.0.0.1', 'SYNC'];
    // The server takes SYNC only when it has nothing left to answer.
    for (const line of lines) {
      replica.write(`${line}\r\n`);
      await once(replica, 'data');
    }
    replica.resume();
    try {
      const deadline = Date.now() + patience.connectTimeoutMs;
      const replicas = async () => ((await target.superuser(['ROLE'])) as unknown[])[2];
      while (((await replicas()) as unknown[]).length === 0 && Date.now() < deadline) await sleep(50);
      await rotate();
      expect(codes()).toEqual(['ReplicasUnchanged']);
    } finally {
      replica.destroy();
    }
  });

  test('a rotation makes two connections, the test of the new login included', async () => {
    const { rotate } = await world('dual-credential');
    const received = async () =>
      Number(/total_connections_received:(\d+)/.exec(String(await target.superuser(['INFO', 'stats'])))?.[1]);
    const before = await received();
    await rotate();
    // One more is the one that asks.
    expect((await received()) - before).toBe(3);
  });

  describe('what a restart remembers', () => {
    test.each([
      ['aclfile', true],
      ['configuration', true],
      ['nowhere', false],
    ] as const)('users kept in: %s', async (users, remembers) => {
      const server = await start({ users });
      try {
        const { rotate, codes, account, current } = await world('single-user', server);
        await server.superuser(['ACL', 'SETUSER', account.admin.username, '+config|rewrite']);
        await rotate();
        expect(codes()).toEqual(remembers ? [] : ['ChangeNotPersisted']);
        await server.serverHandle.stop();
        await server.serverHandle.start();
        expect(await server.logsIn(current())).toBe(remembers);
      } finally {
        await server.stop();
      }
    });

    test('a missing permission to keep it is a finding that names it', async () => {
      const { rotate, account, scene } = await world('single-user');
      await target.withoutRule(account, '+acl|save');
      expect(await target.logsIn(await rotate())).toBe(true);
      expect(scene.findings).toEqual([
        expect.objectContaining({
          code: 'ChangeNotPersisted',
          message: expect.stringContaining('+acl|save'),
        }),
      ]);
    });
  });
});
