import { IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { S3PlanStore } from '../../adapters/plan-store.ts';
import { AwsSelectionSources } from '../../adapters/secret-selection.ts';
import { type PlacedPlan, planInputSchema } from '../../core/deployed/revocation-state.ts';
import { readEnvironment, revocationPlanEnvironmentSchema } from '../../core/deployed/variables.ts';
import { announcePlan } from '../revocation/announce-plan.ts';
import { makePlan } from '../revocation/plan.ts';
import { memberPlans } from './member-plans.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';
import { whoRead } from './who-read.ts';

const environment = readEnvironment(revocationPlanEnvironmentSchema);
const routes = recordRoutes(environment);
const bucket = environment.REKEY_PLAN_BUCKET;
const plans = new S3PlanStore(new S3Client({}), bucket);
const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
const members = memberPlans(environment);
const sources = new AwsSelectionSources(
  environment.REKEY_ENVIRONMENT,
  new SecretsManagerClient({}),
  // IAM has one endpoint for all regions of a partition, which the SDK finds.
  new IAMClient({}),
  whoRead(environment.REKEY_TRAIL_TABLE),
);
const inputSchema = z.object({ action: z.enum(['plan', 'announce']), input: planInputSchema });

/** Plans a revocation of several secrets, as a step of its workflow; beside the next steps, it announces the plan. */
export const handler = standardHandler<unknown, PlacedPlan | { secrets: number; tasks: number }>(
  async (event, tools) => {
    const { action, input } = inputSchema.parse(event);
    if (action === 'plan') return await makePlan(input, { definitions, sources, plans, bucket, members });
    return await announcePlan(input, {
      plans,
      bus: emergencyBus(routes, tools),
      origin: originOf('rekey.revocation', environment, tools),
    });
  },
);
