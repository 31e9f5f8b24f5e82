import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { DynamoFingerprintIndex } from '../../adapters/fingerprint-index.ts';
import { fingerprintKey } from '../../adapters/fingerprint-key.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { fingerprintIndexEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { readOccasion } from '../fingerprint/index-event.ts';
import { indexSecret } from '../fingerprint/index-secret.ts';
import { sweep } from '../fingerprint/sweep.ts';
import { credentialKeysOf } from './credential-keys.ts';
import { storeAnswer } from './life-cycle-answer.ts';
import { loggable, standardHandler } from './standard-handler.ts';

const environment = readEnvironment(fingerprintIndexEnvironmentSchema);
const definitions = new SsmDefinitionStore(new SSMClient({}), environment.REKEY_ENVIRONMENT);
const dependencies = {
  store: new SecretsManagerStore(new SecretsManagerClient({})),
  index: new DynamoFingerprintIndex(new DynamoDBClient({}), environment.REKEY_FINGERPRINT_TABLE),
  key: fingerprintKey(new KMSClient({}), environment.REKEY_FINGERPRINT_KEY),
  keysOf: credentialKeysOf,
  clock: systemClock,
};

/** Brings values into the index of fingerprints: of one secret after a rotation, else of all of them. */
export const handler = standardHandler<unknown, void>(async (event, { logger, remainingMs }) => {
  const occasion = readOccasion(event);
  if (occasion.kind === 'rotation') {
    const definition = await definitions.find(occasion.secretArn);
    if (definition === undefined) {
      logger.info('fingerprints of a secret without a definition are not kept');
      return;
    }
    const known = await dependencies.index.secret(occasion.secretArn);
    const { added, relabelled } = await indexSecret(definition, known, dependencies, occasion.current);
    logger.info('fingerprints kept', { secret: definition.name, added, relabelled });
    return;
  }
  if (occasion.kind === 'deploy') {
    await storeAnswer(occasion.responseUrl, occasion.answer);
    if (!occasion.sweeps) return;
  }
  const report = await sweep({
    ...dependencies,
    definitions,
    remainingMs,
    failed: (secret, error) =>
      logger.error('fingerprints of a secret could not be kept', { secret, ...loggable(error) }),
    skipped: (secret, error) =>
      logger.warn('fingerprints of a secret are not kept: it is closed to this function', {
        secret,
        ...loggable(error),
      }),
  });
  logger.info('swept', { ...report });
});
