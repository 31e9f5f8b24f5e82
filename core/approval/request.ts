import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';
import { type Person, samePerson } from './person.ts';

/** Operations that may wait for a second person. */
export const approvalOperations = ['revocation', 'promotion', 'restore', 'resume'] as const;
export type ApprovalOperation = (typeof approvalOperations)[number];

/** Ends of the time limit: the operation is given up, or goes on without an answer. */
export const expiryRules = ['refuse', 'proceed'] as const;
export type ExpiryRule = (typeof expiryRules)[number];

/** Ways in which a person answers. */
export const answerWays = ['cli', 'link'] as const;
export type AnswerWay = (typeof answerWays)[number];

const personSchema = z.object({
  arn: z.string().min(1).max(2048),
  account: z.string(),
  name: z.string().min(1).max(128),
  role: z.string().optional(),
});

/** An operation that waits for a second person, as it was asked for. It never changes. */
export const approvalRequestSchema = z.object({
  /** Id of the request that waits; of a revocation, `metadata.id`. */
  id: z.string().min(1).max(128),
  correlationId: z.string().min(1).max(256),
  operation: z.enum(approvalOperations),
  /** Name of the thing that the operation is about; of a revocation, the secret. */
  subject: z.string().min(1).max(2048),
  /** The deed as a person reads it, `replace` for example. */
  act: z.string().min(1).max(128),
  author: personSchema,
  reason: z.string().min(1).max(1024),
  requestedAt: z.iso.datetime(),
  /** Time at which more people are told that nobody has answered. @default - no more are told */
  escalatesAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime(),
  onExpiry: z.enum(expiryRules),
});
export type ApprovalRequest = z.output<typeof approvalRequestSchema>;

/** The one decision on a request. */
export const decisionSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.enum(['granted', 'refused']),
    by: z.object({ name: z.string().min(1).max(256), arn: z.string().max(2048).optional() }),
    way: z.enum(answerWays),
    reason: z.string().min(1).max(1024).optional(),
    at: z.iso.datetime(),
  }),
  z.object({ outcome: z.literal('expired'), at: z.iso.datetime() }),
]);
export type Decision = z.output<typeof decisionSchema>;
export type Answer = Extract<Decision, { readonly by: object }>;

/** Tells whether a request's time has run out. */
export const isExpired = ({ expiresAt }: ApprovalRequest, now: Date): boolean =>
  now.getTime() >= Date.parse(expiresAt);

/** Tells whether the time has come to tell more people that nobody has answered. */
export const isOverdue = ({ escalatesAt }: ApprovalRequest, now: Date): boolean =>
  escalatesAt !== undefined && now.getTime() >= Date.parse(escalatesAt);

/** State of a request, as people are shown it. */
export type ApprovalState = 'waiting' | Decision['outcome'];
export const stateOf = (decision: Decision | undefined): ApprovalState => decision?.outcome ?? 'waiting';

/**
 * Refuses an answer of somebody who may not give it.
 * @param approvers - names of those who may; empty for everybody who is let in at all
 * @throws RekeyError `ApproverIsAuthor` | `ApproverNotNamed`
 */
export function requireMayAnswer(
  { id, author }: ApprovalRequest,
  approver: Pick<Person, 'arn' | 'name'>,
  approvers: readonly string[],
): void {
  if (samePerson(author, approver)) {
    throw new RekeyError(
      'ApproverIsAuthor',
      `${approver.name} asked for ${id} and cannot answer it: another person must`,
    );
  }
  if (approvers.length > 0 && !approvers.some((name) => name.toLowerCase() === approver.name.toLowerCase())) {
    throw new RekeyError(
      'ApproverNotNamed',
      `${approver.name} is none of those who may answer: ${approvers.join(', ')}`,
    );
  }
}

/** Tells whether a decision is the answer that somebody gives once more. */
export const isSameAnswer = (decision: Decision, answer: Answer): boolean =>
  decision.outcome === answer.outcome &&
  decision.by.name.toLowerCase() === answer.by.name.toLowerCase() &&
  decision.way === answer.way;

/** The end of the wait, as the workflow goes on with it. */
export const approvalOutcomeSchema = z.object({
  outcome: z.enum(['granted', 'refused', 'expired']),
  /** True where the operation goes on. */
  proceeds: z.boolean(),
  /** Person who answered. */
  by: z.string().optional(),
  reason: z.string().optional(),
});
export type ApprovalOutcome = z.output<typeof approvalOutcomeSchema>;

/** Says how an operation goes on after a decision. */
export function outcomeOf({ onExpiry }: ApprovalRequest, decision: Decision): ApprovalOutcome {
  if (decision.outcome === 'expired') return { outcome: 'expired', proceeds: onExpiry === 'proceed' };
  const { outcome, by, reason } = decision;
  return {
    outcome,
    proceeds: outcome === 'granted',
    by: by.name,
    ...(reason !== undefined && { reason }),
  };
}
