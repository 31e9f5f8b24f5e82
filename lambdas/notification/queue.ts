import { summarizeError } from '../../core/errors/rekey-error.ts';
import type { NotifierContext } from './context.ts';
import { notify } from './notify.ts';

/** A message of the queue, as Lambda hands it over. */
export interface QueuedEvent {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

/** The ways of a batch besides its own work. */
export interface QueueWays {
  /** Has the queue show a message again after some time. */
  readonly delay: (receiptHandle: string, seconds: number) => Promise<void>;
  /** Counts an attempt that failed; `isLasting` where somebody must mend it first. */
  readonly failed: (failure: { readonly isLasting: boolean; readonly attempt: number }) => void;
}

const firstWaitSeconds = 5;
const longestWaitSeconds = 900;

/** Works out how long a message waits: twice as long after each attempt, and as long as the receiver asks. */
export const waitSeconds = (attempt: number, askedMs: number): number =>
  Math.min(
    longestWaitSeconds,
    Math.max(firstWaitSeconds * 2 ** Math.min(attempt - 1, 16), Math.ceil(askedMs / 1_000)),
  );

/**
 * Notifies people of a batch of events, and answers which of them are to come again.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export async function notifyBatch(
  records: readonly QueuedEvent[],
  context: NotifierContext,
  { delay, failed }: QueueWays,
): Promise<{ readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }> {
  const outcomes = await Promise.all(
    records.map(async ({ messageId, receiptHandle, body, attributes }) => {
      try {
        await notify(parsed(body), context);
        return [];
      } catch (error) {
        const attempt = Number(attributes.ApproximateReceiveCount) || 1;
        const { waitMs = 0, isLasting = !summarizeError(error).retryable } = error as {
          waitMs?: number;
          isLasting?: boolean;
        };
        context.note('an event comes again', { ...summarizeError(error), attempt });
        failed({ isLasting, attempt });
        // Without it the message comes again after the queue's own time.
        await delay(receiptHandle, waitSeconds(attempt, waitMs)).catch((cause: unknown) =>
          context.note('the queue could not be told to wait', { ...summarizeError(cause) }),
        );
        return [{ itemIdentifier: messageId }];
      }
    }),
  );
  return { batchItemFailures: outcomes.flat() };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
