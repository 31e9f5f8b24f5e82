import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { systemClock } from '../../adapters/clock.ts';
import { systemRandom } from '../../adapters/random.ts';
import { metrics as metricNames } from '../../core/names.ts';
import { standardHandler } from '../shared/chain.ts';
import { readEnvironment, revocationReportEnvironmentSchema } from '../shared/environment.ts';
import { emergencyBus, emergencyRoutes } from './emergency-bus.ts';
import { type Report, report } from './report.ts';

const environment = readEnvironment(revocationReportEnvironmentSchema);
const routes = emergencyRoutes(environment);

/** The last step of the revocation workflow. */
export const handler = standardHandler<unknown, Report>(async (event, tools) => {
  const { metrics, logger } = tools;
  const result = await report(event, {
    bus: emergencyBus(routes, tools),
    origin: {
      source: 'rekey.revocation',
      environment: environment.REKEY_ENVIRONMENT,
      actor: `lambda:${tools.functionName}`,
      clock: systemClock,
      random: systemRandom,
    },
  });
  if (result.outcome === 'succeeded') {
    metrics.addMetric(metricNames.revocationSucceeded, MetricUnit.Count, 1);
    metrics.addMetric(metricNames.timeToRefusal, MetricUnit.Milliseconds, result.timeToRefusalMs);
  } else if (result.outcome === 'unproven') {
    metrics.addMetric(metricNames.revocationUnproven, MetricUnit.Count, 1);
    logger.warn('revocation unproven', { ...result });
  } else {
    metrics.addMetric(metricNames.revocationFailed, MetricUnit.Count, 1);
    logger.error('revocation failed', { ...result });
  }
  return result;
});
