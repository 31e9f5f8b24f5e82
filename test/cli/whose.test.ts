import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import { hashOf } from '../../core/fingerprint/digest.ts';
import type { LookupRequest, Match } from '../../core/fingerprint/lookup.ts';
import { accessDenied, ago, day, FakeCloud, rekey } from './fixture.ts';

const value = 'kT7/first-value';
const keyId = 'AKIAEXAMPLEEXAMPLE01';
const name = '/prod/orders/db';

let cloud: FakeCloud;
/** Values that the index knows, with the version that held each. */
let known: Map<string, Partial<Match> & { versionId: string }>;

beforeEach(() => {
  cloud = new FakeCloud();
  cloud.environments = { dev: { ...cloud.environments.dev, fingerprintLookupFunction: 'lookup' } };
  known = new Map([
    [hashOf(value), { versionId: 'version-2' }],
    [hashOf(keyId), { versionId: 'version-1', parts: ['accessKeyId'] }],
  ]);
  const { definition } = cloud.add(name);
  cloud.onLookup = ({ hashes }: LookupRequest) => ({
    outcome: 'answered',
    matches: hashes.flatMap((hash, candidate) => {
      const match = known.get(hash);
      if (match === undefined) return [];
      return [
        {
          candidate,
          secretArn: definition.arn,
          secretName: name,
          secretType: 'postgresql',
          strategy: 'single-user' as const,
          owner: 'team-orders',
          parts: ['password'],
          labels: ['AWSPENDING'],
          seenAt: ago(day).toISOString(),
          ...match,
        },
      ];
    }),
  });
});

const document = (stdout: string) => JSON.parse(stdout);

describe('a value on standard input', () => {
  test('is found, with its secret, version, labels, owner, and what to do', async () => {
    const { exitCode, stdout, stderr } = await rekey(cloud, ['whose'], { input: `${value}\n` });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/SECRET +VERSION +LABELS +ALIVE +OWNER +FOUND AS/);
    expect(stdout).toMatch(/\/prod\/orders\/db +version-2 +AWSCURRENT +yes +team-orders +ends trimmed/);
    expect(stderr).toContain('It works. Make it stop now, and prove it:');
    expect(stderr).toContain(
      'rekey revoke /prod/orders/db --mode kill --version-id version-2 --reason "…" --environment dev --wait',
    );
  });

  test('is sent as the SHA-256 of its forms alone, and printed nowhere', async () => {
    const encoded = Buffer.from(value).toString('base64');
    for (const json of [[], ['--json']]) {
      const ran = await rekey(cloud, ['whose', ...json], { input: encoded });
      expect(ran.exitCode).toBe(0);
      for (const secret of [value, encoded, hashOf(value), hashOf(encoded)]) {
        expect(ran.stdout + ran.stderr).not.toContain(secret);
      }
    }
    const [sent] = cloud.lookups;
    expect(sent).toEqual({
      name: 'lookup',
      hashes: expect.arrayContaining([hashOf(encoded), hashOf(value)]),
      claimedActor: 'arn:aws:sts::111122223333:assumed-role/responder/ada',
    });
    expect(sent?.hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
  });

  test('that is not found ends with 1', async () => {
    const { exitCode, stdout } = await rekey(cloud, ['whose', '--json'], { input: 'another-value' });
    expect([exitCode, document(stdout)]).toEqual([
      1,
      { environment: 'dev', candidates: expect.any(Number), found: false, matches: [], accessKey: null },
    ]);
  });

  test('that many would guess is not called free of use', async () => {
    const { exitCode, stderr } = await rekey(cloud, ['whose'], { input: 'Password1\n' });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('such values get no fingerprint')]);
  });

  test('that is missing is asked for again', async () => {
    const { exitCode, stderr } = await rekey(cloud, ['whose'], { input: ' \n' });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('ValueMissing')]);
    expect(cloud.lookups).toEqual([]);
  });
});

test.each([
  [value],
  ['-p4ss/word-77'],
  ['--kT7=first-value'],
  ['akiaexampleexample01'],
  [hashOf(value), hashOf('other')],
  [hashOf(value).slice(1)],
  ['--hashes', 'kT7/first-value'],
  ['--hashes', hashOf(value)],
])('%j as an argument is refused, unheard and not repeated', async (...words) => {
  for (const json of [[], ['--json']]) {
    const { exitCode, stdout, stderr } = await rekey(cloud, ['whose', ...words, ...json]);
    expect(exitCode).toBe(2);
    expect(stdout + stderr).toContain('ValueInArgument');
    for (const word of words.filter((one) => one !== '--hashes')) expect(stdout + stderr).not.toContain(word);
  }
  expect(cloud.lookups).toEqual([]);
});

test('a hash is looked up as it is, in small or capital letters', async () => {
  for (const hash of [hashOf(value), hashOf(value).toUpperCase()]) {
    const { exitCode, stdout } = await rekey(cloud, ['whose', hash, '--json']);
    expect(exitCode).toBe(0);
    expect(document(stdout)).toMatchObject({
      candidates: 1,
      found: true,
      matches: [{ secretName: name, versionId: 'version-2', alive: 'yes', form: 'a SHA-256', input: null }],
    });
  }
  const { stderr } = await rekey(cloud, ['whose', hashOf(hashOf(value))]);
  expect(stderr).toContain('take it for leaked');
});

describe('the id of an access key', () => {
  test('is looked up in the index and in IAM', async () => {
    cloud.keyOwners = { [keyId]: { user: 'ci', lastUsed: ago(day) } };
    const { exitCode, stdout } = await rekey(cloud, ['whose', keyId, '--json']);
    expect(exitCode).toBe(0);
    expect(document(stdout)).toMatchObject({
      matches: [
        { versionId: 'version-1', parts: ['accessKeyId'], labels: ['AWSPREVIOUS'], alive: 'perhaps' },
      ],
      accessKey: { accessKeyId: keyId, user: 'ci', lastUsed: ago(day).toISOString() },
    });
  });

  test('of a user that no secret is of is said to be, and is not found', async () => {
    const other = 'AKIAEXAMPLEEXAMPLE99';
    cloud.keyOwners = { [other]: { user: 'ci' } };
    const { exitCode, stdout, stderr } = await rekey(cloud, ['whose', other]);
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('of user ci, of which no use is known')]);
    expect(stderr).toContain('deactivate it');
  });

  test('is looked up without IAM, where that is denied', async () => {
    cloud.failures.accessKeys = accessDenied('iam:GetAccessKeyLastUsed');
    const { exitCode, stderr } = await rekey(cloud, ['whose', keyId]);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('IAM could not be asked')]);
  });
});

describe('labels', () => {
  const found = async () =>
    document((await rekey(cloud, ['whose', '--json'], { input: value })).stdout).matches;

  test('of now count; a version that has none is dead, since a time', async () => {
    known.set(hashOf(value), {
      versionId: 'version-0',
      labels: [],
      replacedBy: ago(3 * day).toISOString(),
    });
    expect(await found()).toMatchObject([
      { labels: [], alive: 'no', replacedBy: ago(3 * day).toISOString(), next: null },
    ]);
    const { stdout, stderr } = await rekey(cloud, ['whose'], { input: value });
    expect(stdout).toMatch(/none, 3 d ago +no/);
    expect(stderr).toContain('Only a revocation proves');
  });

  test('of the index count where the caller may not look', async () => {
    cloud.failures.secrets = new SecretError('SecretAccessDenied', 'denied');
    expect(await found()).toMatchObject([{ labels: ['AWSPENDING'], alive: 'perhaps' }]);
  });

  test('of a secret that is gone say little: its target may accept the value', async () => {
    cloud.failures.secrets = new SecretError('SecretMissing', 'gone');
    expect(await found()).toMatchObject([{ alive: 'perhaps', goneBy: ago(day).toISOString(), next: null }]);
    const { stderr } = await rekey(cloud, ['whose'], { input: value });
    expect(stderr).toContain('Its secret is gone');
  });

  test('of what nobody can be asked about never make it dead', async () => {
    known.set(hashOf(value), { versionId: 'version-0', secretType: 'generic' });
    expect(await found()).toMatchObject([{ labels: [], alive: 'perhaps' }]);
  });
});

describe('hashes', () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => hashOf(String(at)));

  test('are looked up a hundred at a time, and found by their line', async () => {
    const input = [...many(120), '', hashOf(value), ...many(130).slice(120)].join('\r\n');
    const { exitCode, stdout } = await rekey(cloud, ['whose', '--hashes', '--json'], { input });
    expect(exitCode).toBe(0);
    expect(cloud.lookups.map(({ hashes }) => hashes.length)).toEqual([100, 31]);
    expect(document(stdout)).toMatchObject({ candidates: 131, matches: [{ input: 122, form: 'a SHA-256' }] });
    const table = await rekey(cloud, ['whose', '--hashes'], { input });
    expect(table.stdout).toMatch(/LINE +SECRET[^\n]*\n122 +\/prod/);
  });

  test('and nothing else: a value among them is named by its line', async () => {
    const { exitCode, stderr } = await rekey(cloud, ['whose', '--hashes'], {
      input: `${hashOf('a')}\n${value}\n`,
    });
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('line 2 of standard input is no SHA-256'),
    ]);
    expect(stderr).not.toContain(value);
  });

  test('are divided by the caller above a thousand', async () => {
    const { exitCode } = await rekey(cloud, ['whose', '--hashes'], { input: many(1_001).join('\n') });
    expect([exitCode, cloud.lookups]).toEqual([2, []]);
  });
});

describe('a refusal', () => {
  const exhausted = (retryAfterSeconds: number) => ({
    outcome: 'refused' as const,
    error: { code: 'LookupsExhausted', message: `try again in ${retryAfterSeconds} s`, retryable: true },
    retryAfterSeconds,
  });

  test('for a while is waited out', async () => {
    const { onLookup } = cloud;
    let refusals = 2;
    cloud.onLookup = (request) => {
      refusals -= 1;
      return refusals < 0 ? onLookup(request) : exhausted(20);
    };
    const { exitCode } = await rekey(cloud, ['whose'], { input: value });
    expect([exitCode, cloud.lookups.length]).toEqual([0, 3]);
  });

  test('for longer says for how long, and is one that passes', async () => {
    cloud.onLookup = () => exhausted(1_800);
    const { exitCode, stdout } = await rekey(cloud, ['whose', '--json'], { input: value });
    expect([exitCode, document(stdout).error]).toEqual([
      3,
      expect.objectContaining({
        code: 'LookupsExhausted',
        message: 'try again in 1800 s',
        retryable: true,
      }),
    ]);
    expect(cloud.lookups).toHaveLength(1);
  });

  test('by the function, or for want of one, has its code', async () => {
    cloud.onLookup = () => {
      throw new RekeyError('AuditUnavailable', 'lookup: neither took the record');
    };
    expect((await rekey(cloud, ['whose'], { input: value })).stderr).toContain('AuditUnavailable');
    cloud.environments = { dev: { eventBus: 'rekey-dev' } };
    const { exitCode, stderr } = await rekey(cloud, ['whose'], { input: value });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('FingerprintsOff')]);
  });
});

describe('the report of a scanner', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-whose-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'report.json');
  const finding = (Secret: string, StartLine: number) => ({
    RuleID: 'generic',
    Secret,
    File: 'src/app.py',
    StartLine,
  });

  test('has each of its values looked up once, and says where it was', async () => {
    writeFileSync(file, JSON.stringify([finding(value, 3), finding(value, 9), finding('another-value', 12)]));
    const { exitCode, stdout, stderr } = await rekey(cloud, ['whose', '--from-scan', file]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\/prod\/orders\/db +version-2 +AWSCURRENT +yes +team-orders +src\/app.py:3/);
    expect(cloud.lookups.map(({ hashes }) => hashes)).toEqual([[hashOf(value), hashOf('another-value')]]);
    for (const secret of [value, 'another-value', hashOf(value)])
      expect(stdout + stderr).not.toContain(secret);
  });

  test('says what it cannot tell', async () => {
    const results = { a: [{ type: 'x', hashed_secret: 'da39a3ee', line_number: 1 }] };
    writeFileSync(file, JSON.stringify({ version: '1.5.0', results }));
    const { exitCode, stderr } = await rekey(cloud, ['whose', '--from-scan', file]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('SHA-1 alone');
    expect(cloud.lookups).toEqual([]);
  });

  test('is refused where it is none, or with other values', async () => {
    writeFileSync(file, 'no report');
    const refused = await rekey(cloud, ['whose', '--from-scan', file, '--json']);
    expect(document(refused.stdout).error).toMatchObject({ code: 'ScanReportInvalid' });
    const both = await rekey(cloud, ['whose', keyId, '--from-scan', file, '--json']);
    expect([both.exitCode, document(both.stdout).error.code]).toEqual([2, 'UsageInvalid']);
  });
});
