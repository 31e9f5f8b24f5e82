import * as z from 'zod';
import {
  type ApprovalRequest,
  approvalOperations,
  approvalRequestSchema,
  type ExpiryRule,
} from '../../core/approval/request.ts';
import { invite, type Links } from './invite.ts';
import { type SettleDependencies, settle } from './settle.ts';

/** Input of the step of a workflow that waits for a second person. */
export const waitInputSchema = z.object({
  id: z.string(),
  correlationId: z.string(),
  operation: z.enum(approvalOperations),
  subject: z.string(),
  act: z.string(),
  author: approvalRequestSchema.shape.author,
  reason: z.string(),
  /** Token of the step, by which it goes on. */
  taskToken: z.string().min(1),
});
export type WaitInput = z.output<typeof waitInputSchema>;

/** The time that a second person has. */
export interface ApprovalLimits {
  readonly minutes: number;
  /** Minutes after which more people are told. @default - nobody is */
  readonly escalateAfterMinutes?: number;
  readonly onExpiry: ExpiryRule;
}

/** The parts that waiting needs. */
export interface WaitDependencies extends SettleDependencies {
  /** The links that people are sent. @default - nobody is sent one */
  readonly links?: Omit<Links, 'environment' | 'store' | 'clock'>;
}

/**
 * Begins to wait for a second person, or goes on waiting. The step of the workflow ends every minute and comes back here with
 * another token: that is when nobody having answered is told, when the time ends, and what heals an answer that was noted but
 * did not reach the workflow.
 */
export async function wait(
  { taskToken, ...asked }: WaitInput,
  limits: ApprovalLimits,
  dependencies: WaitDependencies,
): Promise<void> {
  const now = dependencies.origin.clock.now().getTime();
  const after = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
  const { minutes, escalateAfterMinutes, onExpiry } = limits;
  const request: ApprovalRequest = {
    ...asked,
    requestedAt: after(0),
    ...(escalateAfterMinutes !== undefined && { escalatesAt: after(escalateAfterMinutes) }),
    expiresAt: after(minutes),
    onExpiry,
  };
  const { store, origin, links } = dependencies;
  const record = await settle(await store.wait(request, taskToken), dependencies);
  if (links !== undefined) {
    await invite(record, { ...links, environment: origin.environment, store, clock: origin.clock });
  }
}
