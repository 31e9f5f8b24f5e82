import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { v7 } from 'uuid';
import { containmentBy } from '../../adapters/containment-call.ts';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { LifecycleSecretStore } from '../../adapters/lifecycle-store.ts';
import { SsmManualSecrets } from '../../adapters/manual-secrets.ts';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { lifecycleEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { lookAfter } from '../lifecycle/look-after.ts';
import { originOf } from './origin.ts';
import { recordBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(lifecycleEnvironmentSchema);
const ssm = new SSMClient({});
const definitions = new SsmDefinitionStore(ssm, environment.REKEY_ENVIRONMENT);
const manualSecrets = new SsmManualSecrets(ssm, environment.REKEY_ENVIRONMENT);
const secrets = new SecretsManagerClient({});
const store = new LifecycleSecretStore(secrets);
const rotations = new SecretsManagerRotation(secrets);
const routes = recordRoutes(environment);
// Twice is once for a containment, so an answer that got lost is asked for again.
const contain = containmentBy(new LambdaClient({ maxAttempts: 3 }));

/** Looks after the secrets of an environment, once a day. */
export const handler = standardHandler<unknown, { readonly looked: number }>(async (_event, tools) => {
  const { looked, skipped, failed } = await lookAfter({
    definitions,
    manualSecrets,
    store,
    rotations,
    contain,
    newToken: () => v7(),
    records: recordBus(routes, tools),
    origin: originOf('rekey.lifecycle', environment, tools),
    remindDaysBefore: environment.REKEY_REMIND_DAYS_BEFORE,
    log: (message, about) => tools.logger.error(message, { ...about }),
  });
  tools.logger.info('looked after the secrets', { looked, skipped, failed: failed.length });
  const [first] = failed;
  if (first !== undefined) {
    throw new RekeyError(
      'LifecycleIncomplete',
      `${failed.length} of ${looked} secrets could not be looked after, ${first.secretName} first (${first.code}); the log names each, and the next run tries again`,
    );
  }
  return { looked };
});
