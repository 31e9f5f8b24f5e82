import { expect, test } from '@jest/globals';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import { takeRequest } from '../../../lambdas/revocation/intake.ts';
import { requestEvent, World } from './world.ts';

const throttled = (what: string) => new RekeyError('Throttled', `${what} is throttled`);

/**
 * Hundreds of requests at once look up hundreds of definitions, and Systems Manager takes 40 GetParameter a second. Lambda tries
 * a failed invocation twice more, after one and after two minutes, all of them together; then the request lies in the
 * dead-letter queue, without an outcome. Invariant 17: "throttles are waited out, and every request has one outcome".
 */
test.each(['Systems Manager', 'Secrets Manager', 'Step Functions'])(
  'a request waits out a throttle of %s within the invocation, as the steps of the workflow do',
  async (service) => {
    const world = new World();
    let left = 4;
    const busy = async <T>(work: () => Promise<T>): Promise<T> => {
      left -= 1;
      if (left >= 0) throw throttled(service);
      return await work();
    };
    const { definitions, starter, store } = world.intake();
    const change =
      service === 'Systems Manager'
        ? { definitions: { ...definitions, find: (secret: string) => busy(() => definitions.find(secret)) } }
        : service === 'Secrets Manager'
          ? {
              store: {
                describe: (secret: string) => busy(() => store.describe(secret)),
                listVersions: (secret: string) => store.listVersions(secret),
              },
            }
          : { starter: { start: (name: string, input: string) => busy(() => starter.start(name, input)) } };
    expect(await takeRequest(requestEvent(), world.intake(change)).catch(({ code }) => code)).toEqual({
      outcome: 'started',
    });
  },
);
