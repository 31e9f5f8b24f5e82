import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { S3TrailFiles } from '../../adapters/trail-files.ts';
import { DynamoTrailMemory } from '../../adapters/trail-memory.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { attributionEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { attributeBatch, type QueuedMessage } from '../trail/attribute.ts';
import { originOf } from './origin.ts';
import { recordBus, recordRoutes } from './record-bus.ts';
import { loggable, standardHandler } from './standard-handler.ts';

const environment = readEnvironment(attributionEnvironmentSchema);
const routes = recordRoutes(environment);
const bucket = environment.REKEY_TRAIL_BUCKET;
const files = new S3TrailFiles(new S3Client({}), bucket);
const memory = new DynamoTrailMemory(new DynamoDBClient({}), environment.REKEY_TRAIL_TABLE);

/** Takes files of the trail and words of senders from the queue, and says who really asked. */
export const handler = standardHandler<{ readonly Records: readonly QueuedMessage[] }, unknown>(
  async ({ Records }, tools) => {
    const { logger, metrics } = tools;
    return await attributeBatch(
      Records,
      {
        files,
        bucket,
        keyPrefix: environment.REKEY_TRAIL_PREFIX,
        busArn: environment.REKEY_EVENT_BUS_ARN,
        memory,
        records: recordBus(routes, tools),
        origin: originOf('rekey.trail', environment, tools),
      },
      {
        remainingMs: tools.remainingMs,
        done: ({ disputed, unreadable, ...counts }) => {
          if (disputed > 0) metrics.addMetric(metricNames.requestDisputed, MetricUnit.Count, disputed);
          if (unreadable > 0) {
            metrics.addMetric(metricNames.trailRecordsUnreadable, MetricUnit.Count, unreadable);
          }
          if (counts.told + counts.calls > 0)
            logger.info('took a message', { ...counts, disputed, unreadable });
        },
        failed: (error) => logger.warn('a message comes again', loggable(error)),
      },
    );
  },
);
