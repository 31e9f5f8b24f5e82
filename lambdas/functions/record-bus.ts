import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { AuditQueue, withFallback } from '../../adapters/audit-queue.ts';
import { EventBridgeBus } from '../../adapters/event-bus.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import type { EventBus } from '../../core/ports.ts';
import type { Tools } from '../tools.ts';
import { loggable } from './standard-handler.ts';

/** Settings of short patience: a bus that hangs must hold up neither an emergency nor the way to the queue. */
const quick = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000 },
} as const;

/** Opens the bus and the audit queue of a deployment, with short patience. */
export function recordRoutes(environment: {
  readonly REKEY_EVENT_BUS: string;
  readonly REKEY_AUDIT_QUEUE_URL: string;
}): { readonly bus: EventBus; readonly queue: EventBus } {
  return {
    bus: new EventBridgeBus(new EventBridgeClient(quick), environment.REKEY_EVENT_BUS),
    queue: new AuditQueue(environment.REKEY_AUDIT_QUEUE_URL, quick),
  };
}

/**
 * Makes a bus of two ways. A record that the event bus does not take goes to the audit queue. That is counted, and the count is
 * alarmed.
 * @throws RekeyError `AuditUnavailable` | `AuditRefused` where neither takes it
 */
export function recordBus(
  { bus, queue }: { readonly bus: EventBus; readonly queue: EventBus },
  { logger, metrics }: Pick<Tools, 'logger' | 'metrics'>,
): EventBus {
  return withFallback(bus, queue, (error) => {
    logger.error('the event bus took no record; it goes to the audit queue', loggable(error));
    metrics.addMetric(metricNames.auditPublishFailed, MetricUnit.Count, 1);
  });
}

/**
 * Makes a bus that takes every record. A record that the event bus does not take goes to the audit queue. If the queue does not
 * take it either, it goes to the function's log. Each time is counted, and the count is alarmed. An unwritable audit log never
 * stops an emergency.
 */
export function emergencyBus(
  ways: { readonly bus: EventBus; readonly queue: EventBus },
  tools: Pick<Tools, 'logger' | 'metrics'>,
): EventBus {
  const { logger, metrics } = tools;
  const routes = recordBus(ways, tools);
  return {
    async publish(events) {
      try {
        await routes.publish(events);
      } catch (error) {
        logger.error('neither bus nor audit queue took these records; add them by hand', {
          ...loggable(error),
          records: events,
        });
        metrics.addMetric(metricNames.auditPublishFailed, MetricUnit.Count, 1);
      }
    },
  };
}
