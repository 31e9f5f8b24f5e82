import * as z from 'zod';
import { SecretError, summarizeError } from '../../core/errors/rekey-error.ts';
import type { Clock, RotationControl } from '../../core/ports.ts';

/** Longest wait for a rotation that is under way, and the pause between two looks at it, in milliseconds. */
const patienceMs = 60_000;
const pauseMs = 1_000;

/**
 * Event that CloudFormation sends to the function behind a custom resource.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
 */
export const lifeCycleEventSchema = z.looseObject({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string().min(1),
  RequestId: z.string().min(1),
  LogicalResourceId: z.string().min(1),
  PhysicalResourceId: z.string().min(1).optional(),
  ResourceProperties: z.looseObject({
    SecretId: z.string().min(1),
    /** Keeps a secret from rotating that is created with it; without it the creation rotates. */
    Rotate: z.literal('never').optional(),
  }),
});
export type LifeCycleEvent = z.output<typeof lifeCycleEventSchema>;

/** The answer that CloudFormation waits for, as it is put to the event's `ResponseURL`. */
export interface LifeCycleAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
}

export interface FirstRotationDependencies {
  readonly rotation: Pick<RotationControl, 'rotate'>;
  readonly clock: Clock;
  /** Waits so many milliseconds. */
  pause(ms: number): Promise<void>;
}

/**
 * Starts the first rotation of a secret when its stack is created. Any later change starts none, also a change of whether it
 * shall rotate.
 *
 * CloudFormation's own property `RotateImmediatelyOnUpdate` would rotate at each change of the schedule as well, and a deploy
 * must not change a credential that is in use. Setting up a schedule tests it with a pending version. While that is there a
 * rotation is refused, so a refusal is tried again. A rotation that goes on is as good.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
export async function answerLifeCycle(
  event: LifeCycleEvent,
  dependencies: FirstRotationDependencies,
): Promise<LifeCycleAnswer> {
  const { RequestType, StackId, RequestId, LogicalResourceId, ResourceProperties } = event;
  const { SecretId, Rotate } = ResourceProperties;
  const same = {
    // The same at every update, so that CloudFormation replaces nothing.
    PhysicalResourceId: event.PhysicalResourceId ?? `first-rotation-of-${SecretId}`,
    StackId,
    RequestId,
    LogicalResourceId,
  };
  if (RequestType !== 'Create' || Rotate === 'never') return { Status: 'SUCCESS', ...same };
  try {
    await startRotation(SecretId, RequestId, dependencies);
    return { Status: 'SUCCESS', ...same };
  } catch (error) {
    const { code, message } = summarizeError(error);
    return { Status: 'FAILED', Reason: `${code}: ${message}`.slice(0, 1_000), ...same };
  }
}

async function startRotation(
  secretId: string,
  token: string,
  { rotation, clock, pause }: FirstRotationDependencies,
): Promise<void> {
  const deadline = clock.now().getTime() + patienceMs;
  for (;;) {
    const late = clock.now().getTime() >= deadline;
    try {
      if ((await rotation.rotate(secretId, token)) === 'started' || late) return;
    } catch (error) {
      // The schedule was set up a moment ago, and Secrets Manager may still answer without it.
      if (late || !(error instanceof SecretError) || error.code !== 'RotationDisabled') throw error;
    }
    await pause(pauseMs);
  }
}
