import { rotationBucket } from '../../core/deployed/pace.ts';
import type { LaterTurn } from '../../core/deployed/revocation-state.ts';
import type { ErrorCode } from '../../core/errors/codes.ts';
import { summarizeError } from '../../core/errors/rekey-error.ts';
import type { Wait } from '../../core/pace/patience.ts';
import { type Pace, type TokenBucket, type Turn, takeOrGo } from '../../core/pace/token-bucket.ts';
import type { Clock } from '../../core/ports.ts';

/** The pace of rotations, and where their starts come from. */
export interface Pacing {
  readonly bucket: TokenBucket;
  readonly pace: Pace;
  /** Notes that a start was given without the bucket. */
  readonly onFailure?: (code: ErrorCode) => void;
}

/** Longest wait within the function, in milliseconds. A longer one costs nothing in a state of the workflow. */
const shortWaitMs = 3_000;

/** Longest wait in all, in milliseconds. No plan fills its bucket that far ahead, and a number gone wrong stops no emergency. */
const longestWaitMs = 60 * 60 * 1_000;

/**
 * Takes a start of the bucket. Where the bucket fails in whatever way, the start is at once.
 * @returns the time of the start, in milliseconds since 1970
 */
export async function takeTurn({ bucket, pace, onFailure }: Pacing, clock: Clock): Promise<number> {
  const now = clock.now();
  const { waitMs, without } = await takeOrGo(() => bucket.take(rotationBucket, pace, now)).catch(
    (error: unknown): Turn => ({ waitMs: 0, without: summarizeError(error).code }),
  );
  if (without !== undefined) onFailure?.(without);
  return now.getTime() + Math.min(waitMs, longestWaitMs);
}

/**
 * Waits for the turn of a rotation, if that is moments away.
 * @param kept - time of a start that was taken before. @default - one is taken
 * @returns the turn to come back for; undefined when it has come
 */
export async function awaitTurn(
  kept: string | undefined,
  pacing: Pacing,
  { clock, wait }: { readonly clock: Clock; readonly wait: Wait },
): Promise<Omit<LaterTurn, 'lookups'> | undefined> {
  const turnMs = kept === undefined ? await takeTurn(pacing, clock) : Date.parse(kept);
  const waitMs = turnMs - clock.now().getTime();
  if (waitMs > shortWaitMs) {
    return { waitSeconds: Math.ceil(waitMs / 1_000), turnAt: new Date(turnMs).toISOString() };
  }
  if (waitMs > 0) await wait(waitMs);
  return undefined;
}
