import * as z from 'zod';
import { type FinalState, finalStateSchema } from '../../core/deployed/revocation-state.ts';
import { type ErrorSummary, errorSummary } from '../../core/errors/rekey-error.ts';
import type { AnyEvent } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import type { EventBus } from '../../core/ports.ts';
import type { OutcomeStore, SecretOutcome } from '../../core/revocation/ports.ts';
import { stepFailure, withoutApproval } from './step-failure.ts';

export interface ReportDependencies {
  readonly bus: EventBus;
  readonly origin: EventOrigin;
  /** Store of the outcomes for secrets of plans. @default - nowhere */
  readonly outcomes?: Pick<OutcomeStore, 'note'> | undefined;
}

/** The end of a revocation; the workflow ends accordingly. */
export type Report =
  | {
      readonly outcome: 'succeeded';
      /** Milliseconds from the request to the target's refusal. */
      readonly timeToRefusalMs: number;
      /** The version that replaced the leaked ones. */
      readonly newVersionId: string;
      /** Sessions of the leaked credentials that were ended at the target, in all containments together. */
      readonly sessionsEnded: number;
    }
  | {
      /** The credential was replaced, and nothing that Rekey can reach could say whether the leaked one is refused. */
      readonly outcome: 'unproven';
      readonly newVersionId: string;
      readonly sessionsEnded: number;
      /** Text on what a person must see to now. */
      readonly note: string;
    }
  | { readonly outcome: 'failed'; readonly stage: string; readonly error: string; readonly cause: string };

/**
 * Event of Step Functions about an execution that ended without its report: it timed out or was aborted.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
const statusChangeSchema = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({ status: z.string(), input: z.string() }),
});

interface Failure {
  readonly outcome: 'failed';
  readonly stage: string;
  readonly error: ErrorSummary;
}

/** Results of a workflow that went through. */
type Success = { readonly outcome: 'done' } & {
  [Key in 'rotated' | 'swept' | 'verified']: NonNullable<FinalState[Key]>;
};

/**
 * Publishes how a revocation ended: succeeded, unproven or failed. It succeeded when the proof was given and the last containment
 * went through. It is unproven when all went through, but nothing that Rekey can reach accepts or refuses the credentials.
 * Otherwise it failed, with the stage and the error.
 *
 * @param input the workflow's last state, or Step Functions' event about an execution that ended without a report
 */
export async function report(input: unknown, dependencies: ReportDependencies): Promise<Report> {
  const { bus, origin, outcomes } = dependencies;
  const change = statusChangeSchema.safeParse(input);
  const state = finalStateSchema.parse(change.success ? JSON.parse(change.data.detail.input) : input);
  const result = change.success ? endedEarly(change.data.detail.status) : judge(state);
  const { requestId, correlationId, secretArn, secretName, requestedAt, partOf } = state;
  const subject = { requestId, secretArn, secretName, ...(partOf !== undefined && { partOf }) };
  const note = async (outcome: Omit<SecretOutcome, 'secretName'>) => {
    if (partOf !== undefined) await outcomes?.note(partOf, { secretName, ...outcome });
  };
  const links = { correlationId, causationId: requestId, fact: requestId };
  const publish = (event: AnyEvent) => bus.publish([event]);
  if (result.outcome === 'failed') {
    const { stage, error } = result;
    await publish(createEvent(origin, 'Secret Revocation Failed', { ...subject, stage, error }, links));
    await note({ outcome: 'failed', error: error.code });
    return { outcome: 'failed', stage, error: error.code, cause: `${stage}: ${error.message}` };
  }
  const { rotated, swept, verified } = result;
  const { verifications, unavailableVersions, current } = verified;
  const containments = [...(state.contained?.containments ?? []), ...swept.containments];
  const done = {
    ...subject,
    newVersionId: rotated.newVersionId,
    containments,
    verifications,
    ...(unavailableVersions.length !== 0 && { unavailableVersions }),
    requestedAt,
    completedAt: origin.clock.now().toISOString(),
  };
  const figures = {
    newVersionId: rotated.newVersionId,
    sessionsEnded: containments.reduce((sum, { sessionsEnded }) => sum + sessionsEnded, 0),
  };
  if (verified.refusedAt === undefined || current !== 'accepted') {
    const { consumers, owner } = state;
    const task = whatRemains(state, verified);
    const whom = { consumers, ...(owner !== undefined && { owner }) };
    await publish(
      createEvent(origin, 'Secret Revocation Unproven', { ...done, current, note: task, ...whom }, links),
    );
    await note({ outcome: 'unproven' });
    return { outcome: 'unproven', ...figures, note: task };
  }
  const refusedAt = state.contained?.refusedAt ?? verified.refusedAt;
  await publish(createEvent(origin, 'Secret Revocation Succeeded', { ...done, refusedAt }, links));
  await note({ outcome: 'succeeded', refusedAt });
  return {
    outcome: 'succeeded',
    timeToRefusalMs: Math.max(0, Date.parse(refusedAt) - Date.parse(requestedAt)),
    ...figures,
  };
}

/**
 * Says what is left to a person. It names who decides about the credential, as its type says, and whom to ask, as its definition
 * says.
 */
function whatRemains(
  { consumers, owner }: FinalState,
  verified: NonNullable<FinalState['verified']>,
): string {
  const notes = [...verified.verifications.map(({ note }) => note), verified.note];
  const decides = [...new Set(notes.filter((note) => note !== undefined))].join('; ');
  const reads = consumers.length === 0 ? 'no consumers are declared' : `consumers: ${consumers.join(', ')}`;
  return [
    decides === '' ? 'nothing that Rekey can reach accepts or refuses it' : decides,
    reads,
    ...(owner === undefined ? [] : [`owner: ${owner}`]),
  ].join('; ');
}

/** Judges the last state by its results. The first containment may fail: the one after the rotation makes up for it. */
function judge(state: FinalState): Failure | Success {
  const unapproved = withoutApproval(state);
  if (unapproved !== undefined) return { outcome: 'failed', stage: 'approval', error: unapproved };
  const { rotateFailure, sweepFailure, verifyFailure, rotated, swept, verified } = state;
  if (rotated === undefined) {
    return { outcome: 'failed', stage: 'rotate', error: stepFailure(rotateFailure) };
  }
  if (verified === undefined) {
    // The step that rotates is also where a function that is gone is looked up again.
    return { outcome: 'failed', stage: 'verify', error: stepFailure(rotateFailure ?? verifyFailure) };
  }
  if (swept === undefined) {
    return { outcome: 'failed', stage: 'contain', error: stepFailure(sweepFailure) };
  }
  return { outcome: 'done', rotated, swept, verified };
}

function endedEarly(status: string): Failure {
  return {
    outcome: 'failed',
    stage: 'workflow',
    error: errorSummary(
      'WorkflowEnded',
      `the workflow ended with the status ${status} before it was done; repeat the revocation`,
    ),
  };
}
