import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { proofChecks } from '../../../core/preflight/checks/index.ts';
import { withoutCloud } from '../../../core/preflight/gather.ts';
import { prove, verdictOf } from '../../../core/preflight/prove.ts';
import { allow, arnOf, deny, FakeAccount, now, policy, reference } from './account.ts';
import { found, proving } from './proving.ts';
import { arn, encrypted, name, reader, readSecret, sound, theRole } from './sound.ts';

/** Each check finds what it is about, and is silent where all is well. */

const dayMs = 86_400_000;
const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);
test('a reference that holds is proven, by name, by ARN and by ARN without its last characters', async () => {
  for (const secret of [name, arn, arn.slice(0, -7)]) {
    const { state, all } = await found(sound(), reference(secret, { ...reader, key: 'password' }));
    expect({ secret, state, all }).toEqual({ secret, state: 'proven', all: [] });
  }
});

test('every check has words, and a row on the page', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/preflight.md'), 'utf8');
  for (const { description } of proofChecks) {
    expect(description.demand).toMatch(/^[A-Z].*\.$/);
    expect(description.reason).toMatch(/^[A-Z].*\.$/);
    expect(description.controls.length).toBeGreaterThan(0);
    const weight = 'unproven' in description ? 'not proven' : description.severity;
    expect(page).toContain(`| \`${description.id}\` | ${weight} |`);
  }
});

describe('NameInvalid', () => {
  test.each(['orders db', '/prod/orders:db', 'arn:aws:s3:::bucket', '$(rm -rf /)', ''])(
    '%j',
    async (secret) => {
      const { checks } = await found(sound(), reference(secret));
      expect(checks).toEqual(['NameInvalid']);
    },
  );
});

describe('SecretMissing', () => {
  test('names the secret that may be meant', async () => {
    const { checks, messages, fixes } = await found(sound(), reference('/prod/order/db'));
    expect(checks).toEqual(['SecretMissing']);
    expect(messages[0]).toMatch(
      /no secret \/prod\/order\/db in eu-central-1; did the manifest mean \/prod\/orders\/db\?/,
    );
    expect(fixes[0]).toBe('correct the name in the manifest to /prod/orders/db');
  });

  test('tells an ARN of an earlier secret from a wrong name', async () => {
    const { messages, fixes } = await found(sound(), reference(`${arn.slice(0, -6)}ZzYyXx`));
    expect(messages[0]).toMatch(/the secret \/prod\/orders\/db is another one, made later/);
    expect(fixes[0]).toMatch(
      /describe-secret --secret-id \/prod\/orders\/db --region eu-central-1 --query ARN/,
    );
  });

  test('looks in the region of the ARN, and in that of the manifest', async () => {
    expect((await found(sound(), reference(arnOf(name, { region: 'eu-west-1' })))).checks).toEqual([
      'SecretMissing',
    ]);
    expect((await found(sound(), reference(name, { region: 'eu-west-1' }))).checks).toEqual([
      'SecretMissing',
    ]);
  });
});

test('SecretDeleted names the day and how to restore it', async () => {
  const cloud = sound({ deleted: daysAgo(2) });
  const { checks, messages, fixes } = await found(cloud, reference(name, reader));
  expect(checks).toEqual(['SecretDeleted']);
  expect(messages[0]).toMatch(/was deleted on 2026-03-08/);
  expect(fixes[0]).toContain(`aws secretsmanager restore-secret --secret-id ${arn} --region eu-central-1`);
});

describe('SecretOfOtherEnvironment', () => {
  test.each([
    ['the tag of Rekey', { 'rekey:environment': 'dev' }, name, true],
    [
      'the tag of Rekey, of an environment with a name of its own',
      { 'rekey:environment': 'blue' },
      name,
      true,
    ],
    ['another tag', { Environment: 'Staging' }, 'orders', true],
    ['a tag with something else', { stage: 'build' }, 'orders', false],
    ['the same environment by another name', { env: 'production' }, 'orders', false],
    ['the name', {}, 'dev/orders', true],
    ['a name without one', {}, 'orders/db', false],
    ['a tag that speaks before the name', { 'rekey:environment': 'prod' }, '/dev/orders', false],
  ])('by %s', async (_by, tags, secret, other) => {
    const cloud = new FakeAccount();
    cloud.add(secret, { tags: tags as Record<string, string> });
    const { checks } = await found(cloud, reference(secret));
    expect(checks).toEqual(other ? ['SecretOfOtherEnvironment'] : []);
  });

  test('a secret that the environment has adopted is its own', async () => {
    const cloud = new FakeAccount();
    cloud.definitions[cloud.add('dev/orders').arn] = { type: 'postgresql' };
    expect((await found(cloud, reference('dev/orders'))).checks).toEqual([]);
  });
});

describe('SecretExpired', () => {
  test('by the definition, the day after its last one', async () => {
    const cloud = sound();
    cloud.definitions[arn] = { type: 'postgresql', expires: '2026-03-09' };
    expect((await found(cloud, reference(name))).messages[0]).toBe(`${name} ended on 2026-03-09`);
    cloud.definitions[arn] = { type: 'postgresql', expires: '2026-03-10' };
    expect((await found(cloud, reference(name))).checks).toEqual([]);
  });

  test('by the mark that its end has left', async () => {
    const cloud = sound({ tags: { 'rekey:expired': '2026-02-01 pending' } });
    expect((await found(cloud, reference(name))).checks).toEqual(['SecretExpired']);
  });
});

describe('SecretOverdue', () => {
  test('by the date of the next rotation, unless it is paused', async () => {
    const late = { nextRotation: daysAgo(3) };
    const { checks, state, messages } = await found(sound(late), reference(name));
    expect({ checks, state }).toEqual({ checks: ['SecretOverdue'], state: 'doubtful' });
    expect(messages[0]).toMatch(/by 2026-03-07/);
    const paused = { ...late, tags: { 'rekey:paused-until': new Date(now.getTime() + dayMs).toISOString() } };
    expect((await found(sound(paused), reference(name))).checks).toEqual([]);
  });

  test('by the age that its definition allows', async () => {
    const cloud = sound({ rotationEnabled: false, lastRotated: daysAgo(91) });
    cloud.definitions[arn] = { maximumAgeDays: 90 };
    const { messages, fixes } = await found(cloud, reference(name));
    expect(messages[0]).toMatch(/91 days ago, and may be 90 days old/);
    expect(fixes[0]).toMatch(/put-secret-value/);
    cloud.definitions[arn] = { maximumAgeDays: 91 };
    expect((await found(cloud, reference(name))).checks).toEqual([]);
  });
});

describe('SecretRevoked', () => {
  test.each([
    [
      { state: 'failed', incident: 'INC-7' } as const,
      /failed, and no rotation/,
      'rekey incident retry INC-7',
    ],
    [{ state: 'failed' } as const, /failed/, `rekey secret rotate ${name} --wait`],
    [
      { state: 'under way' } as const,
      /is under way/,
      `wait for its end: rekey audit tail --since 1h --secret ${name}`,
    ],
  ])('%j', async (open, message, fix) => {
    const cloud = sound();
    cloud.definitions[arn] = { type: 'postgresql' };
    cloud.revocations.set(arn, { since: '2026-03-10T11:00:00Z', ...open });
    const { checks, messages, fixes } = await found(cloud, reference(name));
    expect(checks).toEqual(['SecretRevoked']);
    expect(messages[0]).toMatch(message);
    expect(fixes[0]).toBe(fix);
  });

  test('another secret’s revocation is none of it', async () => {
    const cloud = sound();
    cloud.definitions[arn] = { type: 'postgresql' };
    cloud.revocations.set(arnOf('/prod/stock'), { since: '2026-03-10T11:00:00Z', state: 'failed' });
    expect((await found(cloud, reference(name))).checks).toEqual([]);
  });
});

describe('VersionMissing', () => {
  test.each([
    [{ versionStage: 'AWSPREVIOUS' }, undefined],
    [{ versionId: 'version-1' }, undefined],
    [{ versionId: 'version-2', versionStage: 'AWSCURRENT' }, undefined],
    [{ versionStage: 'AWSPREVIUS' }, /no version with the label AWSPREVIUS; it has AWSCURRENT, AWSPREVIOUS/],
    [{ versionId: 'version-9' }, /no version version-9 with a label/],
    [{ versionId: 'version-1', versionStage: 'AWSCURRENT' }, /does not have the label AWSCURRENT/],
  ])('%j', async (which, message) => {
    const { checks, messages } = await found(sound(), reference(name, which));
    expect(checks).toEqual(message === undefined ? [] : ['VersionMissing']);
    if (message !== undefined) expect(messages[0]).toMatch(message);
  });

  test('a secret without any value', async () => {
    const { messages } = await found(sound({ versions: {} }), reference(name));
    expect(messages[0]).toMatch(/has no value: no version has the label AWSCURRENT/);
  });
});

describe('KeyMissing', () => {
  test.each([
    ['password', true],
    ['db.host', true],
    ['$.db.host', true],
    ['dotted.name', true],
    ['list[0].a', true],
    ['passwort', false],
    ['db.port', false],
    ['list[1]', false],
  ])('%s', async (key, there) => {
    const value = '{"password":"v","db":{"host":"h"},"dotted.name":1,"list":[{"a":1}]}';
    const { checks } = await found(sound({ value }), reference(name, { key }));
    expect(checks).toEqual(there ? [] : ['KeyMissing']);
  });

  test.each([
    ['ecs-task-definition', 'db.host', false],
    ['cloudformation', 'db.host', false],
    ['terraform-plan', 'list[0].a', false],
    ['ecs-task-definition', 'dotted.name', true],
    ['external-secret', 'db.host', true],
  ] as const)('%s takes %s for what its reader takes it for', async (format, key, there) => {
    const value = '{"db":{"host":"h"},"dotted.name":1,"list":[{"a":1}]}';
    const { checks } = await found(sound({ value }), { ...reference(name, { key }), format });
    expect(checks).toEqual(there ? [] : ['KeyMissing']);
  });

  test('is not decided where a value is larger than what is looked at, unless its top has the key', async () => {
    const deep = JSON.stringify(
      Array.from({ length: 12 }).reduce<object>((below) => ({ a: below }), { last: 1 }),
    ).replace('{', '{"password":"v",');
    expect((await found(sound({ value: deep }), reference(name, { key: 'password' }))).checks).toEqual([]);
    const { checks, state } = await found(sound({ value: deep }), reference(name, { key: 'none' }));
    expect([checks, state]).toEqual([['NotProven'], 'not proven']);
  });

  test('the nearest name is a suggestion, and nothing of the value is in it', async () => {
    const value = '{"password":"sentinel-password","sentinel data, not a name":1}';
    const { messages, fixes } = await found(sound({ value }), reference(name, { key: 'passwort' }));
    expect(messages[0]).toMatch(/no key passwort; did the manifest mean password\?/);
    expect(fixes[0]).toBe('write password in the manifest');
    const { messages: odd } = await found(
      sound({ value }),
      reference(name, { key: 'sentinel data, not a nam' }),
    );
    expect(odd[0]).not.toContain('a name');
  });

  test.each([['text'], ['"text"'], ['[1]'], [undefined]])('a value of %j has no keys', async (value) => {
    expect((await found(sound({ value }), reference(name, { key: 'a' }))).checks).toEqual(['KeyMissing']);
  });
});

describe('a trial at the target', () => {
  test('is made with --probe alone, once for a credential', async () => {
    const cloud = sound();
    cloud.trials[arn] = { outcome: 'rejected', message: 'the server refused app' };
    expect((await found(cloud, reference(name))).checks).toEqual([]);
    const report = await proving(
      cloud,
      [reference(name, reader), reference(name, { ...reader, key: 'password' })],
      {
        probe: true,
      },
    );
    expect(report.references.map(({ findings }) => findings[0]?.check)).toEqual([
      'CredentialRefused',
      'CredentialRefused',
    ]);
    expect(cloud.calls['secretsmanager:GetSecretValue']).toBe(1);
  });

  test('ProbeImpossible never counts as proven', async () => {
    const cloud = sound();
    cloud.trials[arn] = { outcome: 'unproven', message: 'no answer from db:5432' };
    expect(await found(cloud, reference(name), { probe: true })).toMatchObject({
      checks: ['ProbeImpossible'],
      state: 'not proven',
    });
  });
});

describe('NotProven', () => {
  test.each([
    ['secretsmanager:DescribeSecret', {}],
    ['secretsmanager:GetResourcePolicy', {}],
    ['secretsmanager:BatchGetSecretValue', { key: 'password' }],
    ['iam:GetRole', {}],
    ['iam:GetAccountAuthorizationDetails', {}],
    ['ssm:GetParameter', {}],
    ['s3:ListBucket', {}],
    ['kms:GetKeyPolicy', {}],
  ])('%s is denied', async (action, more) => {
    const cloud = encrypted(policy(allow('kms:*', '*', theRole)));
    cloud.definitions[arn] = { type: 'postgresql' };
    cloud.denied.add(action);
    const { checks, state, fixes } = await found(cloud, reference(name, { ...reader, ...more }));
    expect({ checks, state }).toEqual({ checks: ['NotProven'], state: 'not proven' });
    expect(fixes[0]).toContain(`allow ${action} to the role of this check`);
  });

  test('names the conditions that only a request can meet', async () => {
    const cloud = new FakeAccount();
    cloud.add(name);
    const fromVpc = { Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-1' } } };
    cloud.role('orders', [policy(allow('secretsmanager:GetSecretValue', '*', fromVpc))]);
    const { checks, messages } = await found(cloud, reference(name, reader));
    expect(checks).toEqual(['NotProven']);
    expect(messages[0]).toMatch(/its policies ask for aws:SourceVpce/);
  });

  test('a denial on such a condition is open, and a certain one decides', async () => {
    const cloud = new FakeAccount();
    cloud.add(name);
    const outside = { Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } };
    cloud.role('orders', [readSecret, policy(deny('*', '*', outside))]);
    expect((await found(cloud, reference(name, reader))).checks).toEqual(['NotProven']);
    cloud.role('stock', [policy(deny('*', '*', outside))]);
    const stock = { readBy: { name: 'stock', roleName: 'stock' } };
    expect((await found(cloud, reference(name, stock))).checks).toEqual(['ReaderDenied']);
  });

  test('a secret of another account that this one does not see', async () => {
    const { checks, messages } = await found(sound(), reference(arnOf(name, { account: '999900001111' })));
    expect(checks).toEqual(['NotProven']);
    expect(messages[0]).toMatch(/in account 999900001111, which does not show it/);
  });

  test('credentials that are wrong end everything', async () => {
    const cloud = sound();
    const expired = Object.assign(new Error('expired'), { name: 'ExpiredTokenException', $metadata: {} });
    cloud.secret = () => Promise.reject(expired);
    await expect(proving(cloud, [reference(name)])).rejects.toBe(expired);
  });
});

test('a check that is left out asks for nothing', async () => {
  const cloud = sound();
  cloud.denied.add('iam:GetAccountAuthorizationDetails');
  const skipped = new Set(['ReadableByTooMany']);
  expect((await found(cloud, reference(name, reader), { skipped })).state).toBe('proven');
  expect(cloud.calls['iam:GetAccountAuthorizationDetails']).toBeUndefined();
});

test('without AWS, forms and names are looked at, and nothing is proven', () => {
  const gathering = {
    references: [reference(name), reference('not a name'), reference('/dev/orders')],
    environment: 'prod',
    environments: new Set(['dev', 'prod']),
    now,
    probe: false,
    skipped: new Set<string>(),
    concurrency: 8,
  };
  const settings = { maximumReaders: 25, probe: false, skipped: gathering.skipped };
  const report = prove(withoutCloud(gathering), [], settings);
  expect(report.references.map(({ state }) => state)).toEqual(['not proven', 'broken', 'broken']);
  const [only] = report.references;
  expect(verdictOf({ references: only ? [only] : [], manifests: [], skipped: [] }, 'error')).toBe(
    'not proven',
  );
  expect(verdictOf(report, 'error')).toBe('wrong');
});

test('what manifests hold that cannot be read counts', () => {
  const place = { file: 'a.yaml', pointer: '' };
  const settings = { maximumReaders: 25, probe: false, skipped: new Set<string>() };
  const unread = [
    { code: 'ManifestUnreadable', place, message: 'a.yaml is no YAML', fix: 'correct it' },
  ] as const;
  expect(verdictOf(prove([], unread, settings), 'error')).toBe('not proven');
  const malformed = [{ ...unread[0], code: 'ReferenceMalformed' }] as const;
  expect(verdictOf(prove([], malformed, settings), 'error')).toBe('wrong');
  expect(verdictOf(prove([], [], settings), 'error')).toBe('proven');
});

test('a warning is wrong only where that is asked for', async () => {
  const late = await proving(sound({ nextRotation: daysAgo(3) }), [reference(name, reader)]);
  expect([verdictOf(late, 'error'), verdictOf(late, 'warning')]).toEqual(['proven', 'wrong']);
});
