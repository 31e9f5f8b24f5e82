import { describe, expect, test } from '@jest/globals';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import type { Revoker } from '../../../core/rotator.ts';
import type { Assignment } from '../../../core/secret/definition.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { credentialsAtHand } from '../../../lambdas/rotation/credentials.ts';
import { rotator as generic } from '../../../rotators/generic/rotator.ts';
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

describe('what the deployment names, where the secret names no admin', () => {
  const user = { username: 'app', host: 'db.internal' };

  test.each([undefined, null, ''])('is the same user without one: masterarn %j', async (masterarn) => {
    const current = { ...secret, masterarn };
    const { isAssigned } = await atHand({ secret: current, assigned: { fields: user } });
    expect(await isAssigned(postgresql.schema.parse(current))).toBe(true);
  });

  test('is no secret with an admin', async () => {
    const { isAssigned } = await atHand({ assigned: { fields: user } });
    expect(await isAssigned(postgresql.schema.parse(secret))).toBe(false);
  });

  test('is no secret without a user', async () => {
    const store = new MemoryStore();
    store.create(arn, '{"password":"of nobody"}');
    const credentials = credentialsAtHand(
      {
        rotator: generic,
        strategy: 'single-user',
        store,
        databases: noDatabases,
        assigned: async () => ({ fields: user }),
      },
      await store.describe(arn),
      { password: 'of nobody' },
    );
    expect(await credentials.isAssigned({ password: 'of nobody' })).toBe(false);
  });
});

describe('the admin secret', () => {
  /** The admin that is read for such a secret, whatever type it has, from such secrets and databases. */
  const read = async <S extends object>(
    rotator: Revoker<S>,
    current: S,
    held: Record<string, { readonly value: object; readonly tags?: Record<string, string> }>,
    databases = noDatabases,
  ) => {
    const store = new MemoryStore();
    store.create(arn, JSON.stringify(current));
    for (const [id, { value, tags }] of Object.entries(held)) {
      store.create(id, JSON.stringify(value), tags && { tags });
    }
    const sources = { rotator, strategy: 'single-user', store, databases } as const;
    return await credentialsAtHand(sources, await store.describe(arn), current).admin();
  };
  const app = postgresql.schema.parse(secret);

  test('of another place is refused where nobody names the place of the secret', async () => {
    const held = { [adminArn]: { value: { ...admin, port: 6432 } } };
    await expect(read(postgresql, app, held)).rejects.toMatchObject({
      code: 'AdminSecretMismatch',
      message: expect.stringContaining('of port 6432, the secret of port 5432'),
    });
  });

  test.each([undefined, null, ''])('is none where masterarn is %j', async (masterarn) => {
    const { admin: readNone } = await atHand({ secret: { masterarn } });
    expect(await readNone()).toBeUndefined();
  });

  test.each([
    ['the full ARN', adminArn, true],
    ['an ARN without suffix', 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin', false],
    ['a name', 'admin-GhIjKl', false],
  ])('that is missing is named, with what may be wrong with %s', async (_name, masterarn, isPartial) => {
    const error = await read(postgresql, { ...app, masterarn }, {}).catch((refusal) => refusal);
    expect(error).toMatchObject({ code: 'AdminSecretMissing' });
    expect(error.message).toContain(`the admin secret ${masterarn} (key masterarn) does not exist`);
    expect(error.message.includes('masterarn needs six more')).toBe(isPartial);
  });

  const instance = 'arn:aws:rds:eu-central-1:111122223333:db:orders';
  const managed = { username: 'root', password: 'of the admin' };
  const databases = {
    ...noDatabases,
    locate: async (found: string) =>
      found === instance ? { host: 'db.internal', port: 5432, engine: 'postgres' } : undefined,
  };

  test.each(['aws:rds:primaryDBInstanceArn', 'aws:rds:primaryDBClusterArn'])(
    'that RDS manages is of the database that its tag names: %s',
    async (tag) => {
      const held = { [adminArn]: { value: managed, tags: { [tag]: instance } } };
      expect(await read(postgresql, app, held, databases)).toMatchObject({ ...managed, host: 'db.internal' });
    },
  );

  test.each([
    ['has no tag of RDS', {}, 'RDS does not manage it'],
    [
      'is of a database that is gone',
      { 'aws:rds:primaryDBInstanceArn': `${instance}-2` },
      `RDS does not know ${instance}-2`,
    ],
  ])('without a host that %s is refused', async (_name, tags, why) => {
    const held = { [adminArn]: { value: managed, tags } };
    await expect(read(postgresql, app, held, databases)).rejects.toMatchObject({
      code: 'AdminSecretMismatch',
      message: expect.stringContaining(`holds no host, and ${why}`),
    });
  });

  test.each([{}, { host: 'anywhere.internal' }])(
    'of a secret without a host may be anywhere: %j',
    async (place) => {
      const held = { [adminArn]: { value: { password: 'of the admin', ...place } } };
      const current = { password: 'shared', masterarn: adminArn };
      expect(await read(generic, current, held)).toEqual({ password: 'of the admin', ...place });
    },
  );
});

describe('a previous version', () => {
  test('that holds no credential is no way in, and no error', async () => {
    for (const previous of ['no JSON', '{"host":1}', '[]']) {
      const { previous: read } = await atHand({ previous });
      expect(await read()).toBeUndefined();
    }
  });

  test.each([
    ['another user of the same host', { username: 'app_clone' }, 'a way in'],
    ['another host', { host: 'elsewhere.internal' }, 'none'],
    ['another port', { port: 6432 }, 'none'],
  ])('of %s, changed by %j, is %s', async (_name, change, is) => {
    const previous = { ...secret, ...change, password: 'of the previous one' };
    const { previous: read } = await atHand({ previous: JSON.stringify(previous) });
    expect(await read()).toEqual(is === 'none' ? undefined : postgresql.schema.parse(previous));
  });

  const ofGeneric = async (...values: readonly (string | undefined)[]) => {
    const store = new MemoryStore();
    store.create(arn, values[0]);
    for (const [index, value = ''] of values.slice(1).entries()) store.put(arn, `v${index + 2}`, value);
    const reads: unknown[] = [];
    const read = store.read.bind(store);
    store.read = async (id, which) => {
      reads.push(which);
      return await read(id, which);
    };
    const sources = { rotator: generic, strategy: 'single-user', store, databases: noDatabases } as const;
    const current = { password: 'current', team: 'orders' };
    return {
      reads,
      previous: credentialsAtHand(sources, await store.describe(arn), current).previous,
      fail: (error: Error) => {
        store.read = () => Promise.reject(error);
      },
    };
  };
  const now = '{"password":"current","team":"orders"}';

  test.each([
    ['that is the first value was never told to anybody', '{"password":"the first value"}', undefined],
    ['that has no text is none', undefined, undefined],
    ['of the same keys is one', '{"password":"p","team":"t"}', { password: 'p', team: 't' }],
  ])('%s', async (_name, value, expected) => {
    expect(await (await ofGeneric(value, now)).previous()).toEqual(expected);
  });

  test.each([
    ['may not be read', 'none', new SecretError('SecretAccessDenied', 'no kms:Decrypt')],
    ['has a key that is disabled', 'none', new SecretError('SecretKeyUnusable', 'disabled')],
    ['is gone with its secret', 'an error', new SecretError('SecretMissing', 'gone')],
    ['gives no answer', 'an error', new Error('socket hang up')],
  ])('that %s is %s', async (_name, is, error) => {
    const { previous, fail } = await ofGeneric(now, now);
    fail(error);
    const answer = await previous().catch((thrown) => thrown);
    expect(answer).toBe(is === 'none' ? undefined : error);
  });

  test('that there is not is not asked for', async () => {
    const { previous, reads } = await ofGeneric(now);
    expect([await previous(), reads]).toEqual([undefined, []]);
  });
});

describe('the other versions', () => {
  const of = (password: string, change: object = {}) => JSON.stringify({ ...secret, ...change, password });

  /** Versions in this order, of which `current` is current, and the one before it the previous one. */
  const others = async (
    versions: readonly string[],
    { current = '', labels = {} as Record<string, string>, which = 'all' as 'all' | 'newer' } = {},
  ) => {
    const store = new MemoryStore();
    store.create(arn, of('the oldest'));
    for (const value of versions) {
      const { password = value } = value.startsWith('{') ? JSON.parse(value) : {};
      await store.putPending(arn, password, value);
      await store.removePending(arn, password);
      if (password === current) store.label(arn, 'AWSCURRENT', password);
      const label = labels[password];
      if (label !== undefined) store.label(arn, label, password);
    }
    const sources = {
      rotator: postgresql,
      strategy: 'single-user' as const,
      store,
      databases: noDatabases,
    };
    const credentials = credentialsAtHand(
      sources,
      await store.describe(arn),
      postgresql.schema.parse(JSON.parse(of(current))),
    );
    const found: (string | undefined)[] = [];
    for await (const credential of credentials.others(which)) found.push(credential?.password);
    return found;
  };

  test('are those without a label of Secrets Manager, the labelled ones first and then the newest', async () => {
    const versions = ['one', 'two', 'three', 'four'].map((password) => of(password));
    expect(await others(versions, { current: 'three', labels: { one: 'last-known-good' } })).toEqual([
      'one',
      'four',
      'two',
    ]);
  });

  test('do not have the previous one again, though a person labelled it too', async () => {
    const versions = ['one', 'two'].map((password) => of(password));
    const labels = { one: 'last-known-good' };
    expect(await others([of('one')], { current: 'one', labels })).toEqual([]);
    expect(await others(versions, { current: 'two', labels })).toEqual(['one']);
  });

  test('are at most five, since each costs a login', async () => {
    const versions = ['1', '2', '3', '4', '5', '6', '7'].map((password) => of(password));
    expect(await others(versions, { current: '1' })).toEqual(['7', '6', '5', '4', '3']);
  });

  test('that are newer than the current one are all that is asked for where one may have been given up', async () => {
    const versions = ['one', 'two', 'three', 'four'].map((password) => of(password));
    expect(await others(versions, { current: 'two', which: 'newer' })).toEqual(['four', 'three']);
    expect(await others(versions, { current: 'four', which: 'newer' })).toEqual([]);
  });

  test('leave out what is no credential, or of another place', async () => {
    const versions = [of('one'), 'no JSON', of('elsewhere', { host: 'elsewhere.internal' }), of('now')];
    expect(await others(versions, { current: 'now' })).toEqual(['one']);
  });
});
