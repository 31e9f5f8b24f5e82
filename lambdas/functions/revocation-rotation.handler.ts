import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { type RotateOutcome, workflowInputSchema } from '../../core/deployed/revocation-state.ts';
import { readEnvironment, revocationRotateEnvironmentSchema } from '../../core/deployed/variables.ts';
import { rotateStep } from '../revocation/rotate.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(revocationRotateEnvironmentSchema);
const client = new SecretsManagerClient({});
const dependencies = {
  store: new SecretsManagerStore(client),
  rotation: new SecretsManagerRotation(client),
  definitions: new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT),
  clock: systemClock,
};

/** Replaces the credential, as a step of the revocation workflow. */
export const handler = standardHandler<unknown, RotateOutcome>((event) =>
  rotateStep(workflowInputSchema.parse(event), dependencies),
);
