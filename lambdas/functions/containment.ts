import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { RdsDirectory } from '../../adapters/database-directory.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import {
  type ContainOutcome,
  containmentInputSchema,
  type VerifyOutcome,
} from '../../core/deployed/revocation-state.ts';
import { containmentEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import type { Revoker } from '../../core/rotator.ts';
import { containLeaks } from '../revocation/contain.ts';
import { verifyLeaks } from '../revocation/proof.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordRoutes } from './record-bus.ts';
import { standardHandler } from './standard-handler.ts';
import { targetDefaults } from './target.ts';

/**
 * Makes the containment function of one secret type. It cuts leaked credentials off at the target, and proves that they are dead.
 * The revocation workflow calls it. `lib/function/bundle.ts` writes the modules that make it, but for types with one of their own.
 *
 * @example
 * export const handler = containmentHandler(rotator);
 */
export function containmentHandler<S extends object>(rotator: Revoker<S>) {
  const environment = readEnvironment(containmentEnvironmentSchema);
  const routes = recordRoutes(environment);
  const store = new SecretsManagerStore(new SecretsManagerClient({}));
  const databases = new RdsDirectory();
  const target = targetDefaults(environment);

  return standardHandler<unknown, ContainOutcome | VerifyOutcome>(async (event, tools) => {
    const input = containmentInputSchema.parse(event);
    const act = input.action === 'contain' ? containLeaks : verifyLeaks;
    return await act(input, {
      rotator,
      strategy: environment.REKEY_STRATEGY,
      store,
      databases,
      bus: emergencyBus(routes, tools),
      origin: originOf('rekey.containment', environment, tools),
      target,
    });
  });
}
