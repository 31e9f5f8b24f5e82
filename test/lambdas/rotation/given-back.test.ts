import { expect, test } from '@jest/globals';
import { RekeyError, SecretError } from '../../../core/errors/rekey-error.ts';
import { engine } from './engine.ts';
import { IssuingTarget, issuingRotator } from './issuing-target.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';

/**
 * What the target has issued is told once (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html, and every vendor of API
 * tokens), and Secrets Manager refuses to store it, for good: over 64 KiB, KMS key disabled, no permission, version quota
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html). Nobody will ever know it; it works, and takes one of the few places. Whoever
 * made it takes it away, as is done when another run was faster. Where the answer was lost it may be stored, and stays.
 */
test.each(['SecretTooLarge', 'SecretKeyUnusable', 'SecretAccessDenied', 'VersionQuotaReached'] as const)(
  'a credential that Secrets Manager refuses to store (%s) is given back',
  async (code) => {
    const target = new IssuingTarget();
    const store = new MemoryStore();
    store.create(arn, JSON.stringify(target.issue('by hand')));
    store.putPending = async () => {
      throw new SecretError(code, 'Secrets Manager does not take the value');
    };
    for (const token of ['t1', 't2']) {
      store.begin(arn, token);
      const run = engine({ rotator: issuingRotator(target), store });
      await expect(
        run.run({ Step: 'createSecret', SecretId: arn, ClientRequestToken: token }),
      ).rejects.toMatchObject({ code });
      await store.removePending(arn);
    }
    expect([...target.keys.keys()]).toEqual(['id-1']);
  },
);

test('a credential stays that Secrets Manager may have stored, since its answer says nothing of that', async () => {
  const target = new IssuingTarget();
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(target.issue('by hand')));
  store.begin(arn, 't1');
  const error = new RekeyError('ResourceBusy', 'no answer in time');
  store.putPending = () => Promise.reject(error);
  const lifecycle = engine({ rotator: issuingRotator(target), store });
  const event = { Step: 'createSecret', SecretId: arn, ClientRequestToken: 't1' };
  await expect(lifecycle.run(event)).rejects.toBe(error);
  expect([...target.keys.keys()]).toEqual(['id-1', 'id-2']);
});
