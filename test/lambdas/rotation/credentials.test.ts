import { describe, expect, test } from '@jest/globals';
import type { Assignment } from '../../../core/secret/definition.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { credentialsAtHand } from '../../../lambdas/rotation/credentials.ts';
import { rotator as postgresql } from '../../../rotators/postgresql/rotator.ts';
import { noDatabases } from './engine.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-GhIjKl';
const partialAdminArn = adminArn.slice(0, -7);

const secret = {
  engine: 'postgres',
  host: 'db.internal',
  username: 'app',
  password: 'of the app 1',
  masterarn: adminArn,
};
const admin = { engine: 'postgres', host: 'db.internal', username: 'root', password: 'of the admin' };

const atHand = async (options: {
  readonly secret?: Record<string, unknown>;
  readonly admin?: Record<string, unknown>;
  readonly previous?: string;
  readonly assigned?: Assignment;
  readonly strategy?: Strategy;
  readonly sharesUsers?: boolean;
}) => {
  const store = new MemoryStore();
  store.create(arn, options.previous ?? JSON.stringify(options.secret));
  store.create(adminArn, JSON.stringify({ ...admin, ...options.admin }));
  const current = { ...secret, ...options.secret };
  store.begin(arn, 'v2');
  await store.putPending(arn, 'v2', JSON.stringify(current));
  await store.moveCurrent(arn, { to: 'v2', from: 'v1' });
  return credentialsAtHand(
    {
      rotator: postgresql,
      strategy: options.strategy ?? 'single-user',
      store,
      databases: { ...noDatabases, sharesUsers: async () => options.sharesUsers ?? false },
      assigned: async () => options.assigned,
    },
    await store.describe(arn),
    postgresql.schema.parse(current),
  );
};

const named = (fields: Partial<Assignment['fields']> = {}, masterarn = adminArn): Assignment => ({
  fields: { username: 'app', host: 'db.internal', ...fields },
  masterarn,
});

describe('the admin sets a password only where the secret will be used', () => {
  test.each([
    ['the same place', {}, {}],
    ['a port that is said and the port of the type', { port: 5432 }, {}],
    ['a port as text', { port: '5432' }, { port: 5432 }],
    ['TLS demanded by one of both', { ssl: true }, {}],
    ['plaintext in both', { ssl: false }, { ssl: 'false' }],
    ['an admin without TLS, which sends nothing of the secret', {}, { ssl: false }],
  ])('%s', async (_name, change, adminChange) => {
    const { admin: read } = await atHand({ secret: change, admin: adminChange });
    expect(await read()).toMatchObject({ username: 'root' });
  });

  test.each([
    ['another port of the same host', { port: 6432 }, {}, /port 5432.*port 6432/],
    ['the secret without TLS', { ssl: false }, {}, /TLS/],
    ['the secret without TLS, in words', { ssl: 'FALSE' }, { ssl: true }, /TLS/],
  ])('%s is refused, unless the deployment names it', async (_name, change, adminChange, text) => {
    const tampered = { secret: change, admin: adminChange };
    const { admin: read } = await atHand(tampered);
    await expect(read()).rejects.toMatchObject({
      code: 'AdminSecretMismatch',
      message: expect.stringMatching(text),
    });
    const { ssl } = change as { ssl?: unknown };
    const place = { ...change, ...(ssl !== undefined && { ssl: false }) } as Partial<Assignment['fields']>;
    const { admin: readNamed } = await atHand({ ...tampered, assigned: named(place) });
    expect(await readNamed()).toMatchObject({ username: 'root' });
  });

  test('another host is refused, whoever names it: the admin would change somebody at its own', async () => {
    const assigned = named({ host: 'elsewhere.internal' });
    const { admin: read } = await atHand({ secret: { host: 'elsewhere.internal' }, assigned });
    await expect(read()).rejects.toMatchObject({ code: 'AdminSecretMismatch' });
  });

  test('hosts that RDS calls one cluster must agree in the port as well', async () => {
    const change = { host: 'reader.cluster.internal', port: 15_432 };
    const { admin: read } = await atHand({ secret: change, sharesUsers: true });
    await expect(read()).rejects.toMatchObject({ code: 'AdminSecretMismatch' });
    const { admin: same } = await atHand({ secret: { host: change.host }, sharesUsers: true });
    expect(await same()).toMatchObject({ username: 'root' });
  });
});

describe('what the deployment names', () => {
  const isAssigned = async (change: Record<string, unknown>, assigned?: Assignment, strategy?: Strategy) => {
    const credentials = await atHand({
      secret: change,
      ...(assigned && { assigned }),
      ...(strategy && { strategy }),
    });
    return await credentials.isAssigned(postgresql.schema.parse({ ...secret, ...change }));
  };

  test.each([
    ['the user and the host', {}, named()],
    ['a port that is the one of the type', { port: '5432' }, named()],
    ['a port that it names', { port: 6432 }, named({ port: 6432 })],
    ['TLS where it says nothing', { ssl: true }, named({ ssl: true })],
    ['the admin by its partial ARN', {}, named({}, partialAdminArn)],
    ['the admin by its name', { masterarn: 'admin' }, named()],
  ])('is %s', async (_name, change, assigned) => {
    expect(await isAssigned(change, assigned)).toBe(true);
  });

  test.each([
    ['nothing', {}, undefined],
    ['another user', { username: 'payments' }, named()],
    ['another host', { host: 'elsewhere.internal' }, named()],
    ['another port', { port: 6432 }, named()],
    ['plaintext', { ssl: false }, named()],
    ['another admin', { masterarn: `${partialAdminArn}s-MnOpQr` }, named()],
    ['no admin', { masterarn: undefined }, named()],
    ['the user that would take turns, where none does', { username: 'app_clone' }, named()],
  ])('is not %s', async (_name, change, assigned) => {
    expect(await isAssigned(change, assigned)).toBe(false);
  });

  test('is either of two users who take turns', async () => {
    expect(await isAssigned({ username: 'app_clone' }, named(), 'alternating-users')).toBe(true);
    expect(await isAssigned({ username: 'apps_clone' }, named(), 'alternating-users')).toBe(false);
  });
});

test('a previous version that holds no credential is no way in, and no error', async () => {
  for (const previous of ['no JSON', '{"host":1}', '[]']) {
    const { previous: read } = await atHand({ previous });
    expect(await read()).toBeUndefined();
  }
});
