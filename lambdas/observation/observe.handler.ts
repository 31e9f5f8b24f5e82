import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { AuditQueue, withFallback } from '../../adapters/audit-queue.ts';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { EventBridgeBus } from '../../adapters/event-bus.ts';
import { systemRandom } from '../../adapters/random.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { metrics as metricNames } from '../../core/names.ts';
import { loggable, standardHandler } from '../shared/chain.ts';
import { observationEnvironmentSchema, readEnvironment } from '../shared/environment.ts';
import { observe } from './observe.ts';

const environment = readEnvironment(observationEnvironmentSchema);
const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
const store = new SecretsManagerStore(new SecretsManagerClient({}));
const bus = new EventBridgeBus(new EventBridgeClient({}), environment.REKEY_EVENT_BUS);
const queue = new AuditQueue(environment.REKEY_AUDIT_QUEUE_URL);

/** Records what Secrets Manager tells of rotations by functions that are not Rekey's. */
export const handler = standardHandler<unknown, void>(async (event, { logger, metrics }) => {
  const outcome = await observe(event, {
    definitions,
    store,
    records: withFallback(bus, queue, (error) => {
      logger.error('the event bus took no record; it goes to the audit queue', loggable(error));
      metrics.addMetric(metricNames.auditPublishFailed, MetricUnit.Count, 1);
    }),
    origin: {
      source: 'rekey.observation',
      environment: environment.REKEY_ENVIRONMENT,
      random: systemRandom,
    },
  });
  logger.info(`rotation ${outcome}`);
  if (outcome === 'failed') {
    metrics.addMetric(metricNames.rotationFailed, MetricUnit.Count, 1);
  } else if (outcome === 'succeeded') {
    metrics.addMetric(metricNames.rotationSucceeded, MetricUnit.Count, 1);
  }
});
