import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { paceItem } from '../../core/deployed/pace.ts';
import {
  type LaterTurn,
  type RotateOutcome,
  workflowInputSchema,
} from '../../core/deployed/revocation-state.ts';
import { readEnvironment, revocationRotateEnvironmentSchema } from '../../core/deployed/variables.ts';
import { rotationPaceAt } from '../../core/pace/quotas.ts';
import { SharedBucket, type TokenBucket } from '../../core/pace/token-bucket.ts';
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

/** Opens the table of the bucket at the first start that is taken. A rotation that was asked for takes none. */
async function openBucket(): Promise<TokenBucket> {
  const [{ DynamoDBClient }, { DynamoPaceTable }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('../../adapters/pace-table.ts'),
  ]);
  return new SharedBucket(
    new DynamoPaceTable(new DynamoDBClient({}), environment.REKEY_PACE_TABLE, (name) => ({
      requestId: { S: paceItem(name) },
      secretName: { S: name },
    })),
  );
}

let opened: Promise<TokenBucket> | undefined;
const bucket: TokenBucket = {
  async take(...args) {
    opened ??= openBucket();
    return await (await opened).take(...args);
  },
};
const pace = rotationPaceAt(environment.REKEY_ROTATIONS_PER_SECOND);

/** Replaces the credential, as a step of the revocation workflow. */
export const handler = standardHandler<unknown, RotateOutcome | LaterTurn>((event, { logger }) =>
  rotateStep(workflowInputSchema.parse(event), {
    ...dependencies,
    pacing: {
      bucket,
      pace,
      onFailure: (code) => logger.warn('the rotation goes on without the pace of all', { code }),
    },
  }),
);
