import { describe, expect, test } from '@jest/globals';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import { stages } from '../../../core/secret/secret.ts';
import { credentialsAtHand } from '../../../lambdas/rotation/credentials.ts';
import { cacheUserSchema } from '../../../rotators/elasticache/schema.ts';
import { changePassword } from '../../../rotators/families/single-user.ts';
import { rotator as postgresql } from '../../../rotators/postgresql/rotator.ts';
import { LoginRefused } from '../../../rotators/transport/login.ts';

import { noDatabases } from './engine.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-GhIjKl';
const secret = { engine: 'postgres', host: 'db.internal', username: 'app', masterarn: adminArn };
const versionOf = (password: string) => JSON.stringify({ ...secret, password });
const parsed = (password: string) => postgresql.schema.parse({ ...secret, password });

/** What a rotation of one user does whose server takes `right` alone, and the admin at hand. */
async function repairOf(store: MemoryStore, right: string, current: string, hasAdmin: boolean) {
  const credentials = credentialsAtHand(
    {
      rotator: postgresql,
      strategy: 'single-user',
      store,
      databases: noDatabases,
      assigned: async () => ({ fields: { username: 'app', host: 'db.internal' }, masterarn: adminArn }),
    },
    await store.describe(arn),
    parsed(current),
  );
  const found: string[] = [];
  let byAdmin = false;
  await changePassword(
    parsed('the next password'),
    {
      connectTimeoutMs: 1,
      statementTimeoutMs: 1,
      strategy: 'single-user',
      random: undefined as never,
      credentials: { ...credentials, admin: async () => (hasAdmin ? await credentials.admin() : undefined) },
      finding: ({ message }) => found.push(message),
    },
    {
      tryOpen: async ({ password }) =>
        password === right ? { end: async () => {} } : new LoginRefused('the server refused the password'),
      changeOwn: async () => {},
      changeByAdmin: async () => {
        byAdmin = true;
        return true;
      },
    },
  );
  return { byAdmin, found };
}

/**
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html (KmsKeyId): "If you don't have kms:Encrypt permission to the
 * new key, Secrets Manager does not re-encrypt existing secret versions". The previous one is then under a key that is disabled some day. What
 * cannot be read is no way in; the admin and the other versions are (coveo/source.coveo.com#210 is of the kind).
 */
describe('a previous version that cannot be read keeps nobody from repairing the secret', () => {
  class WithKeyGone extends MemoryStore {
    unreadable = '';
    override async read(id: string, which: Parameters<MemoryStore['read']>[1]) {
      if ('versionId' in which && which.versionId === this.unreadable) {
        throw new SecretError(
          'SecretKeyUnusable',
          'Secrets Manager cannot use the KMS key (DecryptionFailure)',
        );
      }
      return await super.read(id, which);
    }
  }
  const scene = async () => {
    const store = new WithKeyGone();
    store.create(arn, versionOf('the oldest password'));
    store.create(adminArn, JSON.stringify({ ...secret, username: 'root', password: 'of the admin' }));
    store.put(arn, 'v2', versionOf('the password under the old key'));
    store.put(arn, 'v3', versionOf('the current password'));
    store.unreadable = 'v2';
    return store;
  };

  test('the admin', async () => {
    const { byAdmin } = await repairOf(await scene(), 'nobody knows', 'the current password', true);
    expect(byAdmin).toBe(true);
  });

  test('an older version', async () => {
    const { found } = await repairOf(await scene(), 'the oldest password', 'the current password', false);
    expect(found.join()).toContain('an older version');
  });
});

/**
 * spring-cloud/spring-cloud-config#2104: people label versions themselves. Secrets Manager keeps a labelled version for good, and
 * about a hundred without labels for a day or longer; rotations that were given up leave one each. The page: "then the other
 * versions that Secrets Manager still keeps", and the error: "the other kept versions" do not log in.
 */
test('a version that somebody labelled is tried, however many rotations were given up since', async () => {
  const store = new MemoryStore();
  store.create(arn, versionOf('the good one'));
  store.create(adminArn, JSON.stringify({ ...secret, username: 'root', password: 'of the admin' }));
  store.label(arn, 'last-known-good', 'v1');
  for (const attempt of [1, 2, 3, 4, 5]) {
    store.begin(arn, `given-up-${attempt}`);
    await store.putPending(arn, `given-up-${attempt}`, versionOf(`given up ${attempt}`));
    await store.removePending(arn);
  }
  store.put(arn, 'v2', versionOf('by hand, once'));
  store.put(arn, 'v3', versionOf('by hand, wrong'));
  expect((await store.describe(arn)).versions.v1).toEqual(['last-known-good']);
  expect((await store.describe(arn)).versions.v3).toEqual([stages.current]);
  const { found } = await repairOf(store, 'the good one', 'by hand, wrong', false);
  expect(found.join()).toContain('an older version');
});

/**
 * aws-samples#99: AWS's functions for one user never read `masterarn`. The type `mysql` does without an admin secret that cannot be read, with the
 * finding `AdminSecretUnread`; here the kept versions, one of which logs in, are not even tried.
 */
test('an admin secret that cannot be read keeps no older version from repairing the secret', async () => {
  const store = new MemoryStore();
  store.create(arn, versionOf('the oldest password'));
  store.put(arn, 'v2', versionOf('by hand, once'));
  store.put(arn, 'v3', versionOf('by hand, wrong'));
  await expect(repairOf(store, 'the oldest password', 'by hand, wrong', true)).resolves.toMatchObject({
    byAdmin: false,
  });
});

/** aws-samples#99 is of the kind: templates write `""` for what they do not have. */
test.each([
  { userId: '', user_arn: 'arn:aws:elasticache:eu-central-1:111122223333:user:orders' },
  { userId: 'orders', user_arn: '' },
  { userId: 'orders', host: '' },
])('an empty optional key of an ElastiCache secret is none: %j', (keys) => {
  const result = cacheUserSchema.safeParse({ username: 'orders', password: 'a password of 16', ...keys });
  expect(result.error?.message).toBeUndefined();
});
