import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { readEnvironment, revocationReportEnvironmentSchema } from '../../core/deployed/variables.ts';
import type { AnyEvent } from '../../core/events/catalogue.ts';
import type { SecretOutcome } from '../../core/revocation/ports.ts';
import { type Report, report } from '../revocation/report.ts';
import { originOf } from './origin.ts';
import { recordBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(revocationReportEnvironmentSchema);
const routes = recordRoutes(environment);

/** Opens the table of outcomes when a secret of a plan is reported. */
const outcomes = {
  async note(requestId: string, outcome: SecretOutcome) {
    const [{ DynamoDBClient }, { DynamoOutcomeStore }] = await Promise.all([
      import('@aws-sdk/client-dynamodb'),
      import('../../adapters/outcome-store.ts'),
    ]);
    await new DynamoOutcomeStore(new DynamoDBClient({}), environment.REKEY_OUTCOME_TABLE).note(
      requestId,
      outcome,
    );
  },
};

/**
 * Reports the end of a revocation: the last step of its workflow. By now everything is done, so it fails, to be tried again for
 * hours, until the outcome is recorded. The alarm of a failed revocation does not wait for that.
 */
export const handler = standardHandler<unknown, Report>(async (event, tools) => {
  const { metrics, logger } = tools;
  const records: AnyEvent[] = [];
  const result = await report(event, {
    outcomes,
    bus: { publish: async (events) => void records.push(...events) },
    origin: originOf('rekey.revocation', environment, tools),
  });
  if (result.outcome === 'failed') {
    metrics.addMetric(metricNames.revocationFailed, MetricUnit.Count, 1);
    logger.error('revocation failed', { ...result });
  }
  await recordBus(routes, tools).publish(records);
  if (result.outcome === 'succeeded') {
    metrics.addMetric(metricNames.revocationSucceeded, MetricUnit.Count, 1);
    metrics.addMetric(metricNames.timeToRefusal, MetricUnit.Milliseconds, result.timeToRefusalMs);
  } else if (result.outcome === 'unproven') {
    metrics.addMetric(metricNames.revocationUnproven, MetricUnit.Count, 1);
    logger.warn('revocation unproven', { ...result });
  }
  return result;
});
