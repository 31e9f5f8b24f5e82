import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemRandom } from '../../adapters/system.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { observationEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { observe } from '../observation/observe.ts';
import { recordBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(observationEnvironmentSchema);
const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
const store = new SecretsManagerStore(new SecretsManagerClient({}));
const routes = recordRoutes(environment);

/** Records the events of Secrets Manager on rotations by functions that are not Rekey's. */
export const handler = standardHandler<unknown, void>(async (event, tools) => {
  const { logger, metrics } = tools;
  const outcome = await observe(event, {
    definitions,
    store,
    records: recordBus(routes, tools),
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
