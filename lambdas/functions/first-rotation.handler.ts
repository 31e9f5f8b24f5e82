import { setTimeout as sleep } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { systemClock } from '../../adapters/system.ts';
import { firstRotationEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { answerLifeCycle, lifeCycleEventSchema } from '../rotation/first-rotation.ts';
import { storeAnswer } from './life-cycle-answer.ts';
import { standardHandler } from './standard-handler.ts';

readEnvironment(firstRotationEnvironmentSchema);
const dependencies = {
  rotation: new SecretsManagerRotation(new SecretsManagerClient({})),
  clock: systemClock,
  pause: async (ms: number) => {
    await sleep(ms);
  },
};

/** Starts the first rotation of secrets when CloudFormation creates them. */
export const handler = standardHandler<unknown, void>(async (event) => {
  const request = lifeCycleEventSchema.parse(event);
  const answer = await answerLifeCycle(request, dependencies);
  await storeAnswer(request.ResponseURL, answer);
});
