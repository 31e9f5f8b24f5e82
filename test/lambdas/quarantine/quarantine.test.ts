import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../../adapters/system.ts';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import type { Principals, QuarantineStore } from '../../../core/quarantine/ports.ts';
import { noQuarantine, type QuarantineState } from '../../../core/quarantine/state.ts';
import { takeQuarantine } from '../../../lambdas/quarantine/quarantine.ts';
import { propertyRuns } from '../../property-runs.ts';
import { MemoryBus } from '../rotation/engine.ts';

const role = 'arn:aws:iam::111122223333:role/app-worker';
const user = 'arn:aws:iam::111122223333:user/app-ci';
const ids = ['a', 'b', 'c', 'd'].map((letter) => `0195a000-0000-7000-8000-00000000000${letter}`);
const [q1 = '', q2 = '', l1 = '', l2 = ''] = ids;

/** IAM and the store in memory. A test may let something else happen in the middle of a call. */
class World {
  readonly bus = new MemoryBus();
  readonly states = new Map<string, { version: number; state: QuarantineState }>();
  readonly policies = new Map<string, string>();
  readonly tags = new Map<string, Record<string, string>>();
  now = new Date('2026-03-01T12:00:00.500Z');
  missing = false;
  denied: Error | undefined;
  /** Called before a policy is written. */
  beforeDeny: () => Promise<void> = async () => {};

  readonly store: QuarantineStore = {
    read: async (principal) => this.states.get(principal) ?? { version: 0, state: noQuarantine },
    replace: async (principal, version, state) => {
      if ((this.states.get(principal)?.version ?? 0) !== version) return false;
      this.states.set(principal, { version: version + 1, state });
      return true;
    },
  };
  readonly principals: Principals = {
    describe: async (arn) => (this.missing ? undefined : { arn, tags: this.tags.get(arn) ?? {} }),
    deny: async (principal, document) => {
      const { beforeDeny } = this;
      this.beforeDeny = async () => {};
      await beforeDeny();
      if (this.denied !== undefined) throw this.denied;
      this.policies.set(principal, document);
    },
    release: async (principal) => {
      if (this.denied !== undefined) throw this.denied;
      this.policies.delete(principal);
    },
  };

  take(event: unknown) {
    return takeQuarantine(event, {
      store: this.store,
      principals: this.principals,
      bus: this.bus,
      origin: {
        source: 'rekey.quarantine',
        environment: 'test',
        actor: 'lambda:quarantine',
        clock: { now: () => this.now },
        random: systemRandom,
      },
      policy: {
        principals: ['arn:aws:iam::111122223333:role/app-*', 'arn:aws:iam::111122223333:user/app-*'],
        sources: ['rekey.cli'],
        accounts: ['111122223333'],
        maximumAgeMs: 3_600_000,
      },
    });
  }

  /** The statement that denies a principal, where one does. */
  statement(principal = role) {
    return JSON.parse(this.policies.get(principal) ?? 'null')?.Statement[0];
  }

  published() {
    for (const { detailType, detail } of this.bus.events) {
      expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
    }
    return this.bus.events.map(({ detailType }) => detailType);
  }
}

type Change = Readonly<Record<string, unknown>>;
const delivered = (kind: string, id: string, data: Change, more: Change = {}, metadata: Change = {}) => ({
  id: `bus ${id}`,
  'detail-type': kind,
  source: 'rekey.cli',
  account: '111122223333',
  time: '2026-03-01T12:00:00Z',
  region: 'eu-central-1',
  detail: {
    metadata: {
      id,
      schemaVersion: 1,
      time: '2026-03-01T12:00:00.000Z',
      environment: 'test',
      actor: 'arn:aws:sts::111122223333:assumed-role/responder/alice',
      correlationId: id,
      ...metadata,
    },
    data: { principal: role, reason: 'host was entered', ...data },
  },
  ...more,
});
const placing = 'Principal Quarantine Requested';
const place = (id: string, data: Change = {}, more: Change = {}, metadata: Change = {}) =>
  delivered(placing, id, { scope: 'sessions', ...data }, more, metadata);
const lift = (id: string, quarantineId: string, more: Change = {}) =>
  delivered('Principal Quarantine Lift Requested', id, { quarantineId }, more);

describe('a quarantine', () => {
  test('denies everything to sessions that began before, and says so', async () => {
    const world = new World();
    expect(await world.take(place(q1, { incident: 'INC-7' }))).toEqual({ outcome: 'placed', requestId: q1 });
    expect(world.statement()).toEqual({
      Sid: `Quarantine${q1.replaceAll('-', '')}`,
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      // A session of the same second, which IAM cannot tell from it, is denied, too.
      Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-03-01T12:00:01Z' } },
    });
    expect(world.published()).toEqual(['Principal Quarantined']);
    expect(world.bus.events[0]?.detail).toMatchObject({
      metadata: { correlationId: q1, causationId: q1 },
      data: { requestId: q1, principal: role, scope: 'sessions', incident: 'INC-7' },
    });
  });

  test('of all asks for no time of issue, and is the only one for a user', async () => {
    const world = new World();
    await world.take(place(q1, { principal: user, scope: 'all' }));
    expect(world.statement(user).Condition).not.toHaveProperty('DateLessThan');
    expect(await world.take(place(q2, { principal: user }))).toMatchObject({
      error: { code: 'QuarantineScopeInvalid' },
    });
  });

  test('twice is the same as once, and one fact; its time does not move', async () => {
    const world = new World();
    await world.take(place(q1));
    const before = world.statement();
    world.now = new Date('2026-03-01T12:10:00.000Z');
    expect(await world.take(place(q1))).toMatchObject({ outcome: 'known' });
    expect(world.statement()).toEqual(before);
    expect(new Set(world.bus.events.map(({ detail }) => detail.metadata.id)).size).toBe(1);
  });

  test('that was lifted does not begin again when its request comes once more', async () => {
    const world = new World();
    await world.take(place(q1));
    expect(await world.take(lift(l1, q1))).toMatchObject({ outcome: 'lifted' });
    expect(await world.take(place(q1))).toMatchObject({ outcome: 'over' });
    expect(world.policies.size).toBe(0);
    expect(await world.take(lift(l1, q1))).toMatchObject({ outcome: 'known' });
    expect(new Set(world.published())).toEqual(
      new Set(['Principal Quarantined', 'Principal Quarantine Lifted']),
    );
  });

  test('a stronger one takes the place of a weaker one, and no request weakens it', async () => {
    const world = new World();
    await world.take(place(q1));
    await world.take(place(q2, { scope: 'all' }));
    expect(world.statement().Condition).not.toHaveProperty('DateLessThan');
    expect(world.bus.events.at(-1)?.detail.data).toMatchObject({ requestId: q2, replaces: q1 });
    const later = { time: '2026-03-01T12:01:00.000Z' };
    const weaker = place('0195a000-0000-7000-8000-00000000000e', {}, {}, later);
    expect(await world.take(weaker)).toMatchObject({ error: { code: 'QuarantineStands' } });
    // Neither does the first one, when it comes again.
    expect(await world.take(place(q1))).toMatchObject({ outcome: 'over' });
    expect(await world.take(lift(l1, q1))).toMatchObject({ error: { code: 'QuarantineReplaced' } });
    expect(world.statement().Condition).not.toHaveProperty('DateLessThan');
    expect(await world.take(lift(l2, q2))).toMatchObject({ outcome: 'lifted' });
    expect(world.policies.size).toBe(0);
  });

  test('that is said to stand stands, though somebody took its policy away', async () => {
    const world = new World();
    await world.take(place(q1, { scope: 'all' }));
    world.policies.clear();
    expect(await world.take(place(q2))).toMatchObject({ error: { code: 'QuarantineStands' } });
    expect(world.statement()).toMatchObject({ Sid: `Quarantine${q1.replaceAll('-', '')}` });
  });

  test('that a refused lift names stands, though somebody took its policy away', async () => {
    const world = new World();
    await world.take(place(q1));
    await world.take(place(q2, { scope: 'all' }));
    for (const [request, code] of [
      [lift(l1, q1), 'QuarantineReplaced'],
      [lift(l2, l1), 'QuarantineUnknown'],
    ] as const) {
      world.policies.clear();
      expect(await world.take(request)).toMatchObject({ error: { code } });
      expect(world.statement()).toMatchObject({ Sid: `Quarantine${q2.replaceAll('-', '')}` });
    }
  });

  test('a later one of sessions counts from later on; an older one that comes late changes nothing', async () => {
    const world = new World();
    await world.take(place(q1));
    world.now = new Date('2026-03-01T12:10:00.000Z');
    await world.take(place(q2, {}, {}, { time: '2026-03-01T12:10:00.000Z' }));
    expect(world.statement().Condition.DateLessThan['aws:TokenIssueTime']).toBe('2026-03-01T12:10:01Z');
    const late = place('0195a000-0000-7000-8000-00000000000e', {}, {}, { time: '2026-03-01T12:05:00.000Z' });
    expect(await world.take(late)).toMatchObject({ error: { code: 'QuarantineStands' } });
  });

  test.each([
    [
      'a principal that is not named',
      { principal: 'arn:aws:iam::111122223333:role/deploy' },
      'PrincipalNotCovered',
    ],
    [
      'a role of AWS',
      { principal: 'arn:aws:iam::111122223333:role/aws-service-role/x/app-1' },
      'RequestMalformed',
    ],
    ['no principal', { principal: 'hunter2' }, 'RequestMalformed'],
    ['an unknown key', { hunter2: 'hunter2' }, 'RequestMalformed'],
    ['another scope', { scope: 'everyone' }, 'RequestMalformed'],
  ])('of %s is refused', async (_, data, code) => {
    const world = new World();
    expect(await world.take(place(q1, data))).toMatchObject({ outcome: 'refused', error: { code } });
    expect(world.policies.size).toBe(0);
    expect(world.published()).toEqual(['Principal Quarantine Refused']);
    expect(JSON.stringify(world.bus.events)).not.toContain('hunter2');
  });

  test.each([
    ['a replay', { 'replay-name': 'last-week' }, {}, 'RequestReplayed'],
    ['another source', { source: 'acme.scanner' }, {}, 'SourceNotAllowed'],
    ['another account', { account: '999999999999' }, {}, 'AccountNotAllowed'],
    ['another environment', {}, { environment: 'prod' }, 'EnvironmentMismatch'],
    ['a stale request', {}, { time: '2026-03-01T10:59:59.000Z' }, 'RequestTooOld'],
    ['a stale event', { time: '2026-03-01T10:59:59Z' }, {}, 'RequestTooOld'],
    ['the future', {}, { time: '2026-03-01T12:30:00.000Z' }, 'RequestInFuture'],
    ['another kind', { 'detail-type': 'Secret Revocation Requested' }, {}, 'RequestMalformed'],
  ])('from %s is refused', async (_, more, metadata, code) => {
    const world = new World();
    expect(await world.take(place(q1, {}, more, metadata))).toMatchObject({ error: { code } });
    expect(world.policies.size).toBe(0);
  });

  test.each(['hunter2', null, {}])('what is no event is refused: %j', async (event) => {
    expect(await new World().take(event)).toMatchObject({ error: { code: 'RequestMalformed' } });
  });

  test('Rekey’s own roles, and who asks, are never cut off; a lift is not held up by that', async () => {
    const world = new World();
    const self = { actor: 'arn:aws:sts::111122223333:assumed-role/app-worker/alice' };
    expect(await world.take(place(q1, {}, {}, self))).toMatchObject({
      error: { code: 'PrincipalProtected' },
    });
    await world.take(place(q1));
    world.tags.set(role, { 'rekey:environment': 'prod' });
    expect(await world.take(place(q2))).toMatchObject({ error: { code: 'PrincipalProtected' } });
    expect(await world.take(lift(l1, q1))).toMatchObject({ outcome: 'lifted' });
  });

  test('a principal that is gone is refused; its quarantine is lifted all the same', async () => {
    const world = new World();
    await world.take(place(q1));
    world.missing = true;
    expect(await world.take(place(q2))).toMatchObject({ error: { code: 'PrincipalMissing' } });
    expect(await world.take(lift(l1, q1))).toMatchObject({ outcome: 'lifted' });
  });
});

describe('a lift', () => {
  test('of a quarantine that nobody has placed is refused, and ends no other', async () => {
    const world = new World();
    expect(await world.take(lift(l1, q1))).toMatchObject({ error: { code: 'QuarantineUnknown' } });
    await world.take(place(q2));
    expect(await world.take(lift(l1, q1))).toMatchObject({ error: { code: 'QuarantineUnknown' } });
    expect(world.statement()).toBeDefined();
  });
});

describe('a function that is killed or held up', () => {
  test('goes on where it was, after the state and before the policy', async () => {
    const world = new World();
    world.denied = new RekeyError('Throttled', 'busy');
    await expect(world.take(place(q1))).rejects.toThrow('busy');
    expect(world.policies.size).toBe(0);
    world.denied = undefined;
    expect(await world.take(place(q1))).toMatchObject({ outcome: 'known' });
    expect(world.statement()).toBeDefined();
    expect(world.published()).toEqual(['Principal Quarantined']);
  });

  test('forgets what IAM refuses for good, so that the next request is tried', async () => {
    const world = new World();
    await world.take(place(q1));
    world.denied = new RekeyError('AccessDenied', 'no');
    expect(await world.take(place(q2, { scope: 'all' }))).toMatchObject({ error: { code: 'AccessDenied' } });
    world.denied = undefined;
    // What stood before stands again, as in IAM.
    expect(await world.take(lift(l1, q1))).toMatchObject({ outcome: 'lifted' });
    expect(await world.take(place(q2, { scope: 'all' }))).toMatchObject({ outcome: 'placed' });
  });

  test('a lift that overtakes a quarantine in the middle of writing wins', async () => {
    const world = new World();
    world.beforeDeny = async () => {
      await world.take(lift(l1, q1));
    };
    await world.take(place(q1));
    expect(world.policies.size).toBe(0);
    expect(world.published()).toEqual(['Principal Quarantine Lifted']);
  });

  test('an older quarantine in the middle of writing does not weaken a newer one', async () => {
    const world = new World();
    world.beforeDeny = async () => {
      await world.take(place(q2, { scope: 'all' }));
    };
    await world.take(place(q1));
    expect(world.statement()).toMatchObject({ Sid: `Quarantine${q2.replaceAll('-', '')}` });
    expect(world.statement().Condition).not.toHaveProperty('DateLessThan');
  });

  test('whatever comes how often in which order, the policy is what is remembered', async () => {
    const messages = [place(q1), place(q2, { scope: 'all' }), lift(l1, q1), lift(l2, q2)];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 12 }), async (order) => {
        const world = new World();
        for (const index of order) await world.take(messages[index]);
        const { standing } = world.states.get(role)?.state ?? noQuarantine;
        const sid = standing && `Quarantine${standing.requestId.replaceAll('-', '')}`;
        expect(world.statement()?.Sid).toBe(sid);
        const lifted = (lifting: number, of: number) =>
          order.lastIndexOf(lifting) > order.indexOf(of) && order.includes(of);
        if (lifted(3, 1)) expect(standing?.requestId).not.toBe(q2);
        if (order.includes(1) && !order.includes(3)) expect(standing?.requestId).toBe(q2);
      }),
      { numRuns: propertyRuns(100) },
    );
  });
});
