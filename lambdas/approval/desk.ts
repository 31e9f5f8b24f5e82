import * as z from 'zod';
import { identityProofSchema } from '../../core/approval/proof.ts';
import { stateOf } from '../../core/approval/request.ts';
import type { ApprovalRecord, ApprovalStore, ApprovalSummary } from '../../core/approval/store.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type IdentifyDependencies, identify } from './identify.ts';
import { known } from './settle.ts';

/** A question, or the note of who asks for something. */
export const deskInputSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('list') }),
  z.strictObject({ action: z.literal('show'), requestId: z.string().min(1).max(128) }),
  z.strictObject({
    action: z.literal('ask'),
    requestId: z.uuid(),
    /** SHA-256 of what is asked for. */
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    proof: identityProofSchema,
  }),
]);
export type DeskInput = z.output<typeof deskInputSchema>;

export interface DeskDependencies extends IdentifyDependencies {
  readonly store: ApprovalStore;
  /** Names of those who may answer; empty for everybody whom a role lets. */
  readonly approvers: readonly string[];
}

/** Answer of the desk: requests, or the person who was noted. */
export type DeskAnswer =
  | { readonly requests: readonly ApprovalSummary[] }
  | { readonly author: { readonly name: string; readonly arn: string } };

/** Time for which the note of who asks is kept: longer than a request may be old. */
const keptMs = 8 * 86_400_000;

/**
 * Shows requests, and notes who asks for one before it is sent. The note is what makes its author known later: what an event
 * says of who sent it is a claim.
 * @throws RekeyError `ApprovalUnknown` | `AuthorConflict`, and those of {@link identify}
 */
export async function serve(input: DeskInput, dependencies: DeskDependencies): Promise<DeskAnswer> {
  const { store, approvers, clock } = dependencies;
  if (input.action === 'list') {
    const records = await store.list();
    const requests = records
      .map((record) => summaryOf(record, approvers))
      .sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
    return { requests };
  }
  if (input.action === 'show') {
    return { requests: [summaryOf(await known(store, input.requestId), approvers)] };
  }
  const { requestId, digest, proof } = input;
  const person = await identify(proof, { act: 'ask', requestId, digest }, dependencies);
  const noted = await store.noteAuthor(
    requestId,
    { person, digest },
    new Date(clock.now().getTime() + keptMs),
  );
  if (noted.digest !== digest || noted.person.arn !== person.arn) {
    throw new RekeyError(
      'AuthorConflict',
      `the id ${requestId} is of another request, or of somebody else; send this one with an id of its own`,
    );
  }
  return { author: { name: person.name, arn: person.arn } };
}

/** Sums a request up for people. The workflow's token stays out. */
export function summaryOf(
  { request, decision }: ApprovalRecord,
  approvers: readonly string[],
): ApprovalSummary {
  const { id, operation, subject, act, author, reason, requestedAt, escalatesAt, expiresAt, onExpiry } =
    request;
  return {
    id,
    operation,
    subject,
    act,
    author: author.arn,
    reason,
    state: stateOf(decision),
    requestedAt,
    ...(escalatesAt !== undefined && { escalatesAt }),
    expiresAt,
    onExpiry,
    approvers,
    ...(decision !== undefined && { decision }),
  };
}
