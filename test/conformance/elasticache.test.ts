import { setTimeout as sleep } from 'node:timers/promises';
import { ElastiCacheClient, ModifyUserCommand } from '@aws-sdk/client-elasticache';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requirePlace } from '../../rotators/elasticache/place.ts';
import { type ElastiCacheUnderTest, start } from './drivers/elasticache.ts';
import { startHostile } from './hostile.ts';
import { failure, missing, Scene, type Target } from './scene.ts';

type Secret = Parameters<ElastiCacheUnderTest['logsIn']>[0];
type Strategy = 'single-user' | 'dual-credential';

const describeHere = missing.has('elasticache') ? describe.skip : describe;

describeHere('ElastiCache', () => {
  let target: ElastiCacheUnderTest;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  async function world(strategy: Strategy, change: Partial<Secret> = {}, on: object = target) {
    const account = await target.createAccount();
    const secret: Secret = { ...account.secret, ...change };
    const scene = new Scene(on as unknown as Target, strategy, { ...account, secret } as never);
    const rotate = async (proposed?: Secret) => (await scene.rotate(proposed as never)) as unknown as Secret;
    const logins = (...secrets: (Secret | undefined)[]) =>
      Promise.all(secrets.map((one) => one !== undefined && target.logsIn({ ...one, host: 'localhost' })));
    return { scene, secret, rotate, logins, codes: () => scene.findings.map(({ code }) => code) };
  }

  describe('two passwords', () => {
    test('one that leaked is taken away and does not come back, the other stays', async () => {
      const { scene, secret: first, rotate, logins } = await world('dual-credential');
      const second = await rotate();
      expect(await scene.contain(second as never)).toMatchObject({ loginsRefused: true });
      expect(await logins(first, second)).toEqual([true, false]);
      const third = await rotate();
      expect(await logins(first, second, third)).toEqual([false, false, true]);
      expect(await scene.contain(second as never)).toMatchObject({ loginsRefused: true });
      expect(await logins(third)).toEqual([true]);
    });

    test('both leaked: a random one is left, and a rotation that needs no login brings one back', async () => {
      const { scene, secret: first, rotate, logins, codes } = await world('dual-credential');
      const second = await rotate();
      await scene.contain(second as never);
      await scene.contain(first as never);
      expect(await logins(first, second)).toEqual([false, false]);
      const third = await rotate();
      expect(await logins(first, second, third)).toEqual([false, false, true]);
      expect(codes()).toEqual(['CurrentCredentialRefused']);
    });

    test('the old one is kept when the current one does not work: it may be the last that does', async () => {
      const { scene, secret: first, rotate, logins } = await world('dual-credential');
      await rotate();
      await scene.contain(scene.current);
      const before = target.changes();
      expect(await scene.retire('disable')).toBe('nothing');
      expect([await logins(first), target.changes()]).toEqual([[true], before]);
    });
  });

  describe('containment', () => {
    test('without an admin the user ends its own sessions with the password that it has then', async () => {
      const { scene, secret, rotate, logins } = await world('single-user');
      scene.hasAdmin = false;
      await target.redis.superuser(['ACL', 'SETUSER', secret.username, '+client|kill', '+client|list']);
      const session = await target.openSession(secret);
      expect(await scene.contain(secret as never)).toEqual({ loginsRefused: true, sessionsEnded: 1 });
      expect([await session.alive(), ...(await logins(secret))]).toEqual([false, false]);
      expect(await scene.contain(secret as never)).toMatchObject({
        loginsRefused: true,
        sessionsEnded: 0,
        note: expect.stringContaining('no password of it is known to work'),
      });
      const stolen = await target.openSession(await rotate());
      const current = scene.current as unknown as Secret;
      await sleep(2_700);
      expect(await scene.contain(secret as never, new Date())).toMatchObject({ sessionsEnded: 1 });
      expect([await stolen.alive(), ...(await logins(current))]).toEqual([false, true]);
    });

    test('says that sessions go on where nobody may end them, and cuts logins off', async () => {
      const { scene, secret, rotate, logins } = await world('single-user');
      scene.hasAdmin = false;
      const session = await target.openSession(secret);
      expect(await scene.contain(secret as never)).toEqual({
        loginsRefused: true,
        sessionsEnded: 0,
        note: expect.stringMatching(/that are open go on: .*\+client\|kill/),
      });
      expect([await session.alive(), ...(await logins(secret))]).toEqual([true, false]);
      await rotate();
      expect(await scene.contain(secret as never, new Date())).toMatchObject({
        loginsRefused: true,
        sessionsEnded: 0,
        note: expect.stringMatching(/that are open go on: .*\+client\|list/),
      });
      await session.close();
    });

    test('cuts logins off while the cache is out of reach, and says so', async () => {
      const { scene, secret, logins, rotate } = await world('single-user');
      const { serverHandle } = target.redis;
      const { cert, key } = await serverHandle.writeCertificate({ expired: true });
      await target.redis.superuser(['CONFIG', 'SET', 'tls-cert-file', cert, 'tls-key-file', key]);
      try {
        expect(await scene.contain(secret as never)).toMatchObject({
          loginsRefused: true,
          sessionsEnded: 0,
          note: expect.stringContaining('open go on'),
        });
      } finally {
        const valid = await serverHandle.writeCertificate({});
        const files = ['tls-cert-file', valid.cert, 'tls-key-file', valid.key];
        await target.redis.superuser(['CONFIG', 'SET', ...files]);
      }
      expect(await logins(secret)).toEqual([false]);
      expect(await logins(await rotate())).toEqual([true]);
    });
  });

  test('a change that takes too long fails the step, and the next try goes on with it', async () => {
    const rotator = target.paced({ budgetMs: 20, pollMs: 60, settleMs: 300 });
    const { scene, secret, logins } = await world('dual-credential', {}, { ...target, rotator });
    const next = await scene.propose();
    expect(await failure(scene.rotate(next))).toMatchObject({
      code: 'TargetTimeout',
      message: expect.stringMatching(/ElastiCache user "user-\d+", which is "modifying"/),
    });
    await target.rotator.apply(next as unknown as Secret, scene.applyContext as never);
    expect(await logins(secret, next as unknown as Secret)).toEqual([true, true]);
  });

  test('a secret without a host is rotated on the word of the API, and contained', async () => {
    const { scene, secret: first, rotate, logins } = await world('single-user', { host: null });
    scene.hasAdmin = false;
    const second = await rotate();
    expect(await logins(first, second)).toEqual([false, true]);
    expect(await target.rotator.probe(second, scene.context)).toEqual({
      outcome: 'unverifiable',
      note: expect.stringContaining('names no host'),
    });
    const contained = await scene.contain(second as never);
    expect(contained).toMatchObject({ loginsRefused: true, note: expect.stringContaining('no host') });
    expect(await logins(second)).toEqual([false]);
    expect(await logins(await rotate())).toEqual([true]);
  });

  describe('whoever may write the secret, and reads none', () => {
    const guess = 'a-guess-of-the-writer-1';

    test('learns no password at a host of their own, and gives the user none of theirs', async () => {
      const hostile = await startHostile('redis');
      try {
        for (const strategy of ['single-user', 'dual-credential'] as const) {
          const { scene, secret, logins } = await world(strategy);
          scene.isAssigned = false;
          const theirs = { ...secret, host: '127.0.0.1', port: hostile.port, ssl: false, password: guess };
          scene.versions.unshift(theirs as never);
          const { code, message } = await failure(scene.rotate());
          expect([code, message]).toEqual(['CredentialUnusable', expect.stringContaining('identity:')]);
          await scene.contain(theirs as never).catch(() => undefined);
          expect(await logins(secret, { ...secret, password: guess })).toEqual([true, false]);
          expect(hostile.learned([secret.password])).toEqual([]);
        }
      } finally {
        await hostile.stop();
      }
    });

    test('has no overlap end in favour of a password of theirs', async () => {
      const hostile = await startHostile('redis');
      try {
        const { scene, secret, logins } = await world('dual-credential');
        scene.isAssigned = false;
        for (const more of [{ host: '127.0.0.1', port: hostile.port, ssl: false }, { host: null }]) {
          const theirs = (password: string) => ({ ...secret, ...more, password });
          scene.versions.splice(
            0,
            scene.versions.length,
            theirs(guess) as never,
            theirs('another-guess-of-theirs') as never,
          );
          expect(await scene.retire('remove')).toBe('nothing');
          expect(await logins(secret, { ...secret, password: guess })).toEqual([true, false]);
        }
      } finally {
        await hostile.stop();
      }
    });

    test('gives the user no password of theirs where none can be tried', async () => {
      const { scene, secret, logins } = await world('dual-credential', { host: null });
      scene.versions.unshift({ ...scene.current, password: guess });
      expect((await failure(scene.rotate())).code).toBe('StrategyUnsupported');
      await scene.contain({ ...secret, host: null } as never);
      expect(await logins({ ...secret, password: guess })).toEqual([false]);
    });

    test.each(['own', 'other'] as const)(
      'has the admin end no session of a user whom the secret alone names, by the id of the %s',
      async (by) => {
        const [own, other] = [await world('single-user'), await world('single-user')];
        const { user_arn: _arn, ...rest } = own.secret;
        const userId = idOf((by === 'own' ? own : other).secret);
        const theirs = { ...rest, userId, host: null, username: other.secret.username };
        own.scene.isAssigned = false;
        own.scene.versions.unshift(
          { ...theirs, password: guess } as never,
          { ...theirs, password: `${guess}-older` } as never,
        );
        const rotator = await target.onlyFor(own.secret);
        own.scene.target = { ...own.scene.target, rotator } as never;
        const session = await target.openSession(other.secret);
        try {
          const contained = await own.scene.contain(own.scene.previous as never);
          expect(contained).toEqual({
            loginsRefused: true,
            sessionsEnded: 0,
            note: expect.stringContaining(`sessions of "${other.secret.username}" were not touched`),
          });
          expect(await session.alive()).toBe(true);
        } finally {
          await session.close();
          await target.missingPermissions[0]?.restore?.();
        }
      },
    );

    test('an endpoint of ElastiCache over TLS needs nobody to vouch for it, any other place does', async () => {
      const { scene, secret } = await world('single-user');
      scene.isAssigned = false;
      const place = (more: object) =>
        requirePlace({ ...secret, ...more } as never, scene.applyContext as never);
      for (const host of [
        'clustercfg.shop.abc123.euc1.cache.amazonaws.com',
        'shop-abc123.serverless.euc1.cache.amazonaws.com',
        'master.shop.abc123.cnn1.cache.amazonaws.com.cn',
      ]) {
        await expect(place({ host, ssl: true })).resolves.toBeUndefined();
        await expect(place({ host, ssl: undefined })).resolves.toBeUndefined();
        await expect(place({ host, ssl: false })).rejects.toMatchObject({ code: 'CredentialUnusable' });
      }
      for (const host of [
        'cache.amazonaws.com.evil.example',
        'evilcache.amazonaws.com',
        'x.cache.amazonaws.com.evil.example',
        'localhost',
      ]) {
        await expect(place({ host })).rejects.toMatchObject({ code: 'CredentialUnusable' });
      }
    });
  });

  test('a user of another name, one that logs in by IAM and one that does not exist are left alone', async () => {
    const [one, other] = [await world('single-user'), await world('single-user')];
    const { user_arn: _arn, ...rest } = one.secret;
    const wrongs: [Partial<Secret>, string, RegExp][] = [
      [{ userId: idOf(other.secret) }, 'IdentityMismatch', /logs in as/],
      [{ userId: 'nobody' }, 'TargetRefused', /knows no user "nobody"/],
    ];
    for (const [change, code, message] of wrongs) {
      const scene = new Scene(target as unknown as Target, 'single-user', {
        ...one.scene.account,
        secret: { ...rest, ...change },
      } as never);
      expect(await failure(scene.rotate())).toMatchObject({ code, message: expect.stringMatching(message) });
    }
    const client = new ElastiCacheClient(target.cloud.clientOptions());
    await client.send(
      new ModifyUserCommand({ UserId: idOf(one.secret), AuthenticationMode: { Type: 'iam' } }),
    );
    expect(await failure(one.scene.rotate())).toMatchObject({
      code: 'IdentityMismatch',
      message: expect.stringContaining('logs in by IAM'),
    });
    expect(await one.logins(one.secret, other.secret)).toEqual([true, true]);
  });
});

const idOf = ({ userId, user_arn: arn }: Secret): string => userId ?? arn?.split(':').at(-1) ?? '';
