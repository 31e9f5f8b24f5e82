import { describe, expect, test } from '@jest/globals';
import { type PlanInput, planInputSchema } from '../../../core/deployed/revocation-state.ts';
import { memberRequestId } from '../../../core/deployed/revocation-token.ts';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import type { Caller } from '../../../core/trail/call.ts';
import { agrees } from '../../../core/trail/claim.ts';
import { announcePlan } from '../../../lambdas/revocation/announce-plan.ts';
import { conclude } from '../../../lambdas/revocation/conclude.ts';
import { makePlan, previewPlan } from '../../../lambdas/revocation/plan.ts';
import { definition } from '../../core/revocation/definitions.ts';
import {
  account,
  bus,
  clock,
  codeOf,
  east,
  failures,
  finish,
  follow,
  inputFor,
  members,
  of,
  origin,
  own,
  ownProven,
  planning,
  plans,
  proven,
  published,
  requestedAt,
  requestId,
  west,
} from './member-places.ts';

describe('a plan over several environments', () => {
  test('holds the part of each, and is one plan with one digest', async () => {
    const { subject } = await makePlan(inputFor(), planning());
    expect(subject).toMatch(/^orders: 1 secrets at 1 targets, 2 in east, 1 in west, plan /);
    await announcePlan(inputFor(), { plans, bus, origin });
    published();
    expect(of('Revocation Planned')).toEqual([
      expect.objectContaining({
        secrets: 1,
        tasks: 0,
        members: [
          { member: 'east', environment: 'prod', account, region: 'us-east-1', secrets: 2 },
          { member: 'west', environment: 'staging', account, region: 'eu-west-1', secrets: 1 },
        ],
      }),
    ]);
  });

  test('takes only the members that are named, and no unknown ones', async () => {
    const { subject } = await makePlan(inputFor({ members: ['west'] }), planning());
    expect(subject).not.toContain('east');
    expect(await codeOf(makePlan({ ...inputFor({ members: ['north'] }), requestId: 'n' }, planning()))).toBe(
      'MemberUnknown',
    );
    expect(
      await codeOf(
        makePlan({ ...inputFor(), requestId: 'x' }, { ...planning(), members: undefined as never }),
      ),
    ).toBe('MemberUnknown');
  });

  test('is made without a member that cannot be asked, says so, and leaves it to people', async () => {
    west.away = 'region lost';
    const { subject } = await makePlan(inputFor(), planning());
    expect(subject).toContain('2 in east, unknown in west, 1 tasks for people');
    await announcePlan(inputFor(), { plans, bus, origin });
    published();
    expect(of('Revocation Task Opened')).toEqual([
      expect.objectContaining({ via: 'west', task: expect.stringContaining('it could not be asked') }),
    ]);
    expect(of('Revocation Planned')).toEqual([
      expect.objectContaining({
        tasks: 1,
        members: [expect.anything(), expect.objectContaining({ unreachable: 'Unreachable' })],
      }),
    ]);
  });

  test('is made even where nothing that asks members answers', async () => {
    const ask = async () => {
      throw new RekeyError('FunctionFailed', 'crashed');
    };
    const { subject } = await makePlan(inputFor(), { ...planning(), members: { members, ask } });
    expect(subject).toContain('1 secrets at 1 targets, unknown in east, unknown in west, 2 tasks for people');
  });

  test('may be about secrets that only members have, and is refused where nobody has any', async () => {
    own.definitions = [];
    expect(await makePlan(inputFor(), planning())).toMatchObject({ count: 0 });
    const nobody = inputFor({ select: { owner: 'team-nobody' } });
    expect(await codeOf(makePlan({ ...nobody, requestId: 'y' }, planning()))).toBe('SelectionEmpty');
  });

  test('leaves a name to people where no environment knows it, and only there', async () => {
    const select = { secrets: ['orders', 'orders-reports', 'orderz'].map((secret) => ({ secret })) };
    await makePlan(inputFor({ select }), planning());
    await announcePlan(inputFor({ select }), { plans, bus, origin });
    expect(of('Revocation Task Opened')).toEqual([
      expect.objectContaining({ task: 'Revoke orderz by hand: no environment knows a secret of this name.' }),
    ]);
  });

  test.each([
    ['by a prefix', { namePrefix: 'orders' }],
    ['by a name', { secrets: [{ secret: 'orders' }] }],
  ])(
    'is open where an environment finds nothing %s, and has a definition that cannot be read',
    async (_, select) => {
      for (const [place, parameter] of [
        [own, '/rekey/security/secrets/orders'],
        [west, '/rekey/staging/secrets/orders'],
      ] as const) {
        place.definitions = [];
        place.invalid = [parameter];
      }
      const input = inputFor({ select });
      expect((await makePlan(input, planning())).subject).toMatch(/0 secrets .* in east, 0 in west, 1 tasks/);
      east.progress = proven('orders', 'orders-reports');
      await follow(input);
      // The member's part is a plan there, too, with a task of its own.
      const there = {
        ...input,
        requestId: 'there',
        request: west.sent[0]?.detail.data as PlanInput['request'],
      };
      await makePlan(there, { ...west.planning, plans, bucket: 'there' });
      expect(await conclude(there, { plans, outcomes: { list: async () => [] }, bus, origin })).toMatchObject(
        {
          outcome: 'open',
          openTasks: 1,
        },
      );
      west.progress = { state: 'ended', proven: false, openTasks: 1, outcomes: [] };
      await follow(input);
      expect(await finish(input)).toMatchObject({ outcome: 'open', openTasks: 2 });
      published();
    },
  );

  test('asks a principal of another account of nobody but that account', async () => {
    const principal = 'arn:aws:iam::333333333333:role/worker';
    const { plan } = await previewPlan(
      { select: { principal }, mode: 'kill', chain: false, members: ['east'] },
      { ...planning() },
    ).catch((error: { code: string }) => ({ plan: error.code }));
    expect(plan).toBe('SelectionEmpty');
  });

  test('has an own part whose digest is the same whatever members answer, so that an emergency is not turned away', async () => {
    const shown = await previewPlan(
      { select: { namePrefix: 'orders' }, mode: 'kill', chain: false, members: 'all' },
      planning(),
    );
    west.away = 'region lost';
    await makePlan(inputFor({ plan: shown.digest }), planning());
    own.definitions.push(definition('orders-late'));
    expect(await codeOf(makePlan({ ...inputFor({ plan: shown.digest }), requestId: 'z' }, planning()))).toBe(
      'PlanChanged',
    );
  });

  test('is not for a sender who answers for one owner alone', async () => {
    expect(await codeOf(makePlan({ ...inputFor(), owner: 'team-orders' }, planning()))).toBe(
      'SourceNotAllowed',
    );
  });
});

describe('the parts of members', () => {
  test('are asked for by one request each, which a member plans exactly as it was shown', async () => {
    await makePlan(inputFor(), planning());
    const loop = await follow(inputFor());
    expect(loop).toMatchObject({ done: false, waitSeconds: 5 });
    const [request] = east.sent;
    expect(request).toMatchObject({
      source: 'rekey.coordinator',
      detail: {
        metadata: {
          id: memberRequestId(requestId, 'east'),
          time: requestedAt,
          environment: 'prod',
          correlationId: 'INC-7',
          causationId: requestId,
        },
        data: { partOf: requestId, mode: 'kill', incident: 'INC-7', reason: 'leaked' },
      },
    });
    const data = request?.detail.data as PlanInput['request'];
    // The member's own planner comes to the digest that the request carries.
    const input = planInputSchema.parse({ ...inputFor(), requestId: 'there', request: data });
    await makePlan(input, { ...east.planning, plans, bucket: 'there' });
    east.definitions.push(definition('orders-late'));
    expect(
      await codeOf(makePlan({ ...input, requestId: 'late' }, { ...east.planning, plans, bucket: 'there' })),
    ).toBe('PlanChanged');
  });

  test('are asked for again where a request was lost, and not while it is on its way or under way', async () => {
    await makePlan(inputFor(), planning());
    const first = await follow(inputFor());
    await follow(inputFor(), first);
    expect(east.sent).toHaveLength(1);
    clock.time = new Date(clock.time.getTime() + 61_000);
    west.progress = { state: 'under way' };
    await follow(inputFor(), first);
    expect(east.sent).toHaveLength(2);
    expect(east.sent[1]?.detail.metadata.id).toBe(east.sent[0]?.detail.metadata.id);
    expect(east.sent[1]?.detail.data).toEqual(east.sent[0]?.detail.data);
    expect(west.sent).toHaveLength(1);
    // Whatever the loop has forgotten, the same request is sent, and done once.
    await follow(inputFor());
    expect(east.sent[2]?.detail.metadata.id).toBe(east.sent[0]?.detail.metadata.id);
  });

  test('are asked for though nothing tells how far a member is: throttled logs hold back no request', async () => {
    await makePlan(inputFor(), planning());
    west.progress = new RekeyError('Unreachable', 'the logs are throttled');
    const loop = await follow(inputFor());
    expect([west.sent.length, failures]).toEqual([1, ['west Unreachable']]);
    await follow(inputFor(), loop);
    expect(west.sent).toHaveLength(1);
  });

  test('are asked for by the role that the member knows the coordinator by', async () => {
    await makePlan(inputFor(), planning());
    await follow(inputFor());
    const { actor, causationId } = east.sent[0]?.detail.metadata ?? {};
    expect({ actor, causationId }).toEqual({ actor: members[0]?.role, causationId: requestId });
    // What CloudTrail writes of a session is made of the ARN of its role.
    const principal = `arn:aws:sts::${account}:assumed-role/r-east/rekey-security-coordinator`;
    expect(agrees(actor, { principal, identity: members[0]?.role ?? '' } as Caller)).toBe(true);
  });

  test('of a member that is away hold up no other, and are asked for when it is back', async () => {
    west.away = 'region lost';
    await makePlan(inputFor(), planning());
    const loop = await follow(inputFor());
    expect([east.sent.length, west.sent.length, failures]).toEqual([1, 0, ['west Unreachable']]);
    west.away = undefined;
    await follow(inputFor(), loop);
    expect(west.sent[0]?.detail.data).not.toHaveProperty('plan');
  });

  test('conclude together: proven only if every part is', async () => {
    await makePlan(inputFor(), planning());
    [east.progress, west.progress] = [proven('orders', 'orders-reports'), proven('orders')];
    expect(await follow(inputFor())).toMatchObject({ done: true });
    ownProven();
    expect(await finish(inputFor())).toEqual({
      outcome: 'proven',
      succeeded: 4,
      unproven: 0,
      failed: 0,
      openTasks: 0,
      timeToContainmentMs: 4_000,
    });
    published();
    expect(of('Revocation Member Concluded')).toMatchObject([
      { member: 'east', outcome: 'proven', succeeded: 2 },
      { member: 'west', outcome: 'proven', succeeded: 1 },
    ]);
    expect([east.sent.length, west.sent.length]).toEqual([1, 1]);
  });

  test('that a member refuses are an outcome, and keep the incident open', async () => {
    await makePlan(inputFor(), planning());
    east.progress = proven('orders', 'orders-reports');
    const error = { code: 'AuthorUnproven', message: 'kill needs a second person here', retryable: false };
    west.progress = { state: 'rejected', error };
    await follow(inputFor());
    ownProven();
    expect(await finish(inputFor())).toMatchObject({ outcome: 'open', succeeded: 3, openTasks: 1 });
    published();
    expect(of('Revocation Member Concluded')[1]).toMatchObject({
      outcome: 'rejected',
      error: { code: 'AuthorUnproven' },
    });
    expect(of('Revocation Task Opened')).toEqual([
      expect.objectContaining({ via: 'west', task: expect.stringContaining('rejected, AuthorUnproven') }),
    ]);
  });

  test('count a secret of which nothing is told as failed', async () => {
    await makePlan(inputFor(), planning());
    east.progress = {
      state: 'ended',
      proven: false,
      outcomes: [{ secretName: 'orders', outcome: 'succeeded' }],
    };
    west.progress = proven('orders');
    await follow(inputFor());
    ownProven();
    expect(await finish(inputFor())).toMatchObject({ outcome: 'open', succeeded: 3, failed: 1 });
    expect(of('Revocation Member Concluded')[0]).toMatchObject({
      outcome: 'open',
      secrets: [
        { secretName: 'orders-reports', outcome: 'failed', error: 'WorkflowEnded' },
        { secretName: 'orders' },
      ],
    });
  });

  test('of a member that was away and came back take its task away', async () => {
    west.away = 'region lost';
    await makePlan(inputFor(), planning());
    west.away = undefined;
    [east.progress, west.progress] = [proven('orders', 'orders-reports'), proven('orders')];
    await follow(inputFor());
    ownProven();
    expect(await finish(inputFor())).toMatchObject({ outcome: 'proven', openTasks: 0 });
    published();
    const [opened, done] = [of('Revocation Task Opened'), of('Revocation Task Done')];
    expect(done).toEqual([expect.objectContaining({ taskId: (opened[0] as { taskId: string }).taskId })]);
  });

  test('of a member that turns out to have no such secret leave nothing to do', async () => {
    west.away = 'region lost';
    await makePlan(inputFor(), planning());
    west.away = undefined;
    east.progress = proven('orders', 'orders-reports');
    west.progress = {
      state: 'rejected',
      error: { code: 'SelectionEmpty', message: 'none', retryable: false },
    };
    await follow(inputFor());
    ownProven();
    expect(await finish(inputFor())).toMatchObject({ outcome: 'proven' });
    expect(of('Revocation Member Concluded')[1]).toMatchObject({ outcome: 'none' });
  });

  test.each([
    ['when it was planned', async () => void (await makePlan(inputFor(), planning())), {}],
    [
      'to the sender, and none when it was planned',
      async () => {
        west.definitions = [];
        await makePlan(inputFor(), planning());
      },
      { memberPlans: { west: 'd'.repeat(64) } },
    ],
  ])('of a member that showed secrets %s, and finds none any more, are open', async (_, plan, change) => {
    await plan();
    const input = inputFor(change);
    const error = { code: 'SelectionEmpty', message: 'there are no secrets to revoke', retryable: false };
    east.progress = proven('orders', 'orders-reports');
    west.progress = { state: 'rejected', error };
    await follow(input);
    ownProven();
    expect(await finish(input)).toMatchObject({ outcome: 'open', succeeded: 3, openTasks: 1 });
    published();
    expect(of('Revocation Member Concluded')[1]).toMatchObject({ outcome: 'rejected', error });
  });

  test('of a member that is never reached end as unreachable, for people, after six days', async () => {
    west.away = 'region lost';
    await makePlan(inputFor(), planning());
    east.progress = proven('orders', 'orders-reports');
    clock.time = new Date(clock.time.getTime() + 6 * 24 * 3_600_000 + 1);
    expect(await follow(inputFor())).toMatchObject({ done: true, waitSeconds: 600 });
    ownProven();
    expect(await finish(inputFor())).toMatchObject({ outcome: 'open', openTasks: 2 });
    published();
  });

  test('are concluded where the workflow ended before its loop did', async () => {
    await makePlan(inputFor(), planning());
    ownProven();
    expect(await finish(inputFor())).toMatchObject({ outcome: 'open', openTasks: 2 });
    expect(of('Revocation Member Concluded')).toMatchObject([
      { outcome: 'unreachable' },
      { outcome: 'unreachable' },
    ]);
  });

  test('that were kept stay, whatever is heard later; conclusions that are repeated are the same facts', async () => {
    await makePlan(inputFor(), planning());
    [east.progress, west.progress] = [proven('orders', 'orders-reports'), proven('orders')];
    await follow(inputFor());
    east.progress = {
      state: 'rejected',
      error: { code: 'RequestConflict', message: 'other', retryable: false },
    };
    await follow(inputFor());
    // Nobody is asked of what has ended: its member may be away by now.
    west.away = 'region lost';
    expect(await follow(inputFor())).toMatchObject({ done: true });
    expect(failures).toEqual([]);
    ownProven();
    await finish(inputFor());
    const ids = bus.events.map(({ detail }) => detail.metadata.id);
    await finish(inputFor());
    expect(new Set(bus.events.map(({ detail }) => detail.metadata.id))).toEqual(new Set(ids));
    expect(of('Revocation Member Concluded')[0]).toMatchObject({ outcome: 'proven' });
  });
});
