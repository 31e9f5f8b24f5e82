import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoOutcomeStore } from '../../adapters/outcome-store.ts';
import { S3PlanStore } from '../../adapters/plan-store.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { readEnvironment, revocationConclusionEnvironmentSchema } from '../../core/deployed/variables.ts';
import { type Conclusion, conclude } from '../revocation/conclude.ts';
import { originOf } from './origin.ts';
import { recordBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(revocationConclusionEnvironmentSchema);
const routes = recordRoutes(environment);
const plans = new S3PlanStore(new S3Client({}), environment.REKEY_PLAN_BUCKET);
const outcomes = new DynamoOutcomeStore(new DynamoDBClient({}), environment.REKEY_OUTCOME_TABLE);

/** Concludes a revocation of several secrets: the last step of its workflow, tried again until it is recorded. */
export const handler = standardHandler<unknown, Conclusion>(async (event, tools) => {
  const conclusion = await conclude(event, {
    plans,
    outcomes,
    bus: recordBus(routes, tools),
    origin: originOf('rekey.revocation', environment, tools),
  });
  if (conclusion.outcome === 'rejected') {
    tools.logger.error('revocation of several secrets rejected', { ...conclusion });
    tools.metrics.addMetric(metricNames.revocationRejected, MetricUnit.Count, 1);
  } else {
    tools.logger.info('revocation of several secrets concluded', { ...conclusion });
  }
  return conclusion;
});
