import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { systemClock } from '../../adapters/clock.ts';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { standardHandler } from '../shared/chain.ts';
import { readEnvironment, revocationRotateEnvironmentSchema } from '../shared/environment.ts';
import { rotateForRevocation } from './rotate.ts';
import { type RotateOutcome, workflowInputSchema } from './state.ts';

readEnvironment(revocationRotateEnvironmentSchema);
const client = new SecretsManagerClient({});
const dependencies = {
  store: new SecretsManagerStore(client),
  rotation: new SecretsManagerRotation(client),
  clock: systemClock,
};

/** The step of the revocation workflow that replaces the credential. */
export const handler = standardHandler<unknown, RotateOutcome>((event) =>
  rotateForRevocation(workflowInputSchema.parse(event), dependencies),
);
