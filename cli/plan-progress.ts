import * as z from 'zod';
import type { Execution } from '../core/operator-ports.ts';
import type { Invocation } from './context.ts';
import { followExecution, type RevocationToFollow } from './revocation-progress.ts';

/** The end of a revocation of several secrets, as far as the caller may see it. Times are in milliseconds after the request. */
export interface PlanEnd {
  readonly outcome: 'proven' | 'open' | 'rejected' | 'unfinished' | 'not started';
  readonly succeeded?: number;
  readonly unproven?: number;
  readonly failed?: number;
  readonly openTasks?: number;
  /** Time at which the last credential was seen to be refused, where all were. */
  readonly timeToContainmentMs?: number;
  readonly completedMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

const conclusionSchema = z.object({
  outcome: z.enum(['proven', 'open']),
  succeeded: z.number(),
  unproven: z.number(),
  failed: z.number(),
  openTasks: z.number(),
  timeToContainmentMs: z.number().optional(),
});

/** Watches the workflow of a revocation of several secrets, whose name is the request's id, until it ends. */
export async function followPlan(invocation: Invocation, plan: RevocationToFollow): Promise<PlanEnd> {
  const followed = await followExecution(invocation, plan);
  if (followed.state === 'rejected') return { outcome: 'rejected', error: followed.error };
  if (followed.state === 'not started') return { outcome: 'not started' };
  if (followed.state === 'unfinished') return { outcome: 'unfinished' };
  const { execution } = followed;
  const completed =
    execution.stopped === undefined
      ? {}
      : { completedMs: Math.max(0, execution.stopped.getTime() - plan.requestedAt.getTime()) };
  return { ...endOf(execution), ...completed };
}

function endOf({ status, output, error }: Execution): PlanEnd {
  const { data } = conclusionSchema.safeParse(output);
  if (status === 'succeeded' && data !== undefined) {
    const { timeToContainmentMs, ...rest } = data;
    return { ...rest, ...(timeToContainmentMs !== undefined && { timeToContainmentMs }) };
  }
  // An execution that fails has no output; what failed stands in its incident.
  if (error?.code === 'RevocationUnproven') return { outcome: 'open', error };
  return error === undefined ? { outcome: 'open' } : { outcome: 'rejected', error };
}
