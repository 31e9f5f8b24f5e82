import { describe, expect, test } from '@jest/globals';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { type IntakeDependencies, takeRequest } from '../../../lambdas/revocation/intake.ts';
import { requestEvent, requestId, secretArn, World } from './world.ts';

/** Executions by name, as Step Functions keeps them. */
function memoryStarter() {
  const inputs = new Map<string, string>();
  const starter: IntakeDependencies['starter'] = {
    async start(name, input) {
      const known = inputs.get(name);
      if (known !== undefined) {
        return { input: known };
      }
      inputs.set(name, input);
      return 'started';
    },
  };
  return { starter, inputs };
}

const metadata = (change: Record<string, unknown>) => {
  const { detail } = requestEvent();
  return { detail: { ...detail, metadata: { ...detail.metadata, ...change } } };
};

describe('the intake of revocation requests', () => {
  test('starts the workflow under the name of the request, and announces it', async () => {
    const world = new World();
    const { starter, inputs } = memoryStarter();
    expect(await takeRequest(requestEvent(), world.intake({ starter }))).toEqual({ outcome: 'started' });
    expect(JSON.parse(inputs.get(requestId) ?? '')).toEqual({
      requestId,
      assigned: null,
      correlationId: 'incident-7',
      requestDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      mode: 'kill',
      secretArn,
      secretName: 'orders',
      containmentFunction: 'containment',
      stepSeconds: 60,
      versions: ['v1'],
      named: false,
      requestedAt: '2026-03-01T11:59:59.500Z',
      // Its own clock: versions up to here leaked, whatever the sender's clock says.
      takenAt: '2026-03-01T12:00:00.000Z',
      consumers: [],
      owner: 'team-orders',
    });
    const [started] = world.bus.events;
    expect(world.published()).toEqual(['Secret Revocation Started']);
    expect(detailSchema('Secret Revocation Started').safeParse(started?.detail).error).toBeUndefined();
    expect(started?.detail.metadata).toMatchObject({ correlationId: 'incident-7', causationId: requestId });
  });

  test('a request whose source names the owner of the secret is taken', async () => {
    const world = new World();
    const { starter } = memoryStarter();
    const request = requestEvent({ source: 'rekey.cli/team-orders' });
    expect(await takeRequest(request, world.intake({ starter }))).toEqual({ outcome: 'started' });
  });

  test.each([
    ['members', requestEvent({}, { members: ['prod'] })],
    ['a part of a plan', requestEvent({ source: 'rekey.coordinator' }, { partOf: requestId })],
  ])('one secret with %s is planned', async (_, event) => {
    const world = new World();
    const [{ starter, inputs }, planned] = [memoryStarter(), memoryStarter()];
    const outcome = await takeRequest(event, world.intake({ starter, planStarter: planned.starter }));
    expect(outcome).toEqual({ outcome: 'started' });
    expect([inputs.size, planned.inputs.size]).toEqual([0, 1]);
  });

  test('the same request twice does the work once, and is one fact', async () => {
    const world = new World();
    const { starter, inputs } = memoryStarter();
    await takeRequest(requestEvent(), world.intake({ starter }));
    // A version that came since must not make it another request.
    world.store.begin(secretArn, 'v2');
    expect(await takeRequest(requestEvent({ id: 'bus-2' }), world.intake({ starter }))).toEqual({
      outcome: 'known',
    });
    expect(inputs.size).toBe(1);
    expect(new Set(world.bus.events.map(({ detail }) => detail.metadata.id)).size).toBe(1);
  });

  test('a request that was started but not announced is announced when it is delivered again', async () => {
    const world = new World();
    const { starter } = memoryStarter();
    const failing = { publish: async () => Promise.reject(new Error('killed')) };
    await expect(takeRequest(requestEvent(), world.intake({ starter, bus: failing }))).rejects.toThrow(
      'killed',
    );
    await takeRequest(requestEvent(), world.intake({ starter }));
    expect(world.published()).toEqual(['Secret Revocation Started']);
  });

  test('a known id with other content is a conflict', async () => {
    const world = new World();
    const { starter, inputs } = memoryStarter();
    await takeRequest(requestEvent(), world.intake({ starter }));
    const other = await takeRequest(
      requestEvent({ id: 'bus-2' }, { mode: 'replace' }),
      world.intake({ starter }),
    );
    expect(other).toMatchObject({ outcome: 'rejected', error: { code: 'RequestConflict' } });
    expect(inputs.size).toBe(1);
  });

  test.each([
    ['another source', requestEvent({ source: 'acme.anything' }), 'SourceNotAllowed'],
    ['the source of another owner', requestEvent({ source: 'rekey.cli/team-stock' }), 'SourceNotAllowed'],
    ['the source of no owner', requestEvent({ source: 'rekey.cli/' }), 'SourceNotAllowed'],
    ['another source with the owner', requestEvent({ source: 'acme/team-orders' }), 'SourceNotAllowed'],
    ['another account', requestEvent({ account: '999999999999' }), 'AccountNotAllowed'],
    ['another environment', requestEvent(metadata({ environment: 'prod' })), 'EnvironmentMismatch'],
    ['an id that is none', requestEvent(metadata({ id: 'x' })), 'RequestMalformed'],
    ['a part of a plan from anybody', requestEvent({}, { partOf: requestId }), 'SourceNotAllowed'],
    ['a whole request from a coordinator', requestEvent({ source: 'rekey.coordinator' }), 'SourceNotAllowed'],
    [
      'a part that asks for members of its own',
      requestEvent({ source: 'rekey.coordinator' }, { partOf: requestId, members: 'all' }),
      'SourceNotAllowed',
    ],
    [
      'members, from a sender for one owner',
      requestEvent({ source: 'rekey.cli/team-orders' }, { members: 'all' }),
      'SourceNotAllowed',
    ],
    [
      'members, and versions of one environment',
      requestEvent({}, { members: 'all', versions: ['v1'] }),
      'RequestMalformed',
    ],
    [
      'members, and versions of a name that each may have',
      requestEvent({}, { members: ['prod'], select: { secrets: [{ secret: 'orders', versions: ['v1'] }] } }),
      'RequestMalformed',
    ],
    ['plans of no members', requestEvent({}, { memberPlans: {} }), 'RequestMalformed'],
    ['members of odd names', requestEvent({}, { members: ['../prod'] }), 'RequestMalformed'],
    ['an unknown mode', requestEvent({}, { mode: 'destroy' }), 'RequestMalformed'],
    ['no reason', requestEvent({}, { reason: '' }), 'RequestMalformed'],
    ['an unknown key', requestEvent({}, { hunter2: 'hunter2' }), 'RequestMalformed'],
    ['an unknown secret', requestEvent({}, { select: { secret: 'nobody-knows' } }), 'SecretUnknown'],
    ['no version that is kept', requestEvent({}, { versions: ['gone'] }), 'VersionsNotKept'],
    [
      'a request of the day before yesterday',
      requestEvent(metadata({ time: '2026-02-28T11:59:59.000Z' })),
      'RequestTooOld',
    ],
    ['an event of the day before yesterday', requestEvent({ time: '2026-02-28T11:59:59Z' }), 'RequestTooOld'],
    [
      'a request from the future',
      requestEvent(metadata({ time: '2026-03-01T12:15:01.000Z' })),
      'RequestInFuture',
    ],
    ['an event from the future', requestEvent({ time: '2026-03-01T12:15:01Z' }), 'RequestInFuture'],
    ['an event without a time', requestEvent({ time: 'hunter2' }), 'RequestMalformed'],
    ['a replay', requestEvent({ 'replay-name': 'last-week' }), 'RequestReplayed'],
    ['no detail', requestEvent({ detail: {} }), 'RequestMalformed'],
    ['no event', 'hunter2', 'RequestMalformed'],
    ['null', null, 'RequestMalformed'],
  ])('%s: rejected with an event that says why', async (_, event, code) => {
    const world = new World();
    const { starter, inputs } = memoryStarter();
    const outcome = await takeRequest(event, world.intake({ starter }));
    expect(outcome).toMatchObject({ outcome: 'rejected', error: { code } });
    expect(inputs.size).toBe(0);
    expect(world.published()).toEqual(['Secret Revocation Rejected']);
    const [rejected] = world.bus.events;
    expect(rejected?.detail.data).toMatchObject({ requestId: (outcome as { requestId: string }).requestId });
    expect(detailSchema('Secret Revocation Rejected').safeParse(rejected?.detail).error).toBeUndefined();
    expect(JSON.stringify(rejected)).not.toContain('hunter2');
  });

  test('a secret that is gone is rejected; a fault that may pass is thrown, so that the request is tried again', async () => {
    const world = new World();
    const gone = { ...world.definition, arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:gone' };
    const definitions = { find: async () => gone, list: async () => [] };
    expect(await takeRequest(requestEvent(), world.intake({ definitions }))).toMatchObject({
      outcome: 'rejected',
      error: { code: 'SecretMissing' },
    });
    const busy = {
      ...world.intake().definitions,
      find: () => Promise.reject(new RekeyError('Throttled', 'busy')),
    };
    await expect(takeRequest(requestEvent(), world.intake({ definitions: busy }))).rejects.toThrow('busy');
  });

  test('a request as old as the limit is taken', async () => {
    const world = new World();
    const time = '2026-02-28T12:00:00.000Z';
    const event = requestEvent({ ...metadata({ time }), time });
    expect(await takeRequest(event, world.intake())).toEqual({ outcome: 'started' });
  });

  test("a sender's clock that runs ahead does not make refusal come before the request", async () => {
    const world = new World();
    const { starter, inputs } = memoryStarter();
    await takeRequest(
      requestEvent(metadata({ time: '2026-03-01T12:14:59.000Z' })),
      world.intake({ starter }),
    );
    expect(JSON.parse(inputs.get(requestId) ?? '').requestedAt).toBe('2026-03-01T12:00:00.000Z');
  });

  test('the versions are those that either of two answers shows, and one that is named is looked for again', async () => {
    const lacking = (looks: number, ids: readonly string[]) => {
      const world = new World();
      for (const id of ids) world.begin('arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders', id);
      let asked = 0;
      const store = {
        describe: (id: string) => world.store.describe(id),
        listVersions: async (id: string) => {
          asked += 1;
          const all = await world.store.listVersions(id);
          return asked > looks ? all : all.filter(({ versionId }) => !ids.includes(versionId));
        },
      };
      return { world, store };
    };
    const first = lacking(99, ['young']);
    const { starter, inputs } = memoryStarter();
    await takeRequest(requestEvent(), first.world.intake({ starter, store: first.store }));
    expect(JSON.parse(inputs.get(requestId) ?? '').versions.toSorted()).toEqual(['v1', 'young']);
    const second = lacking(2, ['forgotten', 'young']);
    const request = requestEvent({}, { versions: ['forgotten'] });
    expect(await takeRequest(request, second.world.intake({ store: second.store }))).toEqual({
      outcome: 'started',
    });
  });

  test('a request from a clock that runs ahead by the limit is taken', async () => {
    const time = '2026-03-01T12:15:00.000Z';
    const event = requestEvent({ ...metadata({ time }), time });
    expect(await takeRequest(event, new World().intake())).toEqual({ outcome: 'started' });
  });

  test.each([
    ['a field', requestEvent({}, { mode: 'destroy' }), /of a wrong form: data\.mode; see/],
    ['each field once', requestEvent({}, { a: 1, reason: '' }), /of a wrong form: data\.reason, data; see/],
    ['what is missing', requestEvent({ detail: {} }), /of a wrong form: metadata, data; see/],
    [
      'the sender',
      requestEvent({ source: 'acme' }),
      /"acme" may not ask for revocations; allowed are rekey\.cli, rekey\.coordinator$/,
    ],
    [
      'its own time and the limit',
      requestEvent(metadata({ time: '2026-02-28T11:59:59.000Z' })),
      /^metadata\.time is 2026-02-28T11:59:59\.000Z, more than 24 hours ago/,
    ],
    [
      'the time of its event and the limit',
      requestEvent({ time: '2026-03-01T12:15:01Z' }),
      /^the time of the event is 2026-03-01T12:15:01Z, more than 15 minutes ahead/,
    ],
  ])('what is wrong with a request is named: %s', async (_, event, message) => {
    const outcome = await takeRequest(event, new World().intake());
    expect(outcome).toMatchObject({
      outcome: 'rejected',
      error: { message: expect.stringMatching(message) },
    });
  });

  test('the incident of a request is announced, and none where it names none', async () => {
    const world = new World();
    await takeRequest(requestEvent({}, { incident: 'INC-7', drill: true }), world.intake());
    await takeRequest(requestEvent(), world.intake());
    const [named, other] = world.bus.events.map(({ detail }) => detail.data);
    expect(named).toMatchObject({ incident: 'INC-7', drill: true });
    expect(Object.hasOwn(other ?? {}, 'incident')).toBe(false);
  });

  test('one named version that is kept is enough to begin at once', async () => {
    const world = new World();
    const begun = world.clock.now();
    expect(await takeRequest(requestEvent({}, { versions: ['v1', 'gone'] }), world.intake())).toEqual({
      outcome: 'started',
    });
    expect(world.clock.now()).toEqual(begun);
  });

  test.each(['no JSON', '{}'])(
    'an execution of this name whose input is %s is of another request',
    async (input) => {
      const starter = { start: async () => ({ input }) };
      expect(await takeRequest(requestEvent(), new World().intake({ starter }))).toMatchObject({
        outcome: 'rejected',
        error: { code: 'RequestConflict' },
      });
    },
  );
});
