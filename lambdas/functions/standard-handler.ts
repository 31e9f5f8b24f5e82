import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { metricNamespace } from '../../core/deployed/names.ts';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import type { Tools } from '../tools.ts';

/** A function's own code, free of Lambda's types. */
export type Handle<Event, Result> = (event: Event, tools: Tools) => Promise<Result>;

/**
 * Wraps a function's code in the chain that all share. The chain is: structured log with the request id, trace, metrics, and one
 * rule for errors.
 *
 * Events and responses are never logged or traced, since they may carry references an attacker would want and, in a
 * malformed event, anything at all. An error leaves the function as its code and its message only: drivers and SDKs
 * may hang values on the original one, and Lambda would log and return them.
 *
 * Metrics carry the dimensions `service` (`POWERTOOLS_SERVICE_NAME`) and `environment`.
 *
 * @example
 * export const handler = standardHandler<RotationEvent, void>((event, { logger }) => rotate(event, logger));
 */
export function standardHandler<Event, Result>(handle: Handle<Event, Result>) {
  const logger = new Logger();
  const tracer = new Tracer();
  const metrics = new Metrics({
    namespace: metricNamespace,
    defaultDimensions: { environment: process.env.REKEY_ENVIRONMENT ?? 'unknown' },
  });
  // Powertools' own middleware writes a warning for every invocation that measured nothing, and most have nothing to.
  const publishMetrics = () => {
    if (metrics.hasStoredMetrics()) {
      metrics.publishStoredMetrics();
    }
  };
  return middy<Event, Result>()
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
    .use({ after: publishMetrics, onError: publishMetrics })
    .handler(async (event: Event, context: Context): Promise<Result> => {
      try {
        return await handle(event, {
          logger,
          metrics,
          remainingMs: () => context.getRemainingTimeInMillis(),
          functionName: context.functionName,
        });
      } catch (error) {
        const { code, message } = summarizeError(error);
        logger.error('failed', loggable(error));
        throw withoutStack(new RekeyError(code, message));
      }
    });
}

/** Takes the stack off an error. Lambda returns and logs the stack; that of a sanitised error says nothing and costs bytes. */
function withoutStack(error: RekeyError): RekeyError {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/** Gives an error as a log line carries it. The key `message` would collide with the line's own. */
export function loggable(error: unknown): { code: string; reason: string; retryable: boolean } {
  const { code, message, retryable } = summarizeError(error);
  return { code, reason: message, retryable };
}
