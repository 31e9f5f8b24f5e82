import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditUnavailableError } from '../../core/errors/rekey-error.ts';
import { eventually } from '../../local/tour/eventually.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { describeEach } from './each.ts';
import { failure, Scene, startTarget, stopTargets, type Target, unchanging } from './scene.ts';

afterAll(stopTargets);

describeEach(({ type, strategy, issued }) => {
  let target: Target;
  const scenes: Scene[] = [];
  const scene = async (options?: Parameters<Target['createAccount']>[0]): Promise<Scene> => {
    const created = new Scene(target, strategy, await target.createAccount(options));
    scenes.push(created);
    return created;
  };
  beforeAll(async () => {
    target = await startTarget(type);
  });

  test('runs on what the registry says it was verified on', () => {
    const { verifiedOn }: SecretTypeDescriptor = registry[type];
    if (target.standsIn) {
      expect(verifiedOn).toEqual([]);
      return;
    }
    expect(verifiedOn.some((product) => target.server.startsWith(product)) || target.server).toBe(true);
  });

  describe('rotation', () => {
    test('brings a new password that logs in, and keeps every key of the JSON that it does not know', async () => {
      const world = await scene();
      const before = world.current;
      const next = await world.rotate();
      expect(await target.logsIn(next)).toBe(true);
      expect(target.passwordOf(next)).not.toBe(target.passwordOf(before));
      expect(unchanging(target, next)).toEqual(unchanging(target, before));
      expect(target.rotator.schema.parse(next)).toEqual(next);
    });

    test('leaves the old credential as the strategy says', async () => {
      const { current, rotate } = bind(await scene());
      const first = current();
      const second = await rotate();
      expect(await target.logsIn(first)).toBe(strategy !== 'single-user');
      await rotate();
      expect(await target.logsIn(first)).toBe(false);
      expect(await target.logsIn(second)).toBe(strategy !== 'single-user');
      expect(await target.rotator.probe(first, { ...target.context, finding: () => {} })).toMatchObject({
        outcome: 'rejected',
        error: { code: 'AuthenticationRefused' },
      });
    });

    if (strategy === 'dual-credential') {
      test('accepts two until the overlap ends, and then the current one alone', async () => {
        const world = await scene();
        const first = world.current;
        const second = await world.rotate();
        const logins = async () => [await target.logsIn(first), await target.logsIn(second)];
        expect(await logins()).toEqual([true, true]);
        expect(['disabled', 'removed']).toContain(await world.retire('disable'));
        expect(await logins()).toEqual([false, true]);
        expect(await world.retire('disable')).toBe('nothing');
        await world.retire('remove');
        expect(await world.retire('remove')).toBe('nothing');
        expect(await logins()).toEqual([false, true]);
        expect(await target.logsIn(await world.rotate())).toBe(true);
        expect(await target.logsIn(second)).toBe(true);
      });

      test('changes nothing at the end of the overlap before that is recorded', async () => {
        const world = await scene();
        const first = world.current;
        const second = await world.rotate();
        const refused = new AuditUnavailableError('nothing takes it');
        const unrecorded = async () => Promise.reject(refused);
        for (const act of ['disable', 'remove'] as const) {
          await expect(world.retire(act, unrecorded)).rejects.toBe(refused);
          expect([await target.logsIn(first), await target.logsIn(second)]).toEqual([true, true]);
        }
        await world.retire('remove');
        await world.retire('remove', unrecorded);
        expect([await target.logsIn(first), await target.logsIn(second)]).toEqual([false, true]);
      });
    }

    test('is harmless when applied again, at once with itself, and after it is done', async () => {
      const world = await scene();
      const next = await world.propose();
      await Promise.all(Array.from({ length: 4 }, () => target.rotator.apply(next, world.applyContext)));
      expect(await target.logsIn(next)).toBe(true);
      await target.rotator.apply(next, world.applyContext);
      expect(await target.logsIn(next)).toBe(true);
      world.versions.unshift(next);
      expect(await target.logsIn(await world.rotate())).toBe(true);
      expect(world.findings).toEqual([]);
    });

    test('is repaired from any kept version', async () => {
      const world = await scene();
      world.hasAdmin = target.adminOnly === true || strategy !== 'single-user';
      const lost = await world.propose();
      await target.rotator.apply(lost, world.applyContext);
      // The rotation that set it was given up: its version is still kept, but has no label.
      world.versions.push(world.current, lost);
      expect(await target.logsIn(await world.rotate())).toBe(true);
    });

    if (!issued) {
      test('is repaired by the admin when no kept version logs in', async () => {
        const world = await scene();
        const lost = await world.propose();
        await target.rotator.apply(lost, world.applyContext);
        if (strategy !== 'single-user') {
          world.versions[0] = target.withPassword(world.current, 'nobody has this one');
        }
        expect(await target.logsIn(await world.rotate())).toBe(true);
        expect(world.findings.map(({ code }) => code)).toContain('CurrentCredentialRefused');
      });

      test('fails and says so when nothing at hand logs in, unless it needs no login', async () => {
        const world = await scene();
        const kept = world.current;
        world.hasAdmin = false;
        world.versions[0] = target.withPassword(kept, 'nobody has this one');
        if (target.needsNoLogin === true) {
          expect(await target.logsIn(await world.rotate())).toBe(true);
          expect(world.findings.map(({ code }) => code)).toEqual(['CurrentCredentialRefused']);
          return;
        }
        const { code, text } = await failure(world.rotate());
        const { needsAdmin }: SecretTypeDescriptor = registry[type];
        expect(code).toBe(needsAdmin.includes(strategy) ? 'AdminSecretMissing' : 'CredentialUnusable');
        for (const secret of world.secrets) expect(text).not.toContain(secret);
        expect(await target.logsIn(kept)).toBe(true);
      });

      test.each([
        ['empty', ''],
        ['only white space', '        '],
        ['too short', 'a1b2c3'],
        ['with NUL', 'long enough\0 but not text'],
        ['absurdly long', 'x'.repeat(5000)],
        ['a verifier', undefined],
      ])('refuses a pending password that is %s', async (_name, given) => {
        const password = given ?? target.verifier ?? '';
        const world = await scene();
        const { code, text } = await failure(
          world.rotate(target.withPassword(await world.propose(), password)),
        );
        expect(code).toBe('PendingValueRefused');
        if (password.trim() !== '') expect(text).not.toContain(password);
        expect(await target.logsIn(world.current)).toBe(true);
      });
    }

    if (strategy === 'alternating-users') {
      test('is repaired where a person made a version current whose user does not exist yet', async () => {
        const world = await scene();
        world.versions.unshift(await world.propose());
        for (const _ of ['back', 'and there']) expect(await target.logsIn(await world.rotate())).toBe(true);
        expect(world.findings).toContainEqual(expect.objectContaining({ code: 'CurrentCredentialRefused' }));
      });
    }

    test('refuses a pending version for another host or user', async () => {
      const world = await scene();
      const next = await world.propose();
      for (const change of [
        { host: 'db.example' },
        { username: 'somebody' },
        { port: 1 },
        { dbname: 'other' },
      ].filter((change) => Object.keys(change).every((key) => Object.hasOwn(next, key)))) {
        expect(await failure(world.rotate({ ...next, ...change }))).toMatchObject({
          code: 'IdentityMismatch',
          message: expect.stringContaining('rotate again'),
        });
      }
    });
  });

  describe('awkward input', () => {
    test('names: every one is rotated, contained and brought back', async () => {
      for (const name of target.awkward.names) {
        const world = await scene({ name, exact: true });
        await world.rotate();
        await world.rotate();
        expect([name, (await world.contain(world.current)).loginsRefused]).toEqual([name, true]);
        expect([name, await target.logsIn(world.current)]).toEqual([name, false]);
        expect([name, await target.logsIn(await world.rotate())]).toEqual([name, true]);
      }
    });

    if (issued) return;
    test('passwords: every one can be the old and the new one', async () => {
      for (const password of target.awkward.passwords) {
        const world = await scene({ password });
        await world.rotate();
        const awkward = await world.rotate(target.withPassword(await world.propose(), `${password}!2`));
        expect([password, await target.logsIn(awkward)]).toEqual([password, true]);
        expect([password, await target.logsIn(await world.rotate())]).toEqual([password, true]);
      }
    });
  });

  describe('containment', () => {
    /** A server ends logins a moment after they were closed; until then they would count as somebody's sessions. */
    const closingMs = 500;
    const ended = (sessions: number) => (target.countsSessions === false ? 0 : sessions);

    test('of the current credential ends its sessions and logins, touches nobody else, and twice is once', async () => {
      const world = await scene();
      await world.rotate();
      const bystander = await scene();
      const leaked = world.current;
      const session = await target.openSession(leaked);
      const second = await target.openSession(leaked);
      const other = await target.openSession(bystander.current);
      expect(await world.contain(leaked)).toMatchObject({
        loginsRefused: true,
        sessionsEnded: ended(2),
      });
      expect(await Promise.all([session.alive(), second.alive(), other.alive()])).toEqual([
        false,
        false,
        true,
      ]);
      expect(await target.logsIn(leaked)).toBe(false);
      expect(await target.logsIn(bystander.current)).toBe(true);
      expect(await world.contain(leaked)).toMatchObject({ loginsRefused: true, sessionsEnded: 0 });
      await other.close();

      expect(await target.logsIn(await world.rotate())).toBe(true);
      expect(await target.logsIn(leaked)).toBe(false);
      expect(await target.logsIn(await world.rotate())).toBe(true);
    });

    test('of the previous credential leaves the current one alone, and its sessions where they can be told apart', async () => {
      const world = await scene();
      const leaked = world.current;
      const stolen = await target.openSession(leaked);
      await world.rotate();
      const rotatedAt = new Date();
      const apartMs = target.sessionsToldApart === undefined ? 0 : target.sessionsToldApart(strategy);
      await sleep(Math.max(apartMs ?? 0, closingMs));
      const application = await target.openSession(world.current);
      expect(await world.contain(leaked, rotatedAt)).toMatchObject({
        loginsRefused: true,
        sessionsEnded: ended(apartMs === undefined ? 2 : 1),
      });
      expect(await stolen.alive()).toBe(false);
      expect(await application.alive()).toBe(apartMs !== undefined);
      expect(await target.logsIn(world.current)).toBe(true);
      expect(await target.logsIn(leaked)).toBe(false);
      // A login that was just closed may be counted once more before the server has forgotten it.
      await eventually('nothing is left to be ended', async () => {
        const again = await world.contain(leaked, rotatedAt);
        expect(again.loginsRefused).toBe(true);
        return again.sessionsEnded === 0;
      });
      expect(await application.alive()).toBe(apartMs !== undefined);
      await application.close();
    });
  });

  test('the passwords are found nowhere in the log of the target, which did log what was done', async () => {
    const log = await target.readLog();
    expect(log).toContain(target.logged);
    const secrets = new Set(scenes.flatMap((world) => world.secrets));
    expect(secrets.size).toBeGreaterThan(issued ? 20 : 50);
    for (const secret of secrets) {
      // A password that is also ordinary text of the log would say nothing.
      if (secret !== 'SCRAM-SHA-256') expect(log.includes(secret)).toBe(false);
    }
  });
});

const bind = (world: Scene) => ({ current: () => world.current, rotate: () => world.rotate() });
