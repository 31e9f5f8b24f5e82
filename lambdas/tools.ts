import type { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';

/** The tools that a function's code gets besides its event. */
export interface Tools {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds left before Lambda ends the invocation. */
  readonly remainingMs: () => number;
  readonly functionName: string;
}
