import { describe, expect, test } from '@jest/globals';
import type { ManifestLane, PlanInput } from '../../../core/deployed/revocation-state.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { takeRequest } from '../../../lambdas/revocation/intake.ts';
import { makePlan } from '../../../lambdas/revocation/plan.ts';
import { definition } from '../../core/revocation/definitions.ts';
import { revoke } from './revoke.ts';
import { requestEvent, secretArn, World } from './world.ts';

const first = '2026-03-01T11:00:00.000Z';

/** Takes a request, and gives what its workflow begins with. */
async function started(data: Record<string, unknown>, created: Readonly<Record<string, string>> = {}) {
  const world = new World();
  for (const versionId of Object.keys(created)) world.store.begin(secretArn, versionId);
  const store = {
    describe: async (id: string) => ({ ...(await world.store.describe(id)), versions: {} }),
    listVersions: async (id: string) =>
      (await world.store.listVersions(id)).map((version) => ({
        ...version,
        created: new Date(created[version.versionId] ?? '2026-02-01T00:00:00.000Z'),
      })),
  };
  const inputs: string[] = [];
  const starter = {
    start: async (_: string, input: string) => {
      inputs.push(input);
      return 'started' as const;
    },
  };
  const taken = await takeRequest(
    requestEvent({}, data),
    world.intake({ starter, planStarter: starter, store }),
  );
  return { taken, input: JSON.parse(inputs[0] ?? 'null'), world };
}

describe('a request that tries a revocation again', () => {
  test('is about the versions up to the first try, and says so', async () => {
    const { input, world } = await started({ asOf: first }, { made: '2026-03-01T11:00:05.000Z' });
    expect(input).toMatchObject({ versions: ['v1'], named: false, takenAt: first });
    const [event] = world.bus.events;
    expect(detailSchema('Secret Revocation Started').parse(event?.detail).data).toMatchObject({
      versions: ['v1'],
      takenAt: first,
    });
  });

  test('names versions that were found then, of which some may be gone', async () => {
    const { input } = await started({ asOf: first, versions: ['v1', 'gone'] });
    expect(input).toMatchObject({ versions: ['v1', 'gone'], named: false, takenAt: first });
  });

  test('finds nothing where all versions came later', async () => {
    const { taken } = await started({ asOf: first }, { v1: '2026-03-01T11:30:00.000Z' });
    expect(taken).toMatchObject({
      outcome: 'rejected',
      error: { code: 'VersionsNotKept', message: expect.stringContaining(`up to ${first}`) },
    });
  });

  test.each(['2026-03-01T12:00:00.000Z', '2027-01-01T00:00:00.000Z'])(
    'must have been tried before: %s is refused',
    async (asOf) => {
      const { taken, input } = await started({ asOf });
      expect(taken).toMatchObject({ outcome: 'rejected', error: { code: 'RequestMalformed' } });
      expect(input).toBeNull();
    },
  );

  test('is taken from a sender whose clock is behind', async () => {
    const { input } = await started({ asOf: '2026-03-01T11:59:59.800Z' });
    expect(input).toMatchObject({
      takenAt: '2026-03-01T11:59:59.800Z',
      requestedAt: '2026-03-01T11:59:59.801Z',
    });
  });

  test('is about no environment elsewhere, which the first try has asked', async () => {
    const { taken } = await started({ asOf: first, members: 'all' });
    expect(taken).toMatchObject({ outcome: 'rejected', error: { code: 'RequestMalformed' } });
  });

  test('follows no chain, whose tasks the first try has opened', async () => {
    const { taken } = await started({ asOf: first, chain: true });
    expect(taken).toMatchObject({ outcome: 'rejected', error: { code: 'RequestMalformed' } });
  });

  test('of several secrets hands the time of the first try to the plan', async () => {
    const { input } = await started({ asOf: first, select: { secrets: [{ secret: 'orders' }] } });
    expect(input).toMatchObject({ takenAt: first, requestedAt: '2026-03-01T11:59:59.500Z' });
  });
});

describe('the plan of a retry', () => {
  const input = (request: Partial<PlanInput['request']>): PlanInput => ({
    requestId: '0195a000-0000-7000-8000-000000000009',
    correlationId: 'INC-7',
    requestDigest: 'digest',
    requestedAt: '2026-03-01T12:00:00.000Z',
    takenAt: first,
    request: { select: { secret: 'admin' }, mode: 'kill', reason: 'leaked', drill: false, ...request },
    subject: 'admin',
    mode: 'kill',
  });
  async function made(request: Partial<PlanInput['request']>) {
    const texts = new Map<string, string>();
    await makePlan(input(request), {
      definitions: {
        listValid: async () => ({
          definitions: [definition('admin', { leads: [{ task: 'Tell the bank.' }] })],
          invalid: ['/rekey/test/secrets/broken'],
        }),
      },
      sources: {
        environment: 'test',
        tagged: async () => [],
        readableBy: async () => [],
        readBy: async () => 'off',
      },
      plans: {
        keepFirst: async (key, text) => {
          texts.set(key, text);
          return text;
        },
        read: async (key) => texts.get(key),
      },
      bucket: 'plans',
    });
    const of = (end: string) => JSON.parse([...texts].find(([key]) => key.endsWith(end))?.[1] ?? 'null');
    const [lane] = of('step-0.json') as ManifestLane[];
    return { tasks: of('plan.json').tasks, secret: lane?.secrets[0] };
  }

  test('opens no task a second time, but that of a secret that is unknown', async () => {
    expect((await made({})).tasks).toHaveLength(2);
    expect((await made({ asOf: first })).tasks).toEqual([]);
    const both = { secrets: [{ secret: 'admin' }, { secret: 'unknown' }] };
    expect((await made({ asOf: first, select: both })).tasks).toMatchObject([
      { task: expect.stringContaining('Revoke unknown by hand') },
    ]);
  });

  test('demands versions that a plan named, and takes those that were found as they are', async () => {
    const named = { secrets: [{ secret: 'admin', versions: ['v1'] }] };
    expect((await made({ asOf: first, select: named })).secret).toMatchObject({
      named: true,
      versions: ['v1'],
      takenAt: first,
    });
    expect((await made({ asOf: first, versions: ['v1'] })).secret).toMatchObject({ named: false });
    expect((await made({ versions: ['v1'] })).secret).toMatchObject({ named: true });
  });
});

test('a revocation that could not be proven is proven by a retry, which spares what the first has made', async () => {
  const world = new World();
  let calls = 0;
  const failed = await revoke(world, {}, () => {
    calls += 1;
    // The target is away from the proof on.
    if (calls === 2) world.target.unreachable = 1_000;
  });
  expect(failed.status).toBe('FAILED');
  const made = world.store.peek(secretArn, 'AWSCURRENT')?.versionId;
  expect(made).not.toBe('v1');
  world.target.unreachable = 0;
  // The store in memory has a clock of its own: the first try was taken when the first version was the last one.
  const kept = await world.store.listVersions(secretArn);
  const asOf = kept.find(({ versionId }) => versionId === 'v1')?.created?.toISOString();
  const again = { versions: ['v1'], asOf };
  const metadata = { id: '0195a000-0000-7000-8000-00000000000f', time: world.clock.now().toISOString() };
  const { status } = await revoke(world, again, undefined, metadata);
  expect(status).toBe('SUCCEEDED');
  const done = world.bus.events.find(({ detailType }) => detailType === 'Secret Revocation Succeeded');
  expect(done?.detail.data).toMatchObject({
    verifications: [{ versionId: 'v1', outcome: 'rejected' }],
  });
  expect(JSON.stringify(done)).not.toContain(`"versionIds":["${made}"]`);
  expect(new Set(world.target.contained)).toEqual(new Set(['leaked-password']));
});
