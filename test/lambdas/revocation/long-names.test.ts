import { describe, expect, test } from '@jest/globals';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { cacheUserSchema } from '../../../rotators/elasticache/schema.ts';
import { rotator as external } from '../../../rotators/external/rotator.ts';
import { iamAccessKeySchema } from '../../../rotators/iam-access-key/schema.ts';
import { masterSecretSchema } from '../../../rotators/rds-admin/schema.ts';
import { redisSecretSchema } from '../../../rotators/redis/schema.ts';
import { loadRotator } from '../../load-rotator.ts';
import { requestId, secretArn, World } from './world.ts';

const long = 'x'.repeat(60_000);
const place = { host: 'h', password: 'p' };

/** What Step Functions carries from state to state, and what EventBridge takes as one event. */
const most = 256 * 1024;

describe('a name of 60,000 characters is none, since it stands in records, events, logs and the state of the workflow', () => {
  test.each([
    ['redis: username', redisSecretSchema, { engine: 'redis', username: long, ...place }],
    ['elasticache: username', cacheUserSchema, { userId: 'u', username: long, ...place }],
    ['elasticache: userId', cacheUserSchema, { userId: long, username: 'u', ...place }],
    [
      'elasticache: user_arn',
      cacheUserSchema,
      { user_arn: `arn:aws:elasticache:r:111122223333:user:${long}`, username: 'u', ...place },
    ],
    ['rds-admin: username', masterSecretSchema, { engine: 'postgres', username: long, ...place }],
    ['rds-admin: engine', masterSecretSchema, { engine: `oracle-${long}`, username: 'u', ...place }],
    [
      'iam-access-key: accessKeyId',
      iamAccessKeySchema,
      { username: 'u', accessKeyId: long, secretAccessKey: 's' },
    ],
    ['redis: masterarn', redisSecretSchema, { engine: 'redis', username: 'u', masterarn: long, ...place }],
  ])('%s', (_what, schema, secret) => {
    expect(schema.safeParse(secret).success).toBe(false);
  });

  test('external: what a credential is called', () => {
    expect(external.identity({ username: long }).length).toBeLessThan(1_000);
  });

  test('generic: what a credential is called', async () => {
    const generic = await loadRotator('generic');
    const parsed = generic.schema.safeParse({ rotates: [long], [long]: 'secret' });
    expect(parsed.success && generic.identity(parsed.data as never).length > 1_000).toBe(false);
  });
});

/** `kill`: the first containment has done its work, and then the workflow dies of what it was told, before it rotates. */
test('what a containment says fits into the workflow and into a record, whatever the versions hold', async () => {
  const world = new World();
  const versions = ['v1'];
  for (let index = 0; index < 5; index += 1) {
    const id = `old${index}`;
    world.store.begin(secretArn, id);
    await world.store.putPending(
      secretArn,
      id,
      JSON.stringify({ username: `${index}${long}`, password: 'p' }),
    );
    world.store.removePending(secretArn);
    versions.push(id);
  }
  const input = {
    action: 'contain' as const,
    requestId,
    correlationId: 'c',
    secretArn,
    secretName: 'orders',
    versions,
    named: false,
  };
  const outcome = await containLeaks(input, { ...world.containment(), rotator: external } as never);
  const sizes = [outcome, ...world.bus.events].map((value) => Buffer.byteLength(JSON.stringify(value)));
  expect(Math.max(...sizes)).toBeLessThan(most);
});

test('http: what a credential is called', async () => {
  const http = await loadRotator('http');
  const { recipes } = await import('../../../rotators/http/recipes/index.ts');
  const found = recipes.names.filter((name) => {
    const { credential, parameters } = recipes.get(name) ?? {
      credential: { id: '', secret: '' },
      parameters: {},
    };
    const secret = Object.fromEntries(Object.keys(parameters).map((key) => [key, '1']));
    const parsed = http.schema.safeParse({
      ...secret,
      recipe: name,
      [credential.id]: long,
      [credential.secret]: 's',
    });
    return parsed.success && http.identity(parsed.data as never).length > 2_000;
  });
  expect(found).toEqual([]);
});
