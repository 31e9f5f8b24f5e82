import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSEvent } from 'aws-lambda';
import { auditEvent, unrecognised } from '../../core/audit/event.ts';
import { metrics as metricNames } from '../../core/names.ts';
import type { Clock } from '../../core/ports.ts';
import type { Tools } from '../shared/chain.ts';
import type { AuditWriter } from './writer.ts';

/**
 * Records one batch of the queue. A batch becomes one object, so it is recorded as a whole or not at all: on an error
 * all its messages stay in the queue, first in first out, and the order is kept.
 */
export async function recordBatch(
  event: SQSEvent,
  { writer, clock }: { readonly writer: AuditWriter; readonly clock: Clock },
  { logger, metrics }: Pick<Tools, 'logger' | 'metrics'>,
): Promise<void> {
  const receivedAt = clock.now();
  const events = event.Records.map(({ body, messageId, awsRegion }) =>
    auditEvent(body, { id: messageId, region: awsRegion, receivedAt }),
  );
  for (const { id, source, detailType, detail } of events) {
    if (detailType === unrecognised) {
      logger.warn('an event is not of the catalogue; it is recorded without its data', {
        id,
        source,
        detail,
      });
    }
  }
  const written = await writer.append(events);
  metrics.addMetric(metricNames.auditRecordsWritten, MetricUnit.Count, written);
}
