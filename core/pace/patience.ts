import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError } from '../errors/rekey-error.ts';

/** Function that lets milliseconds pass. */
export type Wait = (ms: number) => Promise<unknown>;

/** The way to wait between two looks. @default really waits */
export interface WithWait {
  readonly wait?: Wait;
}

/**
 * Pauses of three seconds in all. One step can spare that, and it is longer than answers of Secrets Manager are seen to be old.
 */
const pausesMs = [100, 200, 400, 800, 1_600];

/**
 * Looks again, after growing pauses, while an answer may be an old one. "All Secrets Manager operations are eventually
 * consistent": a version that was just made may not be found, and a label may stand where it was a moment ago.
 *
 * @param isSettled - false for an answer that a write not seen yet would explain
 * @returns the first answer that is settled, else the last one
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
 */
export async function lookUntil<T>(
  look: () => Promise<T>,
  isSettled: (answer: T) => boolean,
  wait: Wait = sleep,
): Promise<T> {
  let answer = await look();
  for (const ms of pausesMs) {
    if (isSettled(answer)) return answer;
    await wait(ms);
    answer = await look();
  }
  return answer;
}

/** Pauses of eight seconds in all, beyond those that the SDK has waited for each call. */
const throttlePausesMs = [250, 500, 1_000, 2_000, 4_000];

/**
 * Makes a call again, after growing pauses with jitter, while it is throttled. Requests of one incident come at once, and after a
 * retry of the whole invocation they would come at once again.
 * @see https://docs.aws.amazon.com/prescriptive-guidance/latest/cloud-design-patterns/retry-backoff.html
 */
export async function waitOutThrottles<T>(call: () => Promise<T>, wait: Wait = sleep): Promise<T> {
  for (const ms of throttlePausesMs) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RekeyError) || error.code !== 'Throttled') throw error;
      await wait(ms * (0.5 + Math.random() / 2));
    }
  }
  return await call();
}
