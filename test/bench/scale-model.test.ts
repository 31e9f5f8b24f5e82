import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MinimumQueue } from '../../bench/scale/heap.ts';
import { estimatePlan, estimateStep, evenPlan, type Plan, usualRoom } from '../../bench/scale/model.ts';
import { simulate } from '../../bench/scale/simulation.ts';
import { atOnce } from '../../core/pace/quotas.ts';
import { secretGraph } from '../../core/revocation/graph.ts';
import { planRevocation } from '../../core/revocation/plan.ts';
import { definition } from '../core/revocation/definitions.ts';
import { propertyRuns } from '../property-runs.ts';

/** The closed form and the simulation may differ by this part of the time, and by the time that two secrets take. */
const tolerance = 0.1;
const twoSecrets = 2 * (2 + 8 + 2 + 2);

/** Secrets of four servers, each with an admin secret. */
const fourTargets = (secrets: number) =>
  Array.from({ length: secrets }, (_, index) => {
    const [target, host] = [index % 4, `db-${index % 4}`];
    return index < 4
      ? definition(`admin-${target}`, { host })
      : definition(`user-${index}`, { host, admin: `admin-${target}` });
  });

const sizes = [1, 100, 1_000, 10_000];
const newAccount = { ...usualRoom, functions: atOnce.functions.newAccount };

describe('the duration of a revocation of many secrets', () => {
  test.each([
    ...sizes.flatMap((secrets) => [1, 20].map((perTarget) => ({ secrets, perTarget }))),
    { secrets: 100_000, perTarget: 20 },
  ])(
    'is simulated as the closed form has it: $secrets secrets, $perTarget on each target',
    ({ secrets, perTarget }) => {
      const plan = evenPlan(secrets, perTarget);
      for (const room of secrets > 10_000 ? [usualRoom] : [usualRoom, newAccount]) {
        const expected = estimatePlan(plan, room);
        const { seconds } = simulate(plan, room);
        expect(seconds).toBeGreaterThanOrEqual(expected * (1 - tolerance));
        expect(seconds).toBeLessThanOrEqual(expected * (1 + tolerance) + twoSecrets);
      }
    },
  );

  test('is bound by what the simulation waits for most', () => {
    const [contain, replace] = simulate(evenPlan(20_000, 20)).steps;
    const most = (waits: ReadonlyMap<string, number> = new Map()) =>
      [...waits].toSorted((a, b) => b[1] - a[1])[0]?.[0];
    const [first, second] = evenPlan(20_000, 20).steps;
    expect(first && estimateStep(first).by).toBe(most(contain?.waits));
    expect(second && estimateStep(second).by).toBe(most(replace?.waits));
    expect(most(replace?.waits)).toBe('pace');
  });

  test('is never shorter than a bound, nor longer than all of them together', () => {
    const lanes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 });
    const rooms = fc.record({
      functions: fc.integer({ min: 2, max: 100 }),
      lanes: fc.integer({ min: 1, max: 80 }),
    });
    fc.assert(
      fc.property(lanes, rooms, (lengths, room) => {
        const step = (phase: 'contain' | 'replace') => ({
          phase,
          lanes: lengths.map((length, index) => ({
            target: `${index}`,
            secrets: Array.from({ length }, (_, place) => `${index}-${place}`),
          })),
        });
        const plan: Plan = { steps: [step('contain'), step('replace')] };
        const run = simulate(plan, room);
        for (const [index, one] of plan.steps.entries()) {
          const { seconds, bounds } = estimateStep(one, room);
          const took = run.steps[index]?.seconds ?? 0;
          // What the quotas hold in reserve after the step before is not in the closed form.
          expect(took).toBeGreaterThanOrEqual(seconds * (1 - tolerance) - 1e-6);
          expect(took).toBeLessThanOrEqual([...bounds.values()].reduce((sum, bound) => sum + bound, 0));
        }
      }),
      { numRuns: propertyRuns(100) },
    );
  });

  test('of a thousand on four targets follows from the plan that runs, with an admin secret on each', () => {
    const plan = planRevocation(secretGraph(fourTargets(1_000)), {
      mode: 'kill',
      chain: true,
      selected: [0, 1, 2, 3].map((target) => ({ name: `admin-${target}`, because: 'leaked' })),
    });
    expect(plan.secrets).toHaveLength(1_000);
    expect(plan.steps.map(({ phase, lanes }) => `${phase}: ${lanes.length}`)).toEqual([
      'contain: 32',
      'replace: 4',
      'contain again: 32',
      'replace: 32',
    ]);
    const { seconds, steps } = simulate(plan);
    // The longest lane of 250 secrets has 32: 2 s each to cut off, 12 s to replace, and a moment for the pace at the beginning.
    expect(steps.map((step) => Math.round(step.seconds))).toEqual([64, 12, 64, 385]);
    expect(seconds).toBeLessThanOrEqual(estimatePlan(plan) * (1 + tolerance) + twoSecrets);
    expect(seconds).toBeGreaterThanOrEqual(estimatePlan(plan) * (1 - tolerance));
  });

  test('of nothing is none', () => {
    expect(estimatePlan({ steps: [{ phase: 'contain', lanes: [] }] })).toBe(0);
    expect(simulate({ steps: [{ phase: 'replace', lanes: [] }] }).seconds).toBe(0);
  });
});

test('a queue gives the smallest first, and of equal ones the older', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (numbers) => {
      const queue = new MinimumQueue<number>();
      for (const [index, at] of numbers.entries()) queue.push(at, index);
      const given: (readonly [number, number])[] = [];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) given.push([next.at, next.value]);
      const sorted = numbers
        .map((at, index) => [at, index] as const)
        .toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(given).toEqual(sorted);
    }),
    { numRuns: propertyRuns(200) },
  );
});
