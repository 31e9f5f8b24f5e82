import * as z from 'zod';
import { approvalOutcomeSchema } from '../../core/approval/request.ts';
import { type PlanInput, planInputSchema } from '../../core/deployed/revocation-state.ts';
import { plannedRequestId } from '../../core/deployed/revocation-token.ts';
import { type ErrorSummary, errorSummary } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import { allTasks, unreachableTask } from '../../core/revocation/members.ts';
import { type PlannedMember, type PlannedTask, withId } from '../../core/revocation/plan.ts';
import type { OutcomeStore } from '../../core/revocation/ports.ts';
import { type AnnounceDependencies, planEvents, readPlan, taskEvents } from './announce-plan.ts';
import { endText, hasPart, type MemberEnd, memberEndOf } from './members.ts';
import { stepFailure, stepFailureSchema, withoutApproval } from './step-failure.ts';

export interface ConcludeDependencies extends AnnounceDependencies {
  readonly outcomes: Pick<OutcomeStore, 'list'>;
}

/** State of the workflow when it ended. */
const concludedSchema = planInputSchema.extend({
  approved: approvalOutcomeSchema.optional(),
  planFailure: stepFailureSchema.optional(),
  approvalFailure: stepFailureSchema.optional(),
});

/** The end of a revocation of several secrets; the workflow ends accordingly. */
export type Conclusion =
  | {
      /** `proven`: all were seen to be refused, and nothing is left to people. `open`: a person must act. */
      readonly outcome: 'proven' | 'open';
      readonly succeeded: number;
      readonly unproven: number;
      readonly failed: number;
      readonly openTasks: number;
      /** Milliseconds from the request to the last refusal, where all were refused. */
      readonly timeToContainmentMs?: number;
    }
  | { readonly outcome: 'rejected'; readonly error: string; readonly cause: string };

/**
 * Publishes how a revocation of several secrets ended. A secret of the plan without an outcome has failed: nothing that was
 * planned is left out of the count.
 *
 * @param input the workflow's last state, or Step Functions' event about an execution that ended early
 */
export async function conclude(input: unknown, dependencies: ConcludeDependencies): Promise<Conclusion> {
  const { given, endedEarly } = stateOf(input);
  const state = concludedSchema.parse(given);
  const refusal = state.planFailure === undefined ? undefined : stepFailure(state.planFailure);
  const { bus, origin, plans, outcomes } = dependencies;
  const { requestId, correlationId, requestedAt } = state;
  const plan = refusal === undefined ? await readPlan(state, plans) : undefined;
  // Of one that ended early only the input is known; what was done stands in the outcomes.
  const unapproved = endedEarly ? undefined : withoutApproval(state);
  if (plan === undefined || refusal !== undefined || unapproved !== undefined) {
    return await reject(state, refusal ?? unapproved ?? noPlan(requestId), dependencies);
  }
  const { secrets } = plan;
  const parts = (plan.elsewhere?.members ?? []).filter((part) => hasPart(part, state.request));
  const ends = await Promise.all(parts.map(async (part) => await memberEndOf(state, part, plans)));
  const tasks = [...allTasks(plan), ...ends.flatMap(memberTask)];
  // What could not be asked at first, and was done all the same, is left to nobody.
  const done = parts.flatMap((part, index) => doneTask(part, ends[index]));
  const noted = await outcomes.list(requestId);
  const byName = new Map(noted.map((outcome) => [outcome.secretName, outcome]));
  const lost = secrets.filter(({ name }) => !byName.has(name));
  const of = secrets.map(({ name }) => byName.get(name));
  const count = (wanted: string) => of.filter((outcome) => outcome?.outcome === wanted).length;
  const [succeeded, unproven] = [count('succeeded'), count('unproven')];
  const sum = (of: (end: MemberEnd) => number) => ends.reduce((all, end) => all + of(end), 0);
  const counts = {
    succeeded: succeeded + sum((end) => end.succeeded),
    unproven: unproven + sum((end) => end.unproven),
    failed: secrets.length - succeeded - unproven + sum((end) => end.failed),
    openTasks: tasks.length - done.length,
  };
  const told = [...of, ...ends.flatMap((end) => end.secrets)];
  const refusals = told.flatMap((outcome) => outcome?.refusedAt ?? []).toSorted();
  const whole = told.length + ends.filter(({ outcome }) => !isSettled(outcome)).length;
  const containedAt = refusals.length === whole ? refusals.at(-1) : undefined;
  const outcome = succeeded === secrets.length && counts.openTasks === 0 ? 'proven' : 'open';
  const links = { correlationId, causationId: requestId };
  await bus.publish([
    // The announcement goes beside the steps, and may have been lost: tasks that nobody hears of are done by nobody.
    ...planEvents(state, plan, origin),
    ...ends.flatMap((end) => [
      ...taskEvents(state, memberTask(end), origin),
      createEvent(
        origin,
        'Revocation Member Concluded',
        { requestId, ...end },
        { ...links, fact: `${requestId} ${end.member}` },
      ),
    ]),
    ...done.map(({ id }) =>
      createEvent(
        origin,
        'Revocation Task Done',
        {
          requestId,
          taskId: id,
          note: 'it was reached later, and its part concluded',
          claimedActor: origin.actor,
        },
        { ...links, fact: `${requestId} ${id}` },
      ),
    ),
    ...lost.map(({ arn, name }) => {
      const own = plannedRequestId(requestId, arn);
      return createEvent(
        origin,
        'Secret Revocation Failed',
        {
          requestId: own,
          partOf: requestId,
          secretArn: arn,
          secretName: name,
          stage: 'workflow',
          error: errorSummary(
            'WorkflowEnded',
            `nothing tells how the revocation of ${name} ended; repeat it`,
          ),
        },
        { ...links, fact: own },
      );
    }),
    createEvent(
      origin,
      'Revocation Concluded',
      {
        requestId,
        outcome,
        ...counts,
        requestedAt,
        ...(containedAt !== undefined && { containedAt }),
        completedAt: origin.clock.now().toISOString(),
      },
      { ...links, fact: requestId },
    ),
  ]);
  return {
    outcome,
    ...counts,
    ...(containedAt !== undefined && {
      timeToContainmentMs: Math.max(0, Date.parse(containedAt) - Date.parse(requestedAt)),
    }),
  };
}

/** Tells whether the end of a member's part leaves nothing to anybody. */
const isSettled = (outcome: MemberEnd['outcome']): boolean => outcome === 'proven' || outcome === 'none';

/** Makes the task of a part that left something open, which keeps the coordinator's incident open, too. */
const memberTask = (end: MemberEnd): PlannedTask[] =>
  isSettled(end.outcome)
    ? []
    : [
        withId({
          task: `Look after ${end.environment} in ${end.account}, ${end.region}, with rekey incident show ${end.memberRequestId} there: its part ended as ${endText(end)}.`,
          via: end.member,
        }),
      ];

/** Finds the task of a member that could not be asked, where its part concluded all the same. */
function doneTask(part: PlannedMember, end: MemberEnd | undefined): PlannedTask[] {
  const task = unreachableTask(part);
  // One that was reached, and left something open, has a task of its own for that.
  const heard = end !== undefined && end.outcome !== 'unreachable' && end.outcome !== 'unfinished';
  return task !== undefined && heard ? [task] : [];
}

const noPlan = (requestId: string): ErrorSummary =>
  errorSummary(
    'WorkflowEnded',
    `the workflow of ${requestId} ended before it had a plan; nothing was done: send the request again`,
  );

async function reject(
  { requestId, correlationId }: PlanInput,
  error: ErrorSummary,
  { bus, origin }: ConcludeDependencies,
): Promise<Conclusion> {
  await bus.publish([
    createEvent(
      origin,
      'Secret Revocation Rejected',
      { requestId, requestSource: 'rekey.revocation', error },
      { correlationId, causationId: requestId, fact: `${requestId} ${error.code}` },
    ),
  ]);
  return { outcome: 'rejected', error: error.code, cause: error.message };
}

const changeSchema = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({ input: z.string() }),
});

/** Gives the state of an execution; of one that ended early, its input. */
function stateOf(input: unknown): { readonly given: unknown; readonly endedEarly: boolean } {
  const change = changeSchema.safeParse(input);
  return change.success
    ? { given: JSON.parse(change.data.detail.input), endedEarly: true }
    : { given: input, endedEarly: false };
}
