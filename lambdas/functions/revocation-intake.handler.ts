import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { StepFunctionsStarter } from '../../adapters/revocation-starter.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { readEnvironment, revocationIntakeEnvironmentSchema } from '../../core/deployed/variables.ts';
import { takeRequest } from '../revocation/intake.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(revocationIntakeEnvironmentSchema);
const routes = recordRoutes(environment);
const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
const store = new SecretsManagerStore(new SecretsManagerClient({}));
const workflow = environment.REKEY_REVOCATION_WORKFLOW_ARN;
const states = new SFNClient({});
const starter = new StepFunctionsStarter(states, workflow);
const planStarter = new StepFunctionsStarter(states, environment.REKEY_PLAN_WORKFLOW_ARN);
/** Account of the workflow's ARN, `arn:aws:states:<region>:<account>:stateMachine:<name>`. */
const ownAccount = workflow.split(':')[4] ?? '';

const { REKEY_APPROVAL_TABLE: table, REKEY_APPROVAL_MODES: modes } = environment;

/** Opens the store of approvals when it is first asked for: most requests need none. */
const authors = {
  async author(requestId: string) {
    const { approvalStore } = await import('../../adapters/approval-store.ts');
    return await approvalStore(table ?? '').author(requestId);
  },
};

/** Takes revocation requests from the bus. */
export const handler = standardHandler<unknown, void>(async (event, tools) => {
  const taken = await takeRequest(event, {
    definitions,
    store,
    starter,
    planStarter,
    bus: emergencyBus(routes, tools),
    origin: originOf('rekey.revocation', environment, tools),
    policy: {
      sources: environment.REKEY_REVOCATION_SOURCES,
      accounts: [ownAccount, ...environment.REKEY_REVOCATION_ACCOUNTS],
      maximumAgeMs: environment.REKEY_REVOCATION_MAXIMUM_AGE_HOURS * 3_600_000,
    },
    approvals:
      table === undefined
        ? undefined
        : { modes, breakGlass: environment.REKEY_APPROVAL_BREAK_GLASS, authors },
  });
  if (taken.outcome === 'rejected') {
    const { code, message, retryable } = taken.error;
    // Responders learn of it here: the audit log, which records it too, is the auditor's.
    tools.logger.error('revocation request rejected', {
      requestId: taken.requestId,
      code,
      reason: message,
      retryable,
    });
    tools.metrics.addMetric(metricNames.revocationRejected, MetricUnit.Count, 1);
  } else {
    if (taken.bypassed === true) {
      tools.logger.warn('revocation goes on without approval: the glass was broken');
      tools.metrics.addMetric(metricNames.approvalBypassed, MetricUnit.Count, 1);
    }
    tools.logger.info(
      taken.outcome === 'started' ? 'revocation started' : 'revocation request delivered before',
    );
  }
});
