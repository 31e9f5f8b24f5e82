import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { signalEnvironmentSchema } from '../../core/deployed/signal-variables.ts';
import { readEnvironment } from '../../core/deployed/variables.ts';
import { takeFromBus } from '../signal/from-bus.ts';
import { signalling } from './signals.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(signalEnvironmentSchema);
const answering = signalling(environment);

/** Takes signals of AWS, and uses of honey secrets, from the default event bus of the account. */
export const handler = standardHandler<unknown, void>(async (event, tools) => {
  const { used, ...report } = await takeFromBus(event, {
    ...answering(tools, 90_000),
    honeySecrets: environment.REKEY_HONEY_SECRETS,
  });
  if (used > 0) tools.metrics.addMetric(metricNames.honeySecretUsed, MetricUnit.Count, used);
  tools.logger.info('took a signal', { ...report, used });
});
