import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { annotations } from '../../cli/preflight/annotations.ts';
import { junitReport, xmlText } from '../../cli/preflight/junit.ts';
import type { ProofFinding } from '../../core/preflight/prove.ts';
import type { SecretReference } from '../../core/preflight/reference.ts';
import { allow, arnOf, FakeAccount, now, policy, reference, roleArn } from '../core/preflight/account.ts';
import { FakeCloud, rekey } from './fixture.ts';

let folder: string;
let cloud: FakeCloud;
let account: FakeAccount;
const name = '/dev/orders/db';
const password = 'sentinel-password';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'preflight-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  cloud = new FakeCloud();
  account = new FakeAccount();
  cloud.clock = now.getTime();
  cloud.preflight = () => account;
  cloud.add(name);
  account.add(name);
  account.role('orders', [policy(allow('secretsmanager:GetSecretValue'))]);
});

const good = { secret: name, key: 'password', readBy: roleArn('orders') };

/** Writes a manifest of references, and checks it. */
async function check(
  references: readonly (Partial<Omit<SecretReference, 'readBy'>> & { readonly readBy?: string })[],
  ...argv: readonly string[]
) {
  const file = join(folder, 'rekey.references.yaml');
  writeFileSync(file, JSON.stringify({ references }, null, 2));
  return await rekey(cloud, ['preflight', file, '--environment', 'dev', ...argv]);
}

describe('exit codes', () => {
  test('0 for what is proven', async () => {
    const { exitCode, stdout } = await check([good]);
    expect(stdout).toContain('1 file, 1 reference: all proven; 0 errors, 0 warnings, 0 not proven.');
    expect(exitCode).toBe(0);
  });

  test('1 for what is wrong, and before what was not proven', async () => {
    account.denied.add('iam:GetRole');
    const { exitCode, stdout } = await check([good, { ...good, secret: '/dev/order/db' }]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/broken +\/dev\/order\/db +password +\S+orders +.*rekey\.references\.yaml:\d+/);
    expect(stdout).toMatch(/error {2}SecretMissing {2}\/dev\/order\/db\n {2}there is no secret/);
    expect(stdout).toMatch(/warning {2}NotProven/);
  });

  test('3 for what was not proven, with the permission that is missing', async () => {
    account.denied.add('secretsmanager:DescribeSecret');
    const { exitCode, stdout } = await check([good]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('allow secretsmanager:DescribeSecret to the role of this check');
    expect(stdout).toContain('0 proven; 0 errors, 0 warnings, 1 not proven.');
  });

  test('3 without AWS, though nothing is wrong', async () => {
    cloud.failures.identity = new Error('nobody may ask');
    const { exitCode, stdout } = await check([good], '--offline');
    expect(exitCode).toBe(3);
    expect(stdout).toContain('nothing was asked of AWS, so none was proven');
    expect((await check([{ secret: 'no name' }], '--offline')).exitCode).toBe(1);
  });

  test('1 for a warning where that is asked for', async () => {
    account.secrets.length = 0;
    account.add(name, { nextRotation: new Date(now.getTime() - 1) });
    expect((await check([good])).exitCode).toBe(0);
    expect((await check([good], '--fail-on', 'warning')).exitCode).toBe(1);
  });

  test.each([
    [['preflight', '--environment', 'dev'], /name manifests/],
    [['preflight', 'x.yaml'], /name the environment/],
    [['preflight', 'x.yaml', '-e', 'dev', '--skip', 'NotProven'], /no such check to leave out/],
    [['preflight', 'x.yaml', '-e', 'dev', '--format', 'xml'], /'xml' is invalid/],
    [['preflight', 'x.yaml', '-e', 'dev', '--reader', 'orders'], /ARN of an IAM role/],
    [['preflight', 'x.yaml', '-e', 'dev', '--concurrency', '0'], /from 1 to 64/],
    [['preflight', 'x.yaml', '-e', 'dev', '--json', '--format', 'sarif'], /two forms/],
    [['preflight', 'x.yaml', '-e', 'dev', '--offline', '--probe'], /cannot be used with/],
  ])('2 for %j', async (argv, message) => {
    const { exitCode, stderr, stdout } = await rekey(cloud, argv);
    expect(exitCode).toBe(2);
    expect(`${stderr}${stdout}`).toMatch(message);
  });
});

test('references of manifests for other environments are left out, and counted', async () => {
  const { exitCode, stdout } = await check([
    good,
    { ...good, secret: '/prod/orders', environment: 'production' },
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('1 more are in manifests for other environments than dev');
});

test('a check that is left out is named', async () => {
  const { stdout } = await check([{ secret: name }], '--skip', 'ReaderDenied', '--skip', 'KeyMissing');
  expect(stdout).toContain('not made: ReaderDenied, ReaderUnknown, KeyMissing');
  expect(stdout).not.toContain('do not say who reads');
});

test('what Rekey knows comes from the environment: definitions, secrets of people, the audit log', async () => {
  account.add('/dev/key');
  const arn = arnOf('/dev/key');
  cloud.manual = [
    {
      name: '/dev/key',
      arn,
      owner: 'o',
      purpose: 'p',
      consumers: [],
      replaceEveryDays: 9,
      expires: '2026-03-01',
    },
  ];
  const expired = await check([{ secret: '/dev/key' }], '--json');
  const [{ findings }] = JSON.parse(expired.stdout).references;
  expect(findings.map(({ check: id }: { check: string }) => id)).toContain('SecretExpired');

  const secretArn = arnOf(name);
  const at = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
  const event = (detailType: string, data: object) =>
    ({ detailType, detail: { metadata: {}, data } }) as never;
  cloud.record(at(30), event('Secret Revocation Started', { secretArn, incident: 'INC-7' }));
  cloud.record(at(20), event('Secret Revocation Failed', { secretArn }));
  const revoked = await check([good]);
  expect(revoked.stdout).toContain('rekey incident retry INC-7');
  expect(revoked.exitCode).toBe(1);
  cloud.record(at(10), event('Secret Rotation Succeeded', { secretArn }));
  expect((await check([good])).exitCode).toBe(0);
});

test('an environment that is not deployed, or not shown', async () => {
  cloud.environments = {};
  const absent = await check([good]);
  expect(absent.exitCode).toBe(0);
  expect(absent.stderr).toContain('no environment dev of Rekey is deployed here');
  const { ports } = cloud;
  const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  Object.defineProperty(cloud, 'ports', { value: { ...ports, deployments: () => Promise.reject(denied) } });
  expect((await check([good])).exitCode).toBe(3);
});

test('the policy that the role of the check needs', async () => {
  const print = async (...argv: string[]) =>
    JSON.parse((await rekey(cloud, ['preflight', '--print-policy', '-e', 'dev', ...argv])).stdout);
  const all = await print();
  const actions = (of: typeof all) => of.Statement.flatMap(({ Action }: { Action: string[] }) => Action);
  expect(actions(all)).toContain('secretsmanager:GetSecretValue');
  expect(all.Statement[0].Resource).toBe('arn:aws:secretsmanager:eu-central-1:111122223333:secret:/dev/*');
  expect(JSON.stringify(all)).not.toMatch(/"[a-z]+:(?:\*|[A-Z]\w*\*)"/);
  expect(actions(await print('--skip', 'KeyMissing'))).not.toContain('secretsmanager:GetSecretValue');
  expect(actions(await print('--skip', 'SecretRevoked'))).not.toContain('s3:GetObject');
});

const forms = ['table', 'json', 'sarif', 'junit', 'github'];
const odd = 'x]]><&"\'\u0007\u202e\n::error::%0Ay';

test.each(forms)(
  '%s shows nothing of a value, and no text of a manifest gets out of its place',
  async (format) => {
    account.add('/dev/other', { value: `{"${password}":"${password}"}` });
    account.trials[arnOf(name)] = { outcome: 'rejected', message: 'the server refused app' };
    const references = [
      good,
      { ...good, key: 'passwor' },
      { secret: '/dev/other', key: 'sentinel' },
      { secret: odd, key: odd, readBy: odd },
    ];
    const { stdout, stderr } = await check(references, '--format', format, '--probe');
    expect(stdout.length).toBeGreaterThan(200);
    for (const text of [stdout, stderr]) {
      expect(
        text.replaceAll(/did the manifest mean sentinel-password|write sentinel-password/g, ''),
      ).not.toContain(password);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: no terminal may be given them
      expect(text).not.toMatch(/\u0007/);
    }
  },
);

describe('SARIF', () => {
  const { id: _id, ...schema }: { id?: string } = JSON.parse(
    readFileSync(
      createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'),
      'utf8',
    ),
  );
  const validate = new Ajv({
    strict: false,
    logger: false,
    validateFormats: false,
    unicodeRegExp: false,
  }).compile({
    ...schema,
    $schema: 'http://json-schema.org/draft-07/schema#',
  });

  test('follows the schema, with rules, levels and lines', async () => {
    const { stdout, exitCode } = await check(
      [{ secret: name }, { ...good, key: 'none' }],
      '--format',
      'sarif',
    );
    expect(exitCode).toBe(1);
    const log = JSON.parse(stdout);
    expect({ valid: validate(log), errors: validate.errors }).toEqual({ valid: true, errors: null });
    const [{ results, tool }] = log.runs;
    expect(results.map(({ level }: { level: string }) => level)).toEqual(['note', 'error']);
    expect(tool.driver.rules[results[1].ruleIndex].id).toBe('KeyMissing');
    expect(results[1].locations[0].physicalLocation.region.startLine).toBeGreaterThan(1);
  });
});

test('annotations of GitHub Actions have their escapes', () => {
  const finding: ProofFinding = {
    check: 'KeyMissing',
    severity: 'error',
    unproven: false,
    subject: 's',
    place: { file: 'a,b:c\n::x::.yaml', line: 7, pointer: '' },
    message: '100% wrong\r\n::add-mask::x',
    fix: 'f',
  };
  expect(annotations([finding, { ...finding, severity: 'info', place: { file: 'a', pointer: '' } }])).toBe(
    '::error file=a%2Cb%3Ac%0A%3A%3Ax%3A%3A.yaml,line=7,title=KeyMissing::s: 100%25 wrong%0D%0A::add-mask::x. To do: f.\n' +
      '::notice file=a,title=KeyMissing::s: 100%25 wrong%0D%0A::add-mask::x. To do: f.\n',
  );
});

/** An element of XML, as far as the report uses it. */
interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Reads XML strictly: anything but elements, attributes in double quotes and the five entities is refused. */
function parseXml(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const unescaped = (text: string) => {
    if (/&(?!(?:amp|lt|gt|quot|apos|#9|#10|#13);)/.test(text)) throw new Error(`bare & in ${text}`);
    return text
      .replaceAll(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)))
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&apos;', "'")
      .replaceAll('&amp;', '&');
  };
  const token = /<\?xml [^?]*\?>|<(\/?)([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let at = 0;
  for (let match = token.exec(xml); match !== null; match = token.exec(xml)) {
    at = token.lastIndex;
    const [, end, tag, attributes = '', empty, text] = match;
    const top = open.at(-1) ?? root;
    if (text !== undefined) top.text += unescaped(text);
    else if (end === '/') {
      if (open.pop()?.name !== tag) throw new Error(`${tag} ends what it did not begin`);
    } else if (tag !== undefined) {
      const read = [...attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
        key,
        unescaped(value),
      ]);
      const element: Element = { name: tag, attributes: Object.fromEntries(read), children: [], text: '' };
      top.children.push(element);
      if (empty === '') open.push(element);
    }
  }
  if (at !== xml.length || open.length !== 1)
    throw new Error(`not well formed at ${at}: ${xml.slice(at, at + 80)}`);
  return root.children[0] ?? root;
}

describe('JUnit', () => {
  test('follows the schema: elements, their order, attributes and counts', async () => {
    account.denied.add('iam:GetRole');
    const { stdout } = await check(
      [{ secret: name }, { ...good, key: 'none' }, { ...good }, { secret: odd, readBy: odd }],
      '--format',
      'junit',
    );
    const suites = parseXml(stdout);
    expect(suites.name).toBe('testsuites');
    for (const suite of suites.children) {
      const { attributes, children } = suite;
      expect(Object.keys(attributes)).toEqual([
        'id',
        'package',
        'name',
        'timestamp',
        'hostname',
        'tests',
        'failures',
        'errors',
        'time',
      ]);
      expect(attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
      const names = children.map((one) => one.name);
      const cases = children.filter((one) => one.name === 'testcase');
      expect(names).toEqual(['properties', ...cases.map(() => 'testcase'), 'system-out', 'system-err']);
      for (const one of cases) {
        expect(Object.keys(one.attributes)).toEqual(['name', 'classname', 'time']);
        expect(one.children.length).toBeLessThanOrEqual(1);
        for (const child of one.children) expect(Object.keys(child.attributes)).toEqual(['message', 'type']);
      }
      const count = (of: string) => cases.filter(({ children: [child] }) => child?.name === of).length;
      expect({ tests: attributes.tests, failures: attributes.failures, errors: attributes.errors }).toEqual({
        tests: '4',
        failures: String(count('failure')),
        errors: String(count('error')),
      });
      expect([count('failure'), count('error')]).toEqual([2, 1]);
    }
  });

  test('whatever a text holds comes back, but for what XML cannot hold', () => {
    for (const text of ['<a b="c">&amp;\'', 'tab\tline\r\n', '\u{1f511}']) {
      expect(parseXml(`<x y="${xmlText(text)}"/>`).attributes.y).toBe(text);
    }
    expect(xmlText('a\u0000\u001b\ufffe\ud800b')).toBe('a\ufffd\ufffd\ufffd\ufffdb');
  });

  test('what was not proven is no pass', () => {
    const place = { file: 'f', pointer: 'p' };
    const open = {
      check: 'NotProven',
      severity: 'warning',
      unproven: true,
      subject: 's',
      place,
      message: 'm',
      fix: 'f',
    } as const;
    const report = {
      references: [
        { reference: reference('s', { place }), region: 'r', state: 'not proven', findings: [open] },
      ],
      manifests: [{ ...open, check: 'ManifestUnreadable' }],
      skipped: [],
    } as const;
    const xml = junitReport({ report, environment: 'dev', failOn: 'error', now });
    expect(parseXml(xml).children[0]?.attributes).toMatchObject({ tests: '2', failures: '0', errors: '2' });
  });
});

test('the document of --json and that of --format json are the same', async () => {
  const [json, format] = [await check([good], '--json'), await check([good], '--format', 'json')];
  expect(json.stdout).toBe(format.stdout);
  expect(JSON.parse(json.stdout)).toMatchObject({
    environment: 'dev',
    verdict: 'proven',
    references: [{ secret: name, key: 'password', state: 'proven', readBy: roleArn('orders'), findings: [] }],
    notLookedAt: expect.stringContaining('service and resource control policies'),
  });
});
