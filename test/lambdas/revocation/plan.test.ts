import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { planPreviewSchema } from '../../../core/deployed/plan-preview.ts';
import {
  type ManifestLane,
  type PlanInput,
  planInputSchema,
  workflowInputSchema,
} from '../../../core/deployed/revocation-state.ts';
import { type AnyEvent, detailSchema } from '../../../core/events/catalogue.ts';
import type { OutcomeStore, PlanStore, SecretOutcome } from '../../../core/revocation/ports.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import type { ReadEvidence } from '../../../core/trail/ports.ts';
import { announcePlan } from '../../../lambdas/revocation/announce-plan.ts';
import { conclude } from '../../../lambdas/revocation/conclude.ts';
import { makePlan, previewPlan } from '../../../lambdas/revocation/plan.ts';
import { definition } from '../../core/revocation/definitions.ts';
import { MemoryBus } from '../rotation/engine.ts';

const requestId = '0195a000-0000-7000-8000-000000000009';
const now = new Date('2026-03-01T12:00:05.000Z');

const inputFor = (change: Partial<PlanInput['request']> = {}, more: Partial<PlanInput> = {}): PlanInput => ({
  requestId,
  correlationId: 'INC-7',
  requestDigest: 'digest',
  requestedAt: '2026-03-01T12:00:00.000Z',
  takenAt: '2026-03-01T12:00:00.500Z',
  request: {
    select: { secret: 'admin' },
    chain: true,
    mode: 'kill',
    reason: 'leaked',
    drill: false,
    ...change,
  },
  subject: 'admin',
  mode: change.mode ?? 'kill',
  ...more,
});

/** An environment in memory, with its plans and what came of them. */
class Environment {
  definitions: SecretDefinition[] = [
    definition('admin', { leads: [{ task: 'Tell the bank.' }] }),
    definition('orders', { admin: 'admin' }),
    definition('billing', { admin: 'admin', owner: 'team-billing' }),
  ];
  /** Parameters that hold no definition. */
  invalid: string[] = [];
  readonly texts = new Map<string, string>();
  readonly noted: SecretOutcome[] = [];
  readonly bus = new MemoryBus();
  readonly plans: PlanStore = {
    keepFirst: async (key, text) => {
      const kept = this.texts.get(key) ?? text;
      this.texts.set(key, kept);
      return kept;
    },
    read: async (key) => this.texts.get(key),
  };
  readonly outcomes: OutcomeStore = {
    note: async (_requestId, outcome) => void this.noted.push(outcome),
    list: async () => this.noted,
  };

  get planning() {
    return {
      definitions: {
        listValid: async () => ({ definitions: this.definitions, invalid: this.invalid }),
      },
      sources: {
        environment: 'test',
        tagged: async () => [],
        readableBy: async () => [],
        readBy: async (): Promise<ReadEvidence | 'off' | 'unreadable'> => 'off',
      },
      plans: this.plans,
      bucket: 'plans',
    };
  }

  get announcing() {
    return {
      plans: this.plans,
      outcomes: this.outcomes,
      bus: this.bus,
      origin: {
        source: 'rekey.revocation',
        environment: 'test',
        actor: 'test',
        clock: { now: () => now },
        random: systemRandom,
      } as const,
    };
  }

  manifest(step: number): ManifestLane[] {
    return JSON.parse(this.texts.get(`plans/${requestId}/digest/step-${step}.json`) ?? 'null');
  }

  published(): AnyEvent[] {
    for (const { detailType, detail } of this.bus.events) {
      expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
    }
    return this.bus.events;
  }
}

const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );

describe('a plan', () => {
  test('is kept with a manifest for each step, whose secrets are inputs of their own revocations', async () => {
    const world = new Environment();
    expect(await makePlan(inputFor(), world.planning)).toEqual({
      bucket: 'plans',
      steps: [0, 1, 2, 3].map((step) => `plans/${requestId}/digest/step-${step}.json`),
      count: 4,
      subject: expect.stringMatching(
        /^admin: 3 secrets at 1 targets, 1 tasks for people, plan [0-9a-f]{12}$/,
      ),
    });
    const secrets = world.manifest(0).flatMap((lane) => lane.secrets);
    expect(secrets.map(({ secretName, phase }) => [secretName, phase])).toEqual([
      ['admin', 'contain'],
      ['billing', 'contain'],
      ['orders', 'contain'],
    ]);
    for (const secret of secrets) {
      expect(workflowInputSchema.parse(secret)).toMatchObject({
        partOf: requestId,
        versions: [],
        named: false,
      });
    }
    // Each has a request id of its own, which is the same in every step.
    expect(new Set(secrets.map((secret) => secret.requestId)).size).toBe(3);
    const later = world.manifest(3).flatMap((lane) => lane.secrets);
    expect(
      secrets.filter(({ secretName }) => secretName !== 'admin').map((secret) => secret.requestId),
    ).toEqual(later.map((secret) => secret.requestId));
  });

  test('that was kept is the one that runs, whatever has changed since', async () => {
    const world = new Environment();
    await makePlan(inputFor(), world.planning);
    const before = new Map(world.texts);
    world.definitions = [...world.definitions, definition('late', { admin: 'admin' })];
    await makePlan(inputFor(), world.planning);
    expect(world.texts).toEqual(before);
  });

  test('is the one that was shown, or nothing runs', async () => {
    const world = new Environment();
    const { digest, plan } = await previewPlan(
      { select: { secret: 'admin' }, mode: 'kill', chain: true },
      world.planning,
    );
    expect(plan.secrets).toHaveLength(3);
    await makePlan(inputFor({ plan: digest }), world.planning);
    const other = new Environment();
    other.definitions = [...other.definitions, definition('late', { admin: 'admin' })];
    expect(await codeOf(makePlan(inputFor({ plan: digest }), other.planning))).toBe('PlanChanged');
    expect(other.texts.size).toBe(0);
  });

  test('shows how many secrets more the chain would take along', async () => {
    const shown = await previewPlan(
      { select: { secret: 'admin' }, mode: 'kill', chain: false },
      new Environment().planning,
    );
    expect([shown.plan.secrets.length, shown.beyond]).toEqual([1, 2]);
  });

  test('of a sender who may ask for one owner takes along nothing of another', async () => {
    const world = new Environment();
    const input = inputFor({}, { owner: 'team-orders' });
    expect(await codeOf(makePlan(input, world.planning))).toBe('SourceNotAllowed');
    expect(await codeOf(makePlan(inputFor({ chain: false }, { owner: 'team-orders' }), world.planning))).toBe(
      'no error',
    );
  });
});

test('another request with the id of an old one has a plan of its own, which is checked', async () => {
  const world = new Environment();
  await makePlan(inputFor(), world.planning);
  const reused = inputFor(
    { select: { secret: 'orders' }, plan: 'f'.repeat(64) },
    { requestDigest: 'another', owner: 'team-orders' },
  );
  expect(await codeOf(makePlan(reused, world.planning))).toBe('PlanChanged');
});

test('what cannot be read, or is unknown, is left to people and keeps nothing from being done', async () => {
  const world = new Environment();
  world.invalid = ['/rekey/test/secrets/broken'];
  const select = { secrets: [{ secret: 'orders' }, { secret: 'gone' }] };
  await makePlan(inputFor({ select, chain: false }), world.planning);
  await announcePlan(inputFor({ select, chain: false }), world.announcing);
  const tasks = world
    .published()
    .flatMap(({ detailType, detail }) =>
      detailType === 'Revocation Task Opened' ? [(detail.data as { task: string }).task] : [],
    );
  expect(tasks.filter((task) => task.includes('gone') || task.includes('broken'))).toHaveLength(2);
  expect(world.manifest(0).flatMap((lane) => lane.secrets)).toHaveLength(1);
});

test('whom a principal may read by resource policies alone is left to people', async () => {
  const world = new Environment();
  const principal = 'arn:aws:iam::111122223333:role/worker';
  const sources = { ...world.planning.sources, readableBy: async () => [world.definitions[1]?.arn ?? ''] };
  const { plan } = await previewPlan(
    { select: { principal }, mode: 'kill', chain: false },
    { ...world.planning, sources },
  );
  expect(plan.tasks.map(({ task }) => task)).toEqual([expect.stringContaining(principal)]);
});

describe('a plan by what a principal read', () => {
  const principal = 'arn:aws:iam::111122223333:role/worker';
  const asked = { select: { principal }, mode: 'kill', chain: false } as const;
  const planned = async (
    world: Environment,
    mayRead: readonly number[],
    evidence: ReadEvidence | 'off' | 'unreadable',
  ) =>
    await previewPlan(asked, {
      ...world.planning,
      sources: {
        ...world.planning.sources,
        readableBy: async () => mayRead.map((at) => world.definitions[at]?.arn ?? ''),
        readBy: async () => evidence,
      },
    });

  test('is the same plan when somebody reads once more, and names the last time', async () => {
    const world = new Environment();
    const [secret = ''] = world.definitions.map(({ name }) => name);
    const at = (time: string) => ({
      since: '2026-01-01T00:00:00.000Z',
      until: time,
      reads: [{ secret, time }],
    });
    const before = await planned(world, [0], at('2026-03-01T00:00:00.000Z'));
    const after = await planned(world, [0], at('2026-03-02T00:00:00.000Z'));
    const blind = await planned(world, [0], 'unreadable');
    expect(after.plan.secrets[0]).toMatchObject({
      because: [`${principal} may read it`],
      readAt: '2026-03-02T00:00:00.000Z',
    });
    expect(after.plan.reads).toEqual({
      trail: 'read',
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-03-02T00:00:00.000Z',
    });
    expect(blind.plan.reads).toEqual({ trail: 'unreadable' });
    expect(new Set([before.digest, after.digest, blind.digest]).size).toBe(1);
    expect(planPreviewSchema.parse(JSON.parse(JSON.stringify(after)))).toEqual(after);
  });

  test('takes along what was read and may be read no more', async () => {
    const world = new Environment();
    const [first, second] = world.definitions;
    const evidence = { reads: [{ secret: second?.arn ?? '', time: '2026-03-01T00:00:00.000Z' }] };
    const { plan, digest } = await planned(world, [0], evidence);
    expect(plan.secrets.map(({ name, because }) => [name, because[0]]).toSorted()).toEqual(
      [
        [first?.name, `${principal} may read it`],
        [second?.name, `${principal} has read it`],
      ].toSorted(),
    );
    expect(digest).not.toBe((await planned(world, [0], 'off')).digest);
  });
});

describe('what is recorded', () => {
  test('the plan, its tasks, and the start of each revocation, each once', async () => {
    const world = new Environment();
    await makePlan(inputFor({ incident: 'INC-7' }), world.planning);
    await announcePlan(inputFor({ incident: 'INC-7' }), world.announcing);
    await announcePlan(inputFor({ incident: 'INC-7' }), world.announcing);
    const events = world.published();
    const ids = new Set(events.map(({ detail }) => detail.metadata.id));
    expect(ids.size).toBe(events.length / 2);
    expect(events.slice(0, ids.size).map(({ detailType }) => detailType)).toEqual([
      'Revocation Planned',
      'Revocation Task Opened',
      ...Array.from({ length: 3 }, () => 'Secret Revocation Started'),
    ]);
    expect(events[0]?.detail.data).toMatchObject({ secrets: 3, tasks: 1, incident: 'INC-7' });
  });

  const concluded = async (outcomes: SecretOutcome[], withTask: boolean) => {
    const world = new Environment();
    if (!withTask) world.definitions[0] = definition('admin');
    await makePlan(inputFor(), world.planning);
    world.noted.push(...outcomes);
    const conclusion = await conclude(inputFor(), world.announcing);
    const data = world.published().find(({ detailType }) => detailType === 'Revocation Concluded')
      ?.detail.data;
    return { conclusion, data, world };
  };
  const succeeded = (secretName: string, refusedAt: string): SecretOutcome => ({
    secretName,
    outcome: 'succeeded',
    refusedAt,
  });
  const all = [
    succeeded('admin', '2026-03-01T12:00:01.000Z'),
    succeeded('orders', '2026-03-01T12:00:03.000Z'),
    succeeded('billing', '2026-03-01T12:00:02.000Z'),
  ];

  test('it is proven where all were refused, and the last refusal counts', async () => {
    const { conclusion, data } = await concluded(all, false);
    expect(conclusion).toEqual({
      outcome: 'proven',
      succeeded: 3,
      unproven: 0,
      failed: 0,
      openTasks: 0,
      timeToContainmentMs: 3_000,
    });
    expect(data).toMatchObject({ outcome: 'proven', containedAt: '2026-03-01T12:00:03.000Z' });
  });

  test.each<[string, SecretOutcome[], boolean, object]>([
    ['a task is left', all, true, { succeeded: 3, openTasks: 1 }],
    ['one has no outcome', all.slice(1), false, { succeeded: 2, failed: 1 }],
    [
      'one could not be proven',
      [...all.slice(1), { secretName: 'admin', outcome: 'unproven' }],
      false,
      { succeeded: 2, unproven: 1 },
    ],
    [
      'one failed',
      [...all.slice(1), { secretName: 'admin', outcome: 'failed', error: 'TargetUnreachable' }],
      false,
      { succeeded: 2, failed: 1 },
    ],
  ])('it is open where %s', async (_what, outcomes, withTask, counts) => {
    const { conclusion, world } = await concluded(outcomes, withTask);
    expect(conclusion).toMatchObject({ outcome: 'open', ...counts });
    // Tasks are told once more, and each secret has an end.
    const kinds = world.published().map(({ detailType }) => detailType);
    expect(kinds.filter((kind) => kind === 'Revocation Task Opened')).toHaveLength(withTask ? 1 : 0);
    expect(kinds.filter((kind) => kind === 'Secret Revocation Failed')).toHaveLength(3 - outcomes.length);
  });

  test('a plan that was refused is a rejection with its code', async () => {
    const world = new Environment();
    const cause = JSON.stringify({ errorMessage: 'there are no secrets to revoke' });
    const state = { ...inputFor(), planFailure: { Error: 'SelectionEmpty', Cause: cause } };
    expect(await conclude(state, world.announcing)).toMatchObject({
      outcome: 'rejected',
      error: 'SelectionEmpty',
    });
    expect(world.published().map(({ detailType }) => detailType)).toEqual(['Secret Revocation Rejected']);
  });

  test('an execution that was aborted is concluded by what came of its secrets; one without a plan is rejected', async () => {
    const change = {
      'detail-type': 'Step Functions Execution Status Change',
      detail: { status: 'ABORTED', input: JSON.stringify(planInputSchema.parse(inputFor())) },
    };
    const world = new Environment();
    expect(await conclude(change, world.announcing)).toMatchObject({
      outcome: 'rejected',
      error: 'WorkflowEnded',
    });
    await makePlan(inputFor(), world.planning);
    expect(await conclude(change, world.announcing)).toMatchObject({ outcome: 'open', failed: 3 });
    // Whether it was approved stands in no input: what was done counts.
    const author = {
      arn: 'arn:aws:sts::111122223333:assumed-role/responder/ada',
      account: '111122223333',
      name: 'ada',
    };
    const approved = inputFor({}, { approval: { author, reason: 'leaked' } });
    const aborted = { ...change, detail: { status: 'ABORTED', input: JSON.stringify(approved) } };
    expect(await conclude(aborted, world.announcing)).toMatchObject({ outcome: 'open', failed: 3 });
  });
});
