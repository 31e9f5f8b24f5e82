import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import type { LookupRequest } from '../../../core/fingerprint/lookup.ts';
import { ago, day, FakeCloud, rekey } from '../fixture.ts';
import { zipOf } from './pack.ts';
import { planted } from './planted.ts';

const folder = mkdtempSync(join(tmpdir(), 'rekey-scan-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secretOf = (of: string) => planted.find(({ name }) => name === of)?.value ?? '';
const textOf = (of: string) => planted.find(({ name }) => name === of)?.text ?? '';
const github = secretOf('GitHub');
/** A password as Rekey makes them, which no rule knows. */
const password = ['kT7', 'vQ2', 'mB9', 'xR4', 'nL6', 'wZ3'].join('-');

let count = 0;
function artifact(files: Readonly<Record<string, string>>): string {
  count += 1;
  const path = join(folder, `dist-${count}.zip`);
  writeFileSync(path, zipOf(files));
  return path;
}
const cloud = new FakeCloud();
const scan = (...argv: readonly string[]) => rekey(cloud, ['scan', ...argv]);
const json = async (...argv: readonly string[]) => {
  const { exitCode, stdout } = await scan(...argv, '--json');
  return { exitCode, document: JSON.parse(stdout) };
};

describe('a scan', () => {
  test('of what holds nothing ends with 0', async () => {
    const { exitCode, stdout } = await scan(artifact({ 'a.js': 'const a = 1;' }));
    expect([exitCode, stdout]).toEqual([0, '1 file, 1 archive: 0 errors, 0 warnings, 0 not looked into\n']);
  });

  test('names the rule, the place, and of the value what may be shown', async () => {
    const path = artifact({ 'lib/a.js': `\n key = '${github}'` });
    const { exitCode, stdout } = await scan(path);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      `error  GitHubToken  ${basename(path)} → lib/a.js:2:9\n  token of GitHub: ghp_… (40 characters)\n`,
    );
  });

  test('ends with 0 where all that is found is a warning', async () => {
    const { exitCode, document } = await json(artifact({ a: textOf('AWS key id') }));
    expect([exitCode, document.findings[0].severity]).toEqual([0, 'warning']);
  });

  test('is not clean where something could not be looked into, and goes on', async () => {
    const path = join(folder, 'both');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'a.zip'), zipOf({ 'a.txt': 'x' }, { flags: 1 }));
    writeFileSync(join(path, 'b.js'), github);
    const { exitCode, document } = await json(path);
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({
      counts: { files: 1, archives: 1 },
      findings: [{ rule: 'GitHubToken', path: ['both', 'b.js'], line: 1, column: 1, live: null }],
      notLookedInto: [{ path: ['both', 'a.zip', 'a.txt'], reason: 'is encrypted' }],
    });
    rmSync(join(path, 'b.js'));
    expect((await json(path)).exitCode).toBe(1);
  });

  test('writes no value, in any form', async () => {
    const path = artifact(
      Object.fromEntries(planted.map(({ name, text, file }) => [file ?? `${name}.txt`, text])),
    );
    for (const form of [[], ['--json'], ['--sarif']]) {
      const { stdout, stderr } = await scan(path, ...form);
      expect(
        planted.filter(({ value }) => (stdout + stderr).includes(value)).map(({ name }) => name),
      ).toEqual([]);
    }
  });

  test('writes SARIF with places and waivers', async () => {
    const path = artifact({ 'a.js': github, 'b.js': github });
    const waivers = join(folder, 'waivers.json');
    writeFileSync(waivers, JSON.stringify([{ rule: 'GitHubToken', subject: 'b.js', reason: 'a sample' }]));
    const { exitCode, stdout } = await scan(path, '--sarif', '--waivers', waivers);
    expect(exitCode).toBe(1);
    const [{ tool, results }] = JSON.parse(stdout).runs;
    expect(tool.driver.rules[results[0].ruleIndex].id).toBe('GitHubToken');
    expect(results.map(({ suppressions }: { suppressions?: unknown }) => suppressions)).toEqual([
      undefined,
      [{ kind: 'external', justification: 'a sample' }],
    ]);
    expect(results[0].locations[0].physicalLocation.artifactLocation.uri).toMatch(/dist-\d+\.zip\/a\.js$/);
  });
});

describe('waivers', () => {
  const path = () => artifact({ 'test/sample.js': github, 'src/a.js': 'x' });
  const waive = (waiver: object) => {
    const file = join(folder, `waivers-${count}.json`);
    writeFileSync(file, JSON.stringify([{ rule: 'GitHubToken', reason: 'made up for a test', ...waiver }]));
    return ['--waivers', file];
  };
  test.each([
    ['by its place', { subject: 'test/sample.js' }, 0],
    ['by a pattern', { subject: 'test/**' }, 0],
    ['until a day that has not come', { subject: 'test/**', until: '2026-03-11' }, 0],
    ['until a day that is over', { subject: 'test/**', until: '2026-03-09' }, 1],
    ['of another place', { subject: 'src/**' }, 1],
    ['of another rule', { rule: 'NpmAccessToken', subject: 'test/**' }, 1],
  ])('%s', async (_, waiver, exitCode) => {
    const ran = await scan(path(), ...waive(waiver));
    expect(ran.exitCode).toBe(exitCode);
    if ('until' in waiver && exitCode === 1) expect(ran.stdout).toContain('its waiver ended on 2026-03-09');
  });

  test('of a rule that does not exist, or without a reason, are refused', async () => {
    for (const waiver of [
      { rule: 'NoSuchRule', subject: 'a' },
      { subject: 'a', reason: ' ' },
    ]) {
      const { exitCode, stderr } = await scan(path(), ...waive(waiver));
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('WaiversInvalid')]);
    }
  });

  test('of templates stand in the same file', async () => {
    const { exitCode } = await scan(path(), ...waive({ rule: 'SecretWithoutRotation', subject: 'a' }));
    expect(exitCode).toBe(1);
  });
});

describe('live values', () => {
  const name = '/prod/orders/db';
  let live: FakeCloud;
  let known: Map<string, string>;
  beforeEach(() => {
    live = new FakeCloud();
    live.environments = { dev: { ...live.environments.dev, fingerprintLookupFunction: 'lookup' } };
    const { definition } = live.add(name);
    known = new Map([[hashOf(password), 'version-2']]);
    live.onLookup = ({ hashes }: LookupRequest) => ({
      outcome: 'answered',
      matches: hashes.flatMap((hash, candidate) => {
        const versionId = known.get(hash);
        if (versionId === undefined) return [];
        return [
          {
            candidate,
            secretArn: definition.arn,
            secretName: name,
            secretType: 'postgresql',
            strategy: 'single-user' as const,
            owner: 'team-orders',
            versionId,
            parts: ['password'],
            labels: ['AWSCURRENT'],
            seenAt: ago(day).toISOString(),
          },
        ];
      }),
    });
  });
  const files = {
    '.env': `DB_PASSWORD=${password}\nAPI_TOKEN=${['q8W', 'x1Z', 'p5R', 'c3T', 'h7Y'].join('')}`,
    'b.json': `{"password": "${password}"}`,
    'c.js': github,
  };

  test('are found among what no rule knows, and asked for as hashes alone', async () => {
    const { exitCode, stdout, stderr } = await rekey(live, ['scan', artifact(files), '--live', '--json']);
    const { environment, findings, live: asked } = JSON.parse(stdout);
    expect([exitCode, environment]).toEqual([1, 'dev']);
    expect(
      findings.map(({ rule, path, line }: Record<string, unknown>) => [
        rule,
        (path as string[]).at(-1),
        line,
      ]),
    ).toEqual([
      ['GitHubToken', 'c.js', 1],
      ['LiveSecret', '.env', 1],
      ['LiveSecret', 'b.json', 1],
    ]);
    expect(findings[1].live).toEqual([
      expect.objectContaining({
        secretName: name,
        versionId: 'version-2',
        owner: 'team-orders',
        alive: 'yes',
      }),
    ]);
    expect(asked.asked).toBeGreaterThan(2);
    expect(JSON.stringify(live.lookups) + stdout + stderr).not.toContain(password);
    expect(live.lookups.flatMap(({ hashes }) => hashes).every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(
      true,
    );
  });

  test('in a connection string raise what is found', async () => {
    const url = `postgresql://app:${password}@db.internal/orders`;
    const { stdout } = await rekey(live, ['scan', artifact({ a: url }), '--live', '--json']);
    const { findings } = JSON.parse(stdout);
    expect(findings).toEqual([
      expect.objectContaining({
        rule: 'DatabasePasswordInUrl',
        live: [expect.objectContaining({ alive: 'yes' })],
      }),
    ]);
  });

  test('are not asked for without --live', async () => {
    const { stdout } = await rekey(live, ['scan', artifact(files), '--json']);
    expect([JSON.parse(stdout).findings.length, live.lookups]).toEqual([1, []]);
  });

  test('that are more than is asked for are a finding', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 700 }, (_, at) => [`${at}.env`, `TOKEN=${password}${at}`]),
    );
    const { exitCode, stdout } = await rekey(live, ['scan', artifact(many), '--live', '--json']);
    const { notLookedInto, live: asked } = JSON.parse(stdout);
    expect([exitCode, asked, notLookedInto.length]).toEqual([1, { asked: 500, leftOut: 200 }, 1]);
  });

  test('go from the report straight into a revocation, without a value in it', async () => {
    const report = join(folder, 'found.json');
    await rekey(live, ['scan', artifact(files), '--live', '--report', report]);
    const written = readFileSync(report, 'utf8');
    for (const secret of [password, hashOf(password), github, hashOf(github)])
      expect(written).not.toContain(secret);
    expect(statSync(report).mode & 0o077).toBe(0);
    expect(JSON.parse(written)).toMatchObject({
      format: 'rekey-scan/1',
      environment: 'dev',
      findings: 3,
      secrets: [{ secretName: name, versions: ['version-2'], alive: ['yes'] }],
    });
    live.lookups = [];
    const plan = ['--mode', 'kill', '--reason', 'in an image', '--plan'];
    const { stdout, stderr } = await rekey(live, ['revoke', '--from-scan', report, ...plan]);
    expect(stdout + stderr).toContain(name);
    expect(live.lookups).toEqual([]);
  });

  test.each([
    ['of another environment', { environment: 'prod' }, 'the report is on environment prod'],
    ['that names nothing', { secrets: [] }, 'the scan found no value'],
    [
      'with what is no ARN',
      { secrets: [{ secretArn: '/prod/orders/db', versions: ['v'] }] },
      'no report of gitleaks',
    ],
    ['of a newer form', { format: 'rekey-scan/2' }, 'no report of gitleaks'],
  ])('a report %s is refused', async (_, change, message) => {
    const report = join(folder, 'changed.json');
    const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/prod/orders/db-AbCdEf';
    const whole = {
      format: 'rekey-scan/1',
      environment: 'dev',
      secrets: [{ secretArn, versions: ['version-2'] }],
    };
    writeFileSync(report, JSON.stringify({ ...whole, ...change }));
    const { exitCode, stderr } = await rekey(live, [
      'revoke',
      '--from-scan',
      report,
      '--mode',
      'kill',
      '--reason',
      'x',
      '--plan',
    ]);
    expect([exitCode, stderr]).toEqual([expect.any(Number), expect.stringContaining(message)]);
    expect(exitCode).toBeGreaterThan(1);
    expect(live.published).toEqual([]);
  });

  test('a report is nothing to look up', async () => {
    const report = join(folder, 'again.json');
    writeFileSync(report, JSON.stringify({ format: 'rekey-scan/1', environment: 'dev', secrets: [] }));
    const { exitCode, stderr } = await rekey(live, ['whose', '--from-scan', report]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('rekey revoke --from-scan')]);
  });
});

describe('wrong usage', () => {
  test.each([
    [[], /name a file, an archive or a folder/],
    [['nowhere.zip'], /UsageInvalid: nowhere\.zip: cannot be read \(ENOENT\)/],
    [['.', '--report', 'a.json'], /needs --live/],
    [['--staged', '--git-history'], /cannot be used with/],
    [['.', '--most-unpacked', 'much'], /must be a number of GiB/],
  ])('%j', async (argv, message) => {
    const { exitCode, stdout, stderr } = await scan(...argv);
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
  });

  test('without fingerprints, nothing is scanned for long before it is told', async () => {
    const { exitCode, stderr } = await scan(artifact({ a: 'x' }), '--live');
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('FingerprintsOff')]);
  });
});
