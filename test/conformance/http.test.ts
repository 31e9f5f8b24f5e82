import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { containLeaks } from '../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../lambdas/revocation/proof.ts';
import { steps } from '../../lambdas/rotation/event.ts';
import { engine, MemoryBus, noDatabases } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { type HttpUnderTest, start } from './drivers/http.ts';
import { secretAt } from './http-world.ts';
import { failure, Scene, type Target } from './scene.ts';

describe('HTTP APIs', () => {
  let target: HttpUnderTest;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.stop());
  afterEach(() => {
    Object.assign(target.service, { beforeAnswer: undefined, mood: undefined, room: 1_000, behind: [] });
  });

  const world = (strategy?: 'single-user' | 'dual-credential') => secretAt(target, strategy);

  describe('what a try that died has left', () => {
    test('is found by its name and revoked, once nobody can store it any more', async () => {
      const { scene, names } = await world();
      const token = randomUUID();
      await scene.propose(token);
      expect(await failure(scene.propose(token))).toMatchObject({ code: 'TargetTimeout' });
      await sleep(target.settlesAfterMs ?? 0);
      const kept = await scene.propose(token);
      expect(names().toSorted()).toEqual(['made by hand', kept.createdAs]);
    });

    test('is revoked even if the answer to the creation was lost, and what others made stays', async () => {
      const { scene, names, issue, service } = await world();
      const token = randomUUID();
      issue(`rekey-${randomUUID()}-1767225600000`);
      issue(`not-rekey-${token}-1767225600000`);
      issue(`rekey-${token}-by-hand`);
      const before = names();
      service.beforeAnswer = (request, status) => {
        if (status === 201) request.socket.destroy();
      };
      const lost = await failure(scene.propose(token));
      expect(lost).toMatchObject({ code: 'TargetUnreachable', message: expect.stringContaining('next try') });
      expect(names()).toHaveLength(before.length + 1);
      service.beforeAnswer = undefined;
      await sleep(target.settlesAfterMs ?? 0);
      const proposal = await scene.propose(token);
      expect(names().toSorted()).toEqual([...before, proposal.createdAs].toSorted());
    });

    test('creation is asked for once, however it fails', async () => {
      const { scene, service } = await world();
      let asked = 0;
      service.beforeAnswer = (request) => {
        if (request.method !== 'POST') return;
        asked += 1;
        request.socket.destroy();
      };
      await failure(scene.propose());
      expect(asked).toBe(1);
    });

    test('a rotation that was given up leaves nothing that works', async () => {
      const { scene, account, issue } = await world();
      const abandoned = await scene.propose();
      const foreign = issue('of somebody else');
      scene.versions.push(account.secret as never, abandoned);
      scene.versions.push({ ...abandoned, id: foreign.id, createdAs: undefined });
      await scene.rotate();
      expect(await target.logsIn(abandoned as never)).toBe(false);
      expect(await target.service.accepts(foreign.value)).toBe(true);
    });
  });

  test('a service that has no room says so, and nothing is changed', async () => {
    const { scene, service } = await world();
    service.room = 1;
    expect(await failure(scene.rotate())).toMatchObject({
      code: 'SlotsTaken',
      message: expect.stringContaining('room'),
    });
    expect(await target.logsIn(scene.current as never)).toBe(true);
  });

  describe('whoever may write the secret', () => {
    test.each([
      ['another host', { host: 'localhost:1' }, 'host'],
      ['a parameter that the admin secret holds', { scopes: ['admin'] }, 'scopes'],
    ])('cannot have the admin act for %s', async (_name, change, key) => {
      const { scene, account, service } = await world();
      Object.assign(account.admin, { scopes: ['read'] });
      scene.versions[0] = { ...scene.current, ...change };
      const requests = service.log.length;
      const { code, message, text } = await failure(scene.propose());
      expect([code, message.includes(key)]).toEqual(['AdminSecretMismatch', true]);
      expect(text).not.toContain(target.passwordOf(account.admin));
      expect(service.log).toHaveLength(requests);
    });

    test('cannot have the admin of another service act, nor one that names no host', async () => {
      const { scene, account } = await world();
      const { host: _host, ...hostless } = account.admin;
      for (const admin of [{ ...account.admin, service: 'other' }, hostless]) {
        const scene2 = new Scene(target as unknown as Target, 'single-user', {
          secret: scene.current,
          admin,
        } as never);
        expect((await failure(scene2.propose())).code).toBe('AdminSecretMismatch');
      }
    });

    test('cannot pair the value of one credential with the id of another', async () => {
      const { scene } = await world();
      const victim = target.service.issue('victim');
      const next = { ...(await scene.propose()), id: victim.id };
      expect(await failure(target.rotator.apply(next, scene.applyContext as never))).toMatchObject({
        code: 'IdentityMismatch',
      });
    });
  });

  describe('containment', () => {
    test('revokes what the service says the value is, whatever the secret says', async () => {
      const { scene, account, issue } = await world();
      const other = issue('other');
      const wrong = { ...account.secret, id: other.id };
      expect(await scene.contain(wrong as never)).toMatchObject({ loginsRefused: true });
      expect(await target.logsIn(account.secret)).toBe(false);
      expect(await target.service.accepts(other.value)).toBe(true);
    });

    test('does not revoke the admin itself, and leaves the current one when only the value differs', async () => {
      const { scene, account } = await world();
      const own = { ...account.secret, token: account.admin.token };
      expect(await scene.contain(own as never)).toEqual({
        loginsRefused: false,
        sessionsEnded: 0,
        note: expect.stringContaining('only a rotation'),
      });
      const bogus = { ...account.secret, token: 'never was one' };
      expect(await scene.contain(bogus as never)).toMatchObject({
        loginsRefused: true,
        note: 'refused already',
      });
      expect(await target.logsIn(account.secret)).toBe(true);
    });

    test.each(['single-user', 'dual-credential'] as const)(
      'a revocation of all versions is proven, and what the rotation brings works (%s)',
      async (strategy) => {
        const { account } = await world();
        const [arn, adminArn] = ['arn:secret', 'arn:admin'];
        const store = new MemoryStore();
        store.create(arn, JSON.stringify({ ...account.secret, masterarn: adminArn }));
        store.create(adminArn, JSON.stringify(account.admin));
        const bus = new MemoryBus();
        const value = (stage: string) => JSON.parse(store.peek(arn, stage)?.value ?? '{}');
        const rotate = async () => {
          const token = randomUUID();
          store.begin(arn, token);
          const lifecycle = engine({ rotator: target.rotator, store, strategy, bus, target: target.context });
          for (const step of steps) {
            await lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token });
          }
          return token;
        };
        await rotate();
        const leaked = [value('AWSCURRENT'), value('AWSPREVIOUS')];
        const { versions } = await store.describe(arn);
        const clock = { now: () => new Date() };
        const random = { bytes: () => new Uint8Array(16), integer: () => 0 };
        const dependencies = {
          rotator: target.rotator,
          store,
          databases: noDatabases,
          strategy,
          bus,
          target: target.context,
          origin: { source: 'rekey.containment', environment: 'test', actor: 'test', clock, random },
        } as const;
        const input = {
          requestId: randomUUID(),
          correlationId: 'c',
          secretArn: arn,
          secretName: 'app',
          named: false,
          versions: Object.keys(versions),
        };
        const { containments, refusedAt } = await containLeaks({ ...input, action: 'contain' }, dependencies);
        expect(refusedAt).toBeDefined();
        expect(containments.map(({ loginsRefused }) => loginsRefused)).toEqual([true, true]);
        const newVersionId = await rotate();
        const rotated = { ...input, newVersionId, rotatedAt: new Date().toISOString() };
        await containLeaks({ ...rotated, action: 'contain' }, dependencies);
        const { verifications } = await verifyLeaks({ ...rotated, action: 'verify' }, dependencies);
        expect(verifications.map(({ outcome }) => outcome)).toEqual(['rejected', 'rejected']);
        expect(await Promise.all(leaked.map((secret) => target.logsIn(secret)))).toEqual([false, false]);
        expect(await target.logsIn(value('AWSCURRENT'))).toBe(true);
        const records = JSON.stringify(bus.events);
        for (const secret of [...leaked, value('AWSCURRENT'), account.admin]) {
          expect(records).not.toContain(target.passwordOf(secret));
        }
      },
    );
  });

  describe('an admin credential that ends', () => {
    const day = 86_400_000;
    const within = (days: number) => Date.now() + days * day;
    const withAdminUntil = async (expiresAt: unknown, change: object = {}) => {
      const made = await world();
      Object.assign(made.account.admin, { expiresAt });
      made.scene.versions[0] = { ...made.scene.current, ...change };
      await made.scene.rotate();
      return made.scene.findings;
    };
    const made = (ageDays: number) => ({ createdAs: `rekey-${randomUUID()}-${within(-ageDays)}` });

    test.each([
      ['in some days', new Date(within(20)).toISOString(), {}],
      ['on a day', new Date(within(20)).toISOString().slice(0, 10), {}],
      ['by the milliseconds that a service says', String(within(20)), {}],
      ['by seconds', Math.round(within(20) / 1000), {}],
      ['before the credential that it makes', new Date(within(50)).toISOString(), { days: 60 }],
      ['before as much time again as lay between rotations', new Date(within(50)).toISOString(), made(60)],
      ['long ago', '2020-01-01', {}],
    ])('%s is a finding', async (_name, expiresAt, change) => {
      const findings = await withAdminUntil(expiresAt, change);
      expect(findings.map(({ code }) => code)).toEqual(['AdminCredentialEnds']);
      expect(findings[0]?.message).toMatch(/ends on \d{4}-\d\d-\d\d|ended on 2020-01-01/);
    });

    test.each([
      ['later than any of that', new Date(within(50)).toISOString(), { days: 7, ...made(1) }],
      ['never', undefined, {}],
      ['at a time that the service writes in a form of its own', 'Mon, 1st', {}],
    ])('%s is none', async (_name, expiresAt, change) => {
      expect(await withAdminUntil(expiresAt, change)).toEqual([]);
    });
  });

  test('a secret that names another host leaves its previous credential alone, and says so', async () => {
    const { scene, codes } = await world();
    const old = { ...scene.current, host: 'elsewhere.example' };
    expect(
      await target.rotator.retire(
        old as never,
        { ...scene.applyContext, act: 'remove', announce: async () => undefined } as never,
      ),
    ).toMatchObject({
      done: 'nothing',
    });
    expect(codes()).toEqual(['PreviousCredentialRemains']);
  });

  test('the current credential is never retired, whatever the version before it says', async () => {
    const { scene } = await world();
    const { current } = scene;
    for (const old of [current, { ...current, token: 'another' }, { ...current, id: 'tok/0' }]) {
      const context = { ...scene.applyContext, act: 'remove', announce: async () => undefined };
      expect(await target.rotator.retire(old as never, context as never)).toEqual({ done: 'nothing' });
      expect(await target.logsIn(current as never)).toBe(true);
    }
  });

  test('a version that holds an admin credential is named, not revoked', async () => {
    const { scene, account } = await world();
    expect(target.rotator.identity(account.admin)).toBe('admin of test-tokens');
    expect(await failure(scene.contain(account.admin as never))).toMatchObject({
      code: 'SecretValueInvalid',
    });
  });

  test('discards what was not stored, and never the current credential', async () => {
    const { scene } = await world();
    const discard = (secret: object) => target.rotator.discard(secret as never, scene.applyContext as never);
    const proposal = await scene.propose();
    await discard(proposal);
    await discard(proposal);
    expect(await target.logsIn(proposal as never)).toBe(false);
    await discard(scene.current);
    expect(await target.logsIn(scene.current as never)).toBe(true);
  });

  test('a busy service is asked again when it says, and a rotation costs few requests', async () => {
    const { scene, service } = await world();
    await scene.rotate();
    let busy = 2;
    service.mood = (response) => {
      busy -= 1;
      if (busy === 0) service.mood = undefined;
      response.writeHead(429, { 'retry-after': '0' }).end();
    };
    const before = service.log.length;
    await scene.rotate();
    // Twice busy; the previous one, which is refused already; list, create, wait for acceptance, test; try what is old, revoke.
    expect(service.log.slice(before).map((line) => line.split(' ').at(-1))).toEqual([
      '429',
      '429',
      '401',
      '200',
      '201',
      '200',
      '200',
      '200',
      '204',
    ]);
  });

  test('pages of a list are followed, but not to another host', async () => {
    const { scene, issue, names, service } = await world();
    const token = randomUUID();
    for (let made = 0; made < 5; made += 1) issue(`rekey-${token}-176722560000${made}`);
    const proposal = await scene.propose(token);
    expect(names().toSorted()).toEqual(['made by hand', proposal.createdAs]);
    service.mood = (response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ tokens: [], next: 'https://elsewhere.example/projects/x/tokens' }));
    expect(await failure(scene.propose())).toMatchObject({
      code: 'TargetRefused',
      message: expect.stringContaining('elsewhere.example'),
    });
  });

  test('private addresses are refused unless they are allowed', async () => {
    const { scene } = await world();
    const result = await target.rotator.probe(scene.current as never, {
      ...target.context,
      allowPrivateAddresses: false,
      finding: () => {},
    });
    expect(result).toMatchObject({
      outcome: 'unreachable',
      error: { code: 'TargetRefused', message: expect.stringContaining('allowPrivateAddresses') },
    });
  });

  test('errors of redirects name the host alone', async () => {
    const { scene, service } = await world();
    service.mood = (response) =>
      response.writeHead(302, { location: 'https://elsewhere.example/secret-path?token=x' }).end();
    const { message, text } = await failure(scene.propose());
    expect(message).toContain('elsewhere.example');
    expect(text).not.toContain('secret-path');
  });

  test('an answer without end is cut off', async () => {
    const { scene, service } = await world();
    service.mood = (response) => {
      response.writeHead(200);
      response.on('error', () => {});
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) {}
      };
      response.on('drain', more);
      more();
    };
    expect(await failure(scene.propose())).toMatchObject({
      code: 'TargetRefused',
      message: expect.stringContaining('longer than'),
    });
  });
});
