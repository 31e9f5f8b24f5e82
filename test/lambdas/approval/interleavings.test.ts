import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { samePerson } from '../../../core/approval/person.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { answer } from '../../../lambdas/approval/answer.ts';
import { wait } from '../../../lambdas/approval/wait.ts';
import { propertyRuns } from '../../property-runs.ts';
import { proofFor } from './proof.ts';
import { ApprovalWorld, account, arnOf, author, requestId } from './world.ts';

const people = ['alice', 'Alice', 'bob', 'carol'] as const;

/** What happens next: a round of the step, an answer, or time; a process may be killed in the middle of a call. */
const happenings = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('round' as const), calls: fc.double({ min: 0, max: 9, noNaN: true }) }),
    fc.record({
      what: fc.constant('answer' as const),
      person: fc.constantFrom(...people),
      outcome: fc.constantFrom('granted' as const, 'refused' as const),
      calls: fc.double({ min: 0, max: 9, noNaN: true }),
    }),
    fc.record({ what: fc.constant('time' as const), minutes: fc.nat({ max: 20 }) }),
  ),
  { maxLength: 25 },
);
const limits = fc.record({
  minutes: fc.integer({ min: 5, max: 30 }),
  escalateAfterMinutes: fc.integer({ min: 1, max: 4 }),
  onExpiry: fc.constantFrom('refuse' as const, 'proceed' as const),
});

describe('a request for approval', () => {
  test('has one decision at the most, of another person than the author, recorded before the workflow goes on', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, limits, async (all, limit) => {
        const world = new ApprovalWorld();
        const attempt = async (calls: number, work: () => Promise<unknown>) => {
          world.callsLeft = calls;
          await work().catch(() => undefined);
          world.callsLeft = Number.POSITIVE_INFINITY;
        };
        for (const one of all) {
          if (one.what === 'time') world.now += one.minutes * 60_000;
          else if (one.what === 'round')
            await attempt(one.calls, () => wait(world.round(), limit, world.dependencies()));
          else {
            const { person, outcome } = one;
            world.signer = { account, arn: arnOf(person) };
            const proof = proofFor(new Date(world.now));
            await attempt(one.calls, () => answer({ requestId, outcome, proof }, world.dependencies()));
          }
        }
        // In the end a round goes through, after the time that is left.
        await wait(world.round(), limit, world.dependencies());
        world.now += limit.minutes * 60_000;
        await wait(world.round(), limit, world.dependencies());

        const { decided, items } = world.store;
        expect(decided).toHaveLength(1);
        const [decision] = decided;
        if (decision === undefined) throw new Error('no decision');
        if (decision.outcome !== 'expired') {
          expect(samePerson({ arn: decision.by.arn ?? '', name: decision.by.name }, author)).toBe(false);
        }
        const word = { granted: 'Granted', refused: 'Refused', expired: 'Expired' }[decision.outcome];
        const recorded = world.recorded();
        expect(recorded.filter((type) => /Granted|Refused|Expired/.test(type))).toEqual([`Approval ${word}`]);
        expect(recorded[0]).toBe('Approval Requested');
        expect(recorded.filter((type) => type === 'Approval Escalated').length).toBeLessThanOrEqual(1);
        for (const { detailType, detail } of world.events) {
          expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
          expect(JSON.stringify(detail)).not.toContain('token-');
        }
        expect(world.completed).toEqual([
          expect.objectContaining({
            outcome: decision.outcome,
            proceeds:
              decision.outcome === 'granted' ||
              (decision.outcome === 'expired' && limit.onExpiry === 'proceed'),
          }),
        ]);
        expect(items.size).toBe(1);
      }),
      { numRuns: propertyRuns(300) },
    );
  });
});
