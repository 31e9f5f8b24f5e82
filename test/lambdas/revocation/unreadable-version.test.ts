import { describe, expect, test } from '@jest/globals';
import type { ContainmentInput } from '../../../core/deployed/revocation-state.ts';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { requestId, secretArn, World } from './world.ts';

const input = (versions: readonly string[], change: Partial<ContainmentInput> = {}): ContainmentInput => ({
  action: 'contain',
  requestId,
  correlationId: 'c',
  secretArn,
  secretName: 'orders',
  versions: [...versions],
  named: false,
  ...change,
});

/**
 * A secret whose KMS key was changed. Secrets Manager encrypts AWSCURRENT, AWSPENDING and AWSPREVIOUS again with the new key, and no
 * other version (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html, KmsKeyId): those stay under the key before,
 * which the role of the function may not use, or which is disabled by now. A revocation without named versions covers them all.
 */
describe.each(['SecretKeyUnusable', 'SecretAccessDenied'] as const)(
  'an old version that answers %s',
  (code) => {
    const aged = async () => {
      const world = new World();
      world.store.begin(secretArn, 'old');
      await world.store.putPending(
        secretArn,
        'old',
        JSON.stringify({ username: 'app', password: 'long ago' }),
      );
      await world.store.removePending(secretArn);
      const { store } = world;
      const read = store.read.bind(store);
      store.read = async (id, which) => {
        if ('versionId' in which && which.versionId === 'old') {
          throw new SecretError(code, 'the KMS key of this version cannot be used');
        }
        return await read(id, which);
      };
      return world;
    };

    test('does not keep the credential in use from being cut off', async () => {
      const world = await aged();
      await containLeaks(input(['old', 'v1']), world.containment()).catch(() => undefined);
      expect(world.target.contained).toEqual(['leaked-password']);
    });

    test('is named as one that could not be tried, and the rest is proven dead', async () => {
      const world = await aged();
      world.store.begin(secretArn, 'v2');
      const next = { username: 'app', password: 'the next password' };
      await world.store.putPending(secretArn, 'v2', JSON.stringify(next));
      await world.store.moveCurrent(secretArn, { to: 'v2', from: 'v1' });
      const rotator = {
        ...world.rotator,
        probe: async ({ password }: { password: string }) =>
          password === next.password
            ? ({ outcome: 'accepted' } as const)
            : ({ outcome: 'rejected', error: new Error('refused') } as never),
      };
      const outcome = await verifyLeaks(input(['old', 'v1'], { action: 'verify', newVersionId: 'v2' }), {
        ...world.containment(),
        rotator,
      });
      expect(outcome).toMatchObject({ unavailableVersions: ['old'] });
    });
  },
);
