import * as z from 'zod';
import { identityProofSchema } from '../../core/approval/proof.ts';
import {
  type Answer,
  isExpired,
  isSameAnswer,
  requireMayAnswer,
  stateOf,
} from '../../core/approval/request.ts';
import type { ApprovalRecord } from '../../core/approval/store.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type IdentifyDependencies, identify } from './identify.ts';
import { known, type SettleDependencies, settle } from './settle.ts';

/** An answer as a person gives it with the CLI. */
export const answerInputSchema = z.strictObject({
  requestId: z.string().min(1).max(128),
  outcome: z.enum(['granted', 'refused']),
  reason: z.string().min(1).max(1024).optional(),
  proof: identityProofSchema,
});
export type AnswerInput = z.output<typeof answerInputSchema>;

export interface AnswerDependencies extends SettleDependencies, IdentifyDependencies {
  /** Names of those who may answer; empty for everybody whom a role lets. */
  readonly approvers: readonly string[];
}

/**
 * Takes the answer of a person who proves who they are.
 * @throws RekeyError `IdentityUnproven` | `PersonUnnamed` | `PersonNotPermitted` | `ApprovalUnknown`, and those of {@link decide}
 */
export async function answer(
  { requestId, outcome, reason, proof }: AnswerInput,
  dependencies: AnswerDependencies,
): Promise<ApprovalRecord> {
  const person = await identify(proof, { act: 'answer', requestId, outcome, reason }, dependencies);
  return await decide(
    requestId,
    {
      outcome,
      by: { name: person.name, arn: person.arn },
      way: 'cli',
      ...(reason !== undefined && { reason }),
      at: dependencies.origin.clock.now().toISOString(),
    },
    dependencies,
  );
}

/**
 * Notes an answer, if it is the first, and has the workflow go on. The same answer of the same person once more is the same as
 * once, and mends what the first time left undone.
 * @throws RekeyError `ApproverIsAuthor` | `ApproverNotNamed` | `ApprovalDecided` | `ApprovalExpired`
 */
export async function decide(
  requestId: string,
  given: Answer,
  dependencies: SettleDependencies & Pick<AnswerDependencies, 'approvers'>,
): Promise<ApprovalRecord> {
  const { store, origin, approvers } = dependencies;
  const found = await known(store, requestId);
  requireMayAnswer(found.request, { arn: given.by.arn ?? '', name: given.by.name }, approvers);
  const waits = found.decision === undefined && !isExpired(found.request, origin.clock.now());
  const written = waits ? await store.decide(requestId, given) : undefined;
  const settled = await settle(written ?? (await known(store, requestId)), dependencies);
  if (settled.decision !== undefined && isSameAnswer(settled.decision, given)) return settled;
  throw settled.decision?.outcome === 'expired'
    ? new RekeyError(
        'ApprovalExpired',
        `the time to answer ${requestId} ended at ${settled.request.expiresAt}; it was ${settled.request.onExpiry === 'proceed' ? 'done without an answer' : 'not done'}`,
      )
    : new RekeyError(
        'ApprovalDecided',
        `${requestId} is ${stateOf(settled.decision)} already${settled.decision === undefined ? '' : `, by ${settled.decision.by.name}`}; the first answer counts`,
      );
}
