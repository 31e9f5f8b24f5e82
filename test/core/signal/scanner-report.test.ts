import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { scanReport } from '../../../cli/scan-report.ts';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import { longestLine, mostReportBytes, mostScanned } from '../../../core/signal/scanner-report.ts';
import { sentinel } from './samples.ts';

const directory = mkdtempSync(join(tmpdir(), 'rekey-scan-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;
const read = (content: string) => {
  count += 1;
  const file = join(directory, `report-${count}`);
  writeFileSync(file, content);
  return scanReport(file);
};
const sha256 = hashOf(sentinel);

const gitleaks = (finding: object = {}) => ({
  RuleID: 'generic-api-key',
  Description: 'Detected a Generic API Key',
  StartLine: 12,
  EndLine: 12,
  StartColumn: 3,
  Match: `key = "${sentinel}"`,
  Secret: sentinel,
  File: 'src/app.py',
  Commit: '3c1e9f0b2a',
  Entropy: 4.1,
  Author: 'dev',
  Email: 'dev@example.com',
  Fingerprint: '3c1e9f0b2a:src/app.py:generic-api-key:12',
  ...finding,
});
const trufflehog = (finding: object = {}) => ({
  SourceMetadata: {
    Data: { Git: { commit: '77b2a3e', file: 'keys', email: 'dev', repository: 'r', line: 4 } },
  },
  SourceID: 1,
  SourceName: 'trufflehog - git',
  DetectorType: 2,
  DetectorName: 'AWS',
  Verified: true,
  Raw: 'AKIA2EXAMPLEKEY00001',
  RawV2: `AKIA2EXAMPLEKEY00001:${sentinel}`,
  Redacted: 'AKIA2EXAMPLEKEY00001',
  ...finding,
});
const alert = (change: object = {}) => ({
  number: 2,
  state: 'open',
  secret_type: 'orders_api_token',
  secret: sentinel,
  html_url: 'https://github.com/octo-org/orders/security/secret-scanning/2',
  first_location_detected: { path: '/example/secrets.txt', start_line: 1, commit_sha: 'af5626b' },
  ...change,
});

describe('a report of a scanner', () => {
  test('of gitleaks: each value by its hash, with its place', async () => {
    const report = await read(JSON.stringify([gitleaks(), gitleaks({ File: 'b', Commit: '' })], null, 2));
    expect(report).toEqual({
      format: 'gitleaks',
      candidates: [
        { sha256, place: { file: 'src/app.py', line: 12, commit: '3c1e9f0b2a', rule: 'generic-api-key' } },
        { sha256, place: { file: 'b', line: 12, rule: 'generic-api-key' } },
      ],
      findings: [],
    });
  });

  test('of TruffleHog, line by line: both parts of a pair, and what it logs left out', async () => {
    const lines = [
      JSON.stringify({ level: 'info-0', msg: 'running source' }),
      JSON.stringify(trufflehog()),
      '',
    ];
    const report = await read(lines.join('\r\n'));
    const place = { file: 'keys', line: 4, commit: '77b2a3e', rule: 'AWS' };
    expect(report).toEqual({
      format: 'trufflehog',
      candidates: [
        { sha256: hashOf('AKIA2EXAMPLEKEY00001'), place },
        { sha256: hashOf(`AKIA2EXAMPLEKEY00001:${sentinel}`), place },
        { sha256, place },
      ],
      findings: ['1 lines are no findings, and were left out'],
    });
  });

  test('of detect-secrets: SHA-1 alone, which is said', async () => {
    const baseline = {
      version: '1.5.0',
      plugins_used: [],
      results: {
        'a.py': [{ type: 'Secret Keyword', filename: 'a.py', hashed_secret: 'da39a3ee', line_number: 7 }],
      },
      generated_at: '2026-11-28T00:00:00Z',
    };
    for (const content of [JSON.stringify(baseline, null, 2), JSON.stringify(baseline)]) {
      const report = await read(content);
      expect(report).toMatchObject({ format: 'detect-secrets', candidates: [] });
      expect(report.findings).toEqual([expect.stringMatching(/SHA-1 alone.*none of its 1 findings/)]);
    }
  });

  test('of GitHub: open alerts, and those that hide their value are said', async () => {
    const report = await read(
      JSON.stringify([alert(), alert({ secret: null }), alert({ state: 'resolved' })]),
    );
    expect(report).toEqual({
      format: 'github',
      candidates: [
        {
          sha256,
          place: { file: '/example/secrets.txt', line: 1, commit: 'af5626b', rule: 'orders_api_token' },
        },
      ],
      findings: [
        expect.stringMatching(/^1 findings hide their values/),
        '1 alerts are resolved, and were left out',
      ],
    });
  });

  test('that hides values with --redact says so', async () => {
    const report = await read(JSON.stringify([gitleaks({ Secret: 'REDACTED' })]));
    expect(report.candidates).toEqual([]);
    expect(report.findings).toEqual([expect.stringMatching(/1 findings hide.*without --redact/)]);
  });

  test('holds no value, also where a file is called like one', async () => {
    const reports = await Promise.all([
      read(JSON.stringify([gitleaks({ File: `logs/${sentinel}.txt` })])),
      read(JSON.stringify(trufflehog())),
      read(JSON.stringify([alert({ html_url: `https://x/${sentinel}`, first_location_detected: null })])),
    ]);
    expect(JSON.stringify(reports)).not.toContain(sentinel);
  });

  test('of nothing names nothing', async () => {
    expect(await read('[]')).toMatchObject({ candidates: [], findings: [] });
  });
});

describe('a file that is none', () => {
  test.each([
    ['is empty', '', 'the file is empty'],
    ['is cut off', JSON.stringify([gitleaks()]).slice(0, -5), 'the file is no JSON; is it whole'],
    [
      'is of another tool',
      JSON.stringify({ runs: [], version: 2, results: sentinel }),
      'no report of gitleaks',
    ],
    ['is a list of something else', JSON.stringify([{ value: sentinel }]), 'no report of gitleaks'],
    ['has lines of something else', JSON.stringify({ message: sentinel }), 'none of them is a finding'],
    ['has a broken line', `${JSON.stringify(trufflehog())}\n{"Raw": "${sentinel}`, 'line 2 is no JSON'],
  ])('%s: says what is wrong, and quotes nothing', async (_what, content, message) => {
    const error: unknown = await read(content).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ScanReportInvalid', message: expect.stringContaining(message) });
    expect(String(error)).not.toContain(sentinel);
  });

  test('is missing', async () => {
    await expect(scanReport(join(directory, 'none'))).rejects.toMatchObject({
      code: 'ScanReportInvalid',
      message: expect.stringContaining('cannot be read (ENOENT)'),
    });
  });

  test('is too large, in bytes, in one line or in values', async () => {
    await expect(read(`[${' '.repeat(mostReportBytes)}]`)).rejects.toMatchObject({
      code: 'ScanReportInvalid',
    });
    const long = JSON.stringify(trufflehog({ Raw: 'x'.repeat(longestLine) }));
    await expect(read(long)).rejects.toThrow(`line 1 has more than ${longestLine} characters`);
    const many = JSON.stringify(Array.from({ length: mostScanned + 1 }, () => gitleaks()));
    await expect(read(many)).rejects.toThrow(`more than ${mostScanned} values`);
  });
});

test('lines of TruffleHog are not kept: a report far over the bound of one text is read', async () => {
  // Each line is large and holds one small value.
  const line = JSON.stringify(trufflehog({ ExtraData: { blob: 'x'.repeat(500_000) } }));
  const report = await read(Array.from({ length: 120 }, () => line).join('\n'));
  expect(report.candidates).toHaveLength(360);
});
