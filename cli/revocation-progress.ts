import type { ReportedError } from '../core/errors/rekey-error.ts';
import type { Execution, ExecutionStage } from '../core/operator-ports.ts';
import type { Invocation } from './context.ts';
import { explain } from './failure.ts';
import { rejectionOf } from './function-log.ts';
import { formatDuration } from './time.ts';

/**
 * The end of a revocation, as far as the caller may see it. Times are in milliseconds after the request. `unproven`: the
 * credential was replaced, but Rekey could not try whether the leaked one is refused.
 */
export interface Revocation {
  /**
   * Outcome as the caller sees it. `not started`: no execution appeared. The request was lost, or was rejected out of the
   * caller's sight.
   */
  readonly outcome: 'succeeded' | 'unproven' | 'failed' | 'rejected' | 'unfinished' | 'not started';
  readonly startedMs?: number;
  /** Time at which the target was first seen to refuse every revoked credential. */
  readonly refusedMs?: number;
  readonly completedMs?: number;
  readonly newVersionId?: string;
  readonly sessionsEnded?: number;
  /** Text on who must refuse the leaked credential, and whom to ask; for `unproven`. */
  readonly note?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly stages: readonly ExecutionStage[];
}

export interface RevocationToFollow {
  readonly workflowArn: string;
  readonly requestId: string;
  readonly requestedAt: Date;
  readonly timeoutMs: number;
  /** Log group in which the intake notes rejections, if that is known. */
  readonly intakeLogGroup?: string;
  /** Says what a stage is doing, where its name says too little. It is asked whenever the stage is looked at. */
  readonly describe?: (stage: string) => Promise<string | undefined>;
}

/** Milliseconds after which a request that nobody took up is lost. EventBridge delivers within a second or so. */
const pickUpMs = 60_000;
const pollMs = 500;
const rejectionPollMs = 1_000;

/** The point up to which an execution could be followed. */
export type Followed =
  | { readonly state: 'ended'; readonly execution: Execution; readonly stages: readonly ExecutionStage[] }
  | {
      readonly state: 'unfinished';
      readonly execution?: Execution;
      readonly stages: readonly ExecutionStage[];
    }
  | { readonly state: 'rejected'; readonly error: ReportedError }
  | { readonly state: 'not started' };

/** Watches the execution of the revocation workflow, whose name is the request's id, until it ends. */
export async function followRevocation(
  invocation: Invocation,
  revocation: RevocationToFollow,
): Promise<Revocation> {
  const { requestedAt } = revocation;
  const after = (time: Date) => Math.max(0, time.getTime() - requestedAt.getTime());
  const followed = await followExecution(invocation, revocation);
  switch (followed.state) {
    case 'ended':
      return ended(followed.execution, followed.stages, after);
    case 'rejected':
      return { outcome: 'rejected', error: followed.error, stages: [] };
    case 'not started':
      return { outcome: 'not started', stages: [] };
    case 'unfinished': {
      const { execution, stages } = followed;
      return {
        outcome: 'unfinished',
        ...(execution !== undefined && { startedMs: after(execution.started) }),
        stages,
      };
    }
  }
}

/** Watches an execution until it ends or the time is up, and shows where it is. Its name is the request's id. */
export async function followExecution(
  { cloud, context, output }: Invocation,
  { workflowArn, requestId, requestedAt, timeoutMs, intakeLogGroup, describe }: RevocationToFollow,
): Promise<Followed> {
  const workflows = await cloud.workflows();
  const after = (time: Date) => Math.max(0, time.getTime() - requestedAt.getTime());
  let stagesReadable = true;
  const stages = async (): Promise<readonly ExecutionStage[]> => {
    try {
      return stagesReadable ? joined(await workflows.stages(workflowArn, requestId)) : [];
    } catch (error) {
      if (explain(error).code !== 'AccessDenied') throw error;
      stagesReadable = false;
      return [];
    }
  };
  let lookedAtMs = 0;
  // Once a second; without the permission, or when the log does not answer, a rejection looks like silence.
  const rejection = async (elapsed: number): Promise<ReportedError | undefined> => {
    if (intakeLogGroup === undefined || elapsed - lookedAtMs < rejectionPollMs) {
      return undefined;
    }
    lookedAtMs = elapsed;
    return await rejectionOf(cloud, intakeLogGroup, requestId, requestedAt).catch(() => undefined);
  };
  for (;;) {
    const execution = await workflows.execution(workflowArn, requestId);
    const elapsed = after(context.clock.now());
    if (execution !== undefined && execution.status !== 'running') {
      return { state: 'ended', execution, stages: await stages() };
    }
    const error = execution === undefined ? await rejection(elapsed) : undefined;
    if (error !== undefined) return { state: 'rejected', error };
    if (elapsed >= timeoutMs || context.signal.aborted || (execution === undefined && elapsed >= pickUpMs)) {
      if (execution !== undefined) return { state: 'unfinished', execution, stages: await stages() };
      return context.signal.aborted ? { state: 'unfinished', stages: [] } : { state: 'not started' };
    }
    const now =
      execution === undefined ? 'waiting for the workflow' : ((await stages()).at(-1)?.name ?? 'working');
    output.progress(`revoking: ${(await describe?.(now)) ?? now}, ${formatDuration(elapsed)}`);
    await context.sleep(pollMs);
  }
}

/** Joins rounds of one stage: a stage that waits for a person comes back each minute. */
function joined(stages: readonly ExecutionStage[]): readonly ExecutionStage[] {
  const all: ExecutionStage[] = [];
  for (const stage of stages) {
    const before = all.at(-1);
    if (before?.name !== stage.name) all.push(stage);
    else {
      const { left: _, ...rest } = before;
      all[all.length - 1] = { ...rest, ...(stage.left !== undefined && { left: stage.left }) };
    }
  }
  return all;
}

function ended(
  execution: Execution,
  stages: readonly ExecutionStage[],
  after: (time: Date) => number,
): Revocation {
  const times = {
    startedMs: after(execution.started),
    ...(execution.stopped !== undefined && { completedMs: after(execution.stopped) }),
    stages,
  };
  if (execution.status === 'succeeded') {
    return { ...times, ...readOutput(execution.output) };
  }
  const error = execution.error ?? {
    code: 'WorkflowEnded',
    message: `the workflow ${execution.status}; rekey audit tail shows the stage`,
  };
  return { outcome: 'failed', ...times, error };
}

interface WorkflowOutput {
  readonly outcome: 'succeeded' | 'unproven';
  readonly note?: string;
  readonly refusedMs?: number;
  readonly newVersionId?: string;
  readonly sessionsEnded?: number;
}

/** Reads what the workflow's report returns, and leaves out parts that are missing. */
function readOutput(output: unknown): WorkflowOutput {
  if (typeof output !== 'object' || output === null) {
    return { outcome: 'succeeded' };
  }
  const { outcome, note, timeToRefusalMs, newVersionId, sessionsEnded } = output as Readonly<
    Record<string, unknown>
  >;
  return {
    outcome: outcome === 'unproven' ? 'unproven' : 'succeeded',
    ...(typeof note === 'string' && { note }),
    ...(typeof timeToRefusalMs === 'number' && { refusedMs: timeToRefusalMs }),
    ...(typeof newVersionId === 'string' && { newVersionId }),
    ...(typeof sessionsEnded === 'number' && { sessionsEnded }),
  };
}
