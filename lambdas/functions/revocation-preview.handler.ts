import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { AwsSelectionSources } from '../../adapters/secret-selection.ts';
import { type PlanPreview, previewRequestSchema } from '../../core/deployed/plan-preview.ts';
import { readEnvironment, revocationPreviewEnvironmentSchema } from '../../core/deployed/variables.ts';
import { previewPlan } from '../revocation/plan.ts';
import { memberPlans } from './member-plans.ts';
import { standardHandler } from './standard-handler.ts';
import { whoRead } from './who-read.ts';

const environment = readEnvironment(revocationPreviewEnvironmentSchema);
const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
const members = memberPlans(environment);
const sources = new AwsSelectionSources(
  environment.REKEY_ENVIRONMENT,
  new SecretsManagerClient({}),
  // IAM has one endpoint for all regions of a partition, which the SDK finds.
  new IAMClient({}),
  whoRead(environment.REKEY_TRAIL_TABLE),
);

/** Shows what a revocation would do, by the code that plans it. It changes nothing. */
export const handler = standardHandler<unknown, PlanPreview>(
  async (event) => await previewPlan(previewRequestSchema.parse(event), { definitions, sources, members }),
);
