import type { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';

/** A function's code gets these besides its event. */
export interface Tools {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds left before Lambda ends the invocation. */
  readonly remainingMs: () => number;
  readonly functionName: string;
}
