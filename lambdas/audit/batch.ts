import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSEvent } from 'aws-lambda';
import { auditEvent, unrecognised } from '../../core/audit/event.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import type { Clock } from '../../core/ports.ts';
import type { Tools } from '../tools.ts';
import type { AuditWriter } from './writer.ts';

/**
 * Records one batch of the queue. A batch becomes one object, so it is recorded as a whole or not at all. On an error all its
 * messages stay in the queue, first in first out, and the order is kept.
 */
export async function recordBatch(
  event: SQSEvent,
  { writer, clock }: { readonly writer: AuditWriter; readonly clock: Clock },
  { logger, metrics }: Pick<Tools, 'logger' | 'metrics'>,
): Promise<void> {
  const receivedAt = clock.now();
  const events = event.Records.map(({ body, messageId, awsRegion, attributes }) => {
    // Not of the type's making: a test or another source may leave it out.
    const sender = attributes?.SenderId as string | undefined;
    return auditEvent(body, { id: messageId, region: awsRegion, receivedAt, sender });
  });
  for (const { id, source, detailType, detail } of events) {
    if (detailType === unrecognised) {
      logger.warn('an event is not of the catalogue; it is recorded without its data', {
        id,
        source,
        detail,
      });
    }
  }
  const { written, passed } = await writer.append(events);
  for (const key of passed) {
    logger.error('an object of the log is not intact; the log goes on behind it', { key });
    metrics.addMetric(metricNames.auditLogBroken, MetricUnit.Count, 1);
  }
  metrics.addMetric(metricNames.auditRecordsWritten, MetricUnit.Count, written);
}
