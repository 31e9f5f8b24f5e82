import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { fingerprintKey } from '../../adapters/fingerprint-key.ts';
import { DynamoFingerprintLookup, DynamoLookupBudget } from '../../adapters/fingerprint-lookup.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { fingerprintLookupEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { type LookupAnswer, lookupLimits } from '../../core/fingerprint/lookup.ts';
import { lookUp } from '../fingerprint/look-up.ts';
import { originOf } from './origin.ts';
import { recordBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(fingerprintLookupEnvironmentSchema);
const routes = recordRoutes(environment);
const key = fingerprintKey(new KMSClient({}), environment.REKEY_FINGERPRINT_KEY);
const table = new DynamoDBClient({});
const index = new DynamoFingerprintLookup(table, environment.REKEY_FINGERPRINT_TABLE);
const budget = new DynamoLookupBudget(table, environment.REKEY_FINGERPRINT_COUNTS, lookupLimits);

/** Says which versions of secrets held a value, to whoever may invoke it and knows the value's hash. */
export const handler = standardHandler<unknown, LookupAnswer>(async (event, tools) => {
  const { logger, metrics } = tools;
  const answer = await lookUp(event, {
    key,
    index,
    budget,
    records: recordBus(routes, tools),
    origin: originOf('rekey.fingerprint', environment, tools),
  });
  if (answer.outcome === 'refused') {
    const { code, message: reason } = answer.error;
    logger.warn('lookup refused', { code, reason });
    metrics.addMetric(metricNames.fingerprintLookupsRefused, MetricUnit.Count, 1);
  } else {
    logger.info('looked up', { matches: answer.matches.length });
    metrics.addMetric(metricNames.fingerprintLookups, MetricUnit.Count, 1);
  }
  return answer;
});
