import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { errorOf, FakeCloud, rekey } from './fixture.ts';

let folder: string;
const check = (...argv: string[]) => rekey(new FakeCloud(), ['policy', 'check', ...argv]);
const write = (name: string, content: unknown): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
};

const yaml = `
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Orders:
    Type: AWS::SecretsManager::Secret
    Properties:
      KmsKeyId: !GetAtt Key.Arn
      SecretString: !Sub '{"host":"\${Db.Endpoint.Address}","password":"hunter22"}'
  Rotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref Orders
      RotationRules: { AutomaticallyAfterDays: 30 }
  Key:
    Type: AWS::KMS::Key
    Properties: { EnableKeyRotation: true }
  Db: { Type: AWS::RDS::DBInstance }
`;
const sound = { Resources: { Key: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true } } } };
const plan = {
  format_version: '1.2',
  resource_changes: [
    {
      address: 'aws_secretsmanager_secret.db',
      mode: 'managed',
      type: 'aws_secretsmanager_secret',
      name: 'db',
      change: {
        actions: ['create'],
        before: null,
        after: { name: 'db' },
        after_unknown: {},
        after_sensitive: {},
      },
    },
  ],
  configuration: {},
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-policy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('rekey policy check', () => {
  test('names the place, the line of the file and what to do, and ends with 1', async () => {
    const { exitCode, stdout, stderr } = await check(write('orders.yaml', yaml));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^error {2}SecretValueInTemplate {2}Orders\n/);
    expect(stdout).toMatch(/orders\.yaml:8\n {2}to do: use GenerateSecretString/);
    expect(stdout).toMatch(/1 file: 1 error, 0 warnings\n$/);
    expect(stdout).not.toContain('hunter22');
  });

  test('a template in order ends with 0', async () => {
    const { exitCode, stdout } = await check(write('sound.json', sound));
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '1 file: 0 errors, 0 warnings\n' });
  });

  test('warnings alone end with 0', async () => {
    const path = write('warned.json', {
      Resources: {
        A: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'a' } },
        R: {
          Type: 'AWS::SecretsManager::RotationSchedule',
          Properties: { SecretId: 'a', RotationRules: { AutomaticallyAfterDays: 30 } },
        },
      },
    });
    const { exitCode, stdout } = await check(path);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/warning {2}SecretWithoutCustomerKey/);
  });

  test('--json gives controls and lines', async () => {
    const { stdout } = await check(write('orders.yaml', yaml), '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      violations: [
        {
          rule: 'SecretValueInTemplate',
          severity: 'error',
          subject: 'Orders',
          line: 8,
          controls: expect.arrayContaining(['PCI DSS 4.0.1 8.6.2']),
        },
      ],
      waived: [],
    });
  });

  test('a plan, and a plan in the encoding of PowerShell', async () => {
    const path = write('plan.json', plan);
    expect((await check(path, '--json')).exitCode).toBe(1);
    const wide = join(folder, 'wide.json');
    writeFileSync(
      wide,
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(JSON.stringify(plan), 'utf16le')]),
    );
    const { stdout } = await check(wide, '--json');
    expect(JSON.parse(stdout).violations[0]).toMatchObject({
      subject: 'aws_secretsmanager_secret.db',
      line: null,
    });
  });

  test('a cloud assembly: stacks, those of stages, build arguments, and no template among the assets', async () => {
    write('app/cdk.out', '{"version":"48.0.0"}');
    write('app/manifest.json', {});
    write('app/one.template.json', sound);
    write('app/asset.1234/theirs.template.json', JSON.parse('{"Resources":{"K":{"Type":"AWS::KMS::Key"}}}'));
    write('app/assembly-prod/manifest.json', {});
    write('app/assembly-prod/two.template.json', { Resources: { K: { Type: 'AWS::KMS::Key' } } });
    write('app/one.assets.json', {
      version: '48.0.0',
      files: {},
      dockerImages: {
        abc: { displayName: 'Image', source: { dockerBuildArgs: { NPM_TOKEN: 'abcd1234efgh' } } },
      },
    });
    const { stdout } = await check(join(folder, 'app'), '--json');
    const { files, violations } = JSON.parse(stdout);
    expect(files).toHaveLength(3);
    expect(violations.map(({ rule, subject }: { rule: string; subject: string }) => [rule, subject])).toEqual(
      [
        ['KeyWithoutRotation', 'K'],
        ['PlaintextSecretExposed', 'Image'],
      ],
    );
  });

  test('--baseline finds a value that a deploy would replace', async () => {
    const generated = (length: number) => ({
      Resources: {
        A: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: { Name: 'a', KmsKeyId: 'k', GenerateSecretString: { PasswordLength: length } },
        },
        R: {
          Type: 'AWS::SecretsManager::RotationSchedule',
          Properties: { SecretId: { Ref: 'A' }, RotationRules: { AutomaticallyAfterDays: 30 } },
        },
      },
    });
    const [before, after] = [write('before.json', generated(32)), write('after.json', generated(64))];
    expect((await check(after)).exitCode).toBe(0);
    const { exitCode, stdout } = await check(after, '--baseline', before);
    expect({ exitCode }).toEqual({ exitCode: 1 });
    expect(stdout).toContain('LiveValueOverwritten');
    expect((await check(after, '--baseline', after)).exitCode).toBe(0);
  });

  test('--max-rotation-days sets the limit', async () => {
    const path = write('monthly.json', {
      Resources: {
        R: {
          Type: 'AWS::SecretsManager::RotationSchedule',
          Properties: { SecretId: 'a', RotationRules: { ScheduleExpression: 'cron(0 3 1 * ? *)' } },
        },
      },
    });
    expect((await check(path)).exitCode).toBe(0);
    expect((await check(path, '--max-rotation-days', '30')).stdout).toContain('leaves up to 31 days');
    expect((await check(path, '--max-rotation-days', '0')).exitCode).toBe(2);
  });
});

describe('waivers', () => {
  const waived = (until?: string) => ({
    Resources: {
      K: {
        Type: 'AWS::KMS::Key',
        Metadata: {
          Rekey: {
            Waive: [
              {
                rule: 'KeyWithoutRotation',
                reason: 'imported material',
                ...(until !== undefined && { until }),
              },
            ],
          },
        },
      },
    },
  });

  test('in the metadata of a resource, until their day', async () => {
    const { exitCode, stdout } = await check(write('waived.json', waived('2026-03-10')), '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      violations: [],
      waived: [{ rule: 'KeyWithoutRotation', reason: 'imported material' }],
    });
    const ended = await check(write('ended.json', waived('2026-03-09')));
    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toContain('its waiver ended on 2026-03-09');
  });

  test('in a file, by address', async () => {
    const entries = [
      {
        rule: 'SecretWithoutRotation',
        subject: 'aws_secretsmanager_secret.db',
        reason: 'the vendor changes it',
      },
    ];
    const { exitCode, stdout } = await check(
      write('plan.json', plan),
      '--waivers',
      write('waivers.json', entries),
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/1 file: 0 errors, 1 warning, 1 waived\n$/);
  });

  test("in the code of a CDK app, as the app's own assembly notes it", async () => {
    write('noted/manifest.json', {});
    write('noted/Shop.template.json', {
      Resources: {
        Key1: { Type: 'AWS::KMS::Key' },
        Key2: { Type: 'AWS::KMS::Key' },
        Key3: { Type: 'AWS::KMS::Key' },
      },
      Outputs: { Password: { Value: '{{resolve:secretsmanager:x}}' } },
    });
    const acknowledged = (rule: string) => ({
      type: 'aws:cdk:acknowledged-rules',
      data: { [rule]: 'a drill' },
    });
    write('noted/Shop.metadata.json', {
      '/Shop/One': [acknowledged('Rekey::KeyWithoutRotation')],
      '/Shop/One/Resource': [{ type: 'aws:cdk:logicalId', data: 'Key1' }],
      '/Shop/Two/Resource': [{ type: 'aws:cdk:logicalId', data: 'Key2' }],
      '/Shop/Three/Resource': [{ type: 'aws:cdk:logicalId', data: 'Key3' }],
      '/Shop/Password': [
        { type: 'aws:cdk:logicalId', data: 'Password' },
        acknowledged('Other::ResolvedSecretExposed'),
      ],
    });
    // An acknowledgement above the stacks is in the report of the plugin alone.
    write('noted/validation-report.json', {
      pluginReports: [
        {
          pluginName: 'Rekey',
          suppressedViolations: [
            {
              ruleName: 'KeyWithoutRotation',
              reason: 'another drill',
              violatingConstructs: [{ constructPath: 'Shop/Two/Resource' }],
            },
          ],
        },
      ],
    });
    const { stdout } = await check(join(folder, 'noted'), '--json');
    const { violations, waived } = JSON.parse(stdout);
    const placed = ({ rule, subject }: { rule: string; subject: string }) => `${rule} ${subject}`;
    expect(violations.map(placed)).toEqual([
      'KeyWithoutRotation Shop/Three',
      'ResolvedSecretExposed Shop/Password',
    ]);
    expect(waived.map(placed)).toEqual(['KeyWithoutRotation Shop/One', 'KeyWithoutRotation Shop/Two']);
  });

  test.each([
    ['{}', /must be a list/],
    ['[{"rule":"KeyWithoutRotation","subject":"K"}]', /entry 1 must have the texts/],
    ['[{"rule":"KeyWithoutRotation","subject":"K","reason":"r","until":"soon"}]', /entry 1 must have/],
    ['[{"rule":"NoSuchRule","subject":"K","reason":"r"}]', /names rule NoSuchRule/],
    ['nonsense', /no JSON/],
  ])('a file with %s is refused', async (content, message) => {
    const ran = await check(write('sound.json', sound), '--waivers', write('odd.json', content), '--json');
    expect(ran.exitCode).toBe(2);
    expect(errorOf(ran)).toMatchObject({
      code: 'WaiversInvalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('SARIF', () => {
  // It is of draft 4, whose id has no dollar; an expression of it is none with Unicode.
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

  test('follows the schema of the standard, with rules, controls, lines and waivers', async () => {
    write('sarif/orders.yaml', yaml);
    write('sarif/waived key.json', {
      Resources: {
        K: {
          Type: 'AWS::KMS::Key',
          Metadata: { Rekey: { Waive: [{ rule: 'KeyWithoutRotation', reason: 'imported material' }] } },
        },
      },
    });
    write('sarif/plan.json', plan);
    const { exitCode, stdout } = await check(join(folder, 'sarif'), '--sarif');
    expect(exitCode).toBe(1);
    const log = JSON.parse(stdout);
    expect({ valid: validate(log), errors: validate.errors }).toEqual({ valid: true, errors: null });
    const [{ tool, results }] = log.runs;
    const rule = tool.driver.rules[results[0].ruleIndex];
    expect(rule).toMatchObject({
      id: 'SecretValueInTemplate',
      properties: { tags: expect.arrayContaining(['PCI DSS 4.0.1 8.6.2']) },
    });
    expect(results[0]).toMatchObject({
      ruleId: 'SecretValueInTemplate',
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: expect.stringMatching(/orders\.yaml$/) },
            region: { startLine: 8 },
          },
          logicalLocations: [{ fullyQualifiedName: 'Orders' }],
        },
      ],
    });
    const waived = results.find(({ ruleId }: { ruleId: string }) => ruleId === 'KeyWithoutRotation');
    expect(waived).toMatchObject({
      suppressions: [{ kind: 'external', justification: 'imported material' }],
      locations: [
        { physicalLocation: { artifactLocation: { uri: expect.stringMatching(/waived%20key\.json$/) } } },
      ],
    });
    expect(stdout).not.toContain('hunter22');
  });
});

describe('wrong usage ends with 2', () => {
  test.each([[['nowhere.json'], 'TemplateUnreadable', /nowhere\.json does not exist/]])(
    '%j',
    async (argv, code, message) => {
      const ran = await check(...argv, '--json');
      expect(ran.exitCode).toBe(2);
      expect(errorOf(ran)).toMatchObject({ code, message: expect.stringMatching(message) });
    },
  );

  test.each([
    ['other.json', '{"a":1}', /no CloudFormation template/],
    ['broken.json', '{"a":', /neither JSON nor YAML/],
    ['broken.yaml', 'a: [1', /neither JSON nor YAML/],
  ])('%s', async (name, content, message) => {
    const ran = await check(write(name, content), '--json');
    expect(ran.exitCode).toBe(2);
    expect(errorOf(ran)).toMatchObject({
      code: 'TemplateUnreadable',
      message: expect.stringMatching(message),
    });
  });

  test('a folder without any', async () => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    expect((await check(join(folder, 'empty'))).exitCode).toBe(2);
  });
});
