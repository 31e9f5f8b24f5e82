import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { IamPrincipals } from '../../adapters/principals.ts';
import { DynamoQuarantineStore } from '../../adapters/quarantine-store.ts';
import { quarantineMaximumAgeMs } from '../../core/deployed/limits.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { quarantineEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { quarantinePolicyName } from '../../core/quarantine/document.ts';
import { takeQuarantine } from '../quarantine/quarantine.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(quarantineEnvironmentSchema);
const routes = recordRoutes(environment);
const store = new DynamoQuarantineStore(new DynamoDBClient({}), environment.REKEY_QUARANTINE_TABLE);
// IAM has one endpoint for all regions of a partition, which the SDK finds.
const principals = new IamPrincipals(
  new IAMClient({}),
  quarantinePolicyName(environment.REKEY_ENVIRONMENT, process.env.AWS_REGION ?? ''),
);

/** Takes requests for quarantines of principals, and for their end, from the bus. */
export const handler = standardHandler<unknown, void>(async (event, tools) => {
  const taken = await takeQuarantine(event, {
    store,
    principals,
    bus: emergencyBus(routes, tools),
    origin: originOf('rekey.quarantine', environment, tools),
    policy: {
      principals: environment.REKEY_QUARANTINE_PRINCIPALS,
      sources: ['rekey.cli'],
      accounts: [environment.REKEY_ACCOUNT],
      maximumAgeMs: quarantineMaximumAgeMs,
    },
  });
  const { requestId } = taken;
  if (taken.outcome === 'refused') {
    const { code, message, retryable } = taken.error;
    // Responders learn of it here: the audit log, which records it too, is the auditor's.
    tools.logger.error('quarantine request refused', { requestId, code, reason: message, retryable });
    tools.metrics.addMetric(metricNames.quarantineRefused, MetricUnit.Count, 1);
  } else {
    tools.logger.info('quarantine request done', { requestId, outcome: taken.outcome });
  }
});
