import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type ManifestOptions, readManifests } from '../../../cli/preflight/manifest-files.ts';
import type { ManifestReading } from '../../../core/preflight/reference.ts';

const top = mkdtempSync(join(tmpdir(), 'rekey-manifests-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

let made = 0;
/** Writes files into a folder of their own. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  made += 1;
  const folder = join(top, String(made));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const read = async (paths: readonly string[], options?: ManifestOptions): Promise<ManifestReading> =>
  (await readManifests(paths, options)).reading;
const secrets = ({ references }: ManifestReading): readonly string[] =>
  references.map(({ secret }) => secret);
const problems = (reading: ManifestReading): readonly string[] =>
  reading.problems.map(({ code, place, message }) => `${code} ${place.file.split('/').at(-1)}: ${message}`);

const compose = (secret: string, more = ''): string =>
  `${more}services: {a: {image: a, environment: {A_SECRET_ID: ${secret}}}}\n`;
const manifest = (secret: string): string => `references: [{secret: ${secret}}]\n`;

describe('folders', () => {
  test('are read through, but for what others put there', async () => {
    const folder = folderOf({
      'compose.yaml': compose('one'),
      'deep/er/.env.example': 'TWO_SECRET_ID=two\n',
      'node_modules/x/compose.yaml': compose('not-a-dependency'),
      '.git/compose.yaml': compose('not-the-history'),
      'readme.md': 'THREE_SECRET_ID=three',
      'other.yaml': 'a: [1',
    });
    const { files, reading } = await readManifests([folder]);
    expect(files).toBe(2);
    expect(secrets(reading)).toEqual(['one', 'two']);
    expect(problems(reading)).toEqual([]);
  });

  test('links that lead in circles end', async () => {
    const folder = folderOf({ 'a/compose.yaml': compose('one') });
    symlinkSync('..', join(folder, 'a', 'up'));
    symlinkSync(join(folder, 'a'), join(folder, 'again'));
    symlinkSync('nowhere', join(folder, 'broken.yaml'));
    symlinkSync('self.yaml', join(folder, 'self.yaml'));
    expect(secrets(await read([folder]))).toEqual(['one']);
  });

  test('links that lead out are not followed', async () => {
    const outside = folderOf({ 'compose.yaml': compose('outside') });
    const folder = folderOf({ 'compose.yaml': compose('one') });
    symlinkSync(outside, join(folder, 'folder'));
    symlinkSync(join(outside, 'compose.yaml'), join(folder, 'linked.yaml'));
    expect(secrets(await read([folder]))).toEqual(['one']);
  });

  test('a file that is named twice is read once', async () => {
    const folder = folderOf({ 'compose.yaml': compose('one') });
    expect(secrets(await read([folder, join(folder, 'compose.yaml')]))).toEqual(['one']);
  });

  test('only the formats that somebody asks for are looked for', async () => {
    const folder = folderOf({ 'compose.yaml': compose('one'), '.env.example': 'TWO_SECRET_ID=two\n' });
    expect(secrets(await read([folder], { formats: ['dotenv'] }))).toEqual(['two']);
  });

  test('more files than the limit are said', async () => {
    const folder = folderOf({ 'a.yaml': 'a: 1', 'b.yaml': 'b: 1', 'compose.yaml': compose('one') });
    expect(problems(await read([folder], { mostFiles: 2 }))).toEqual([
      expect.stringContaining('ManifestTooLarge compose.yaml'),
    ]);
  });
});

describe('files that cannot be read leave the others alone', () => {
  test('one that is too large is refused with its size and the limit', async () => {
    const folder = folderOf({
      'plan.json': `{"format_version": "1.2", "resource_changes": [${'0,'.repeat(500)}0]}`,
      'compose.yaml': compose('one'),
    });
    const reading = await read([folder], { largestJson: 1_000 });
    expect(problems(reading)).toEqual([
      expect.stringMatching(/^ManifestTooLarge plan\.json: it has 1050 bytes, and the limit is 1000$/),
    ]);
    expect(secrets(reading)).toEqual(['one']);
  });

  test('a large file that is no manifest is passed over, unless somebody named it', async () => {
    const folder = folderOf({ 'data.json': `["${'x'.repeat(5_000)}"]` });
    expect(problems(await read([folder], { largestJson: 1_000 }))).toEqual([]);
    expect(problems(await read([join(folder, 'data.json')], { largestJson: 1_000 }))).toEqual([
      expect.stringContaining('ManifestTooLarge'),
    ]);
  });

  test('a binary is passed over, unless somebody named it', async () => {
    const folder = folderOf({ 'image.yaml': Buffer.from([0x89, 0x50, 0, 1, 2]) });
    expect(problems(await read([folder]))).toEqual([]);
    expect(problems(await read([join(folder, 'image.yaml')]))).toEqual([
      'ManifestUnreadable image.yaml: it is no text',
    ]);
  });

  test.each(['a: 1', 'a: [1'])(
    'a file of no known format is said where somebody named it: %s',
    async (text) => {
      const folder = folderOf({ 'a.yaml': text });
      expect(problems(await read([folder]))).toEqual([]);
      expect(problems(await read([join(folder, 'a.yaml')]))).toEqual([
        expect.stringContaining('of no format that is known here'),
      ]);
    },
  );

  test('a path that does not exist is a wrong usage', async () => {
    await expect(read([join(top, 'nowhere')])).rejects.toMatchObject({ code: 'UsageInvalid' });
  });

  test('what PowerShell writes is read', async () => {
    const folder = folderOf({ 'rekey.references.yaml': Buffer.from(`\ufeff${manifest('wide')}`, 'utf16le') });
    expect(secrets(await read([folder]))).toEqual(['wide']);
  });
});

describe('includes', () => {
  test('are followed from a file that is named alone', async () => {
    const folder = folderOf({
      'compose.yaml': compose('one', 'include: [parts/two.yml]\n'),
      'parts/two.yml': compose('two'),
    });
    expect(secrets(await read([join(folder, 'compose.yaml')]))).toEqual(['one', 'two']);
  });

  test('a circle is said once, where it closes', async () => {
    const folder = folderOf({
      'compose.yaml': compose('one', 'include: [two.yml]\n'),
      'two.yml': compose('two', 'include: [three.yml]\n'),
      'three.yml': compose('three', 'include: [compose.yaml]\n'),
    });
    const reading = await read([folder]);
    expect(problems(reading)).toEqual([
      expect.stringMatching(/^IncludeCyclic three\.yml: it includes .*compose\.yaml, which leads back here$/),
    ]);
    expect(secrets(reading).toSorted()).toEqual(['one', 'three', 'two']);
  });

  test('a file that includes itself is a circle', async () => {
    const folder = folderOf({ 'compose.yaml': compose('one', 'include: [compose.yaml]\n') });
    expect(problems(await read([folder]))).toEqual([expect.stringContaining('IncludeCyclic')]);
  });

  test('none leads out of the folder that is checked', async () => {
    const outside = join(top, 'outside.yml');
    writeFileSync(outside, compose('outside'));
    const folder = folderOf({ 'compose.yaml': compose('one', 'include: [../outside.yml, /etc/hostname]\n') });
    symlinkSync(outside, join(folder, 'linked.txt'));
    writeFileSync(join(folder, 'second.compose.yaml'), compose('two', 'include: [linked.txt]\n'));
    const reading = await read([folder]);
    expect(problems(reading).map((one) => one.split(':')[0])).toEqual([
      'IncludeMissing compose.yaml',
      'IncludeMissing compose.yaml',
      'IncludeMissing second.compose.yaml',
    ]);
    expect(secrets(reading)).toEqual(['one', 'two']);
  });

  test('those of GitLab begin at the top of the repository', async () => {
    const folder = folderOf({
      '.git/HEAD': '',
      'ci/.gitlab-ci.yml': 'include: /shared/job.yml\na: {script: [x]}\n',
      'shared/job.yml': 'job: {script: [x], secrets: {K: {aws_secrets_manager: shared/key}}}\n',
    });
    expect(secrets(await read([join(folder, 'ci')]))).toEqual(['shared/key']);
  });
});

describe('a line leads to the place', () => {
  test.each([
    ['compose.yaml', 'services:\n  a:\n    image: a\n    environment:\n      A_SECRET_ID: one\n', 5],
    ['.env.example', '# first\n\nA_SECRET_ID=one\n', 3],
    ['application.properties', 'a=b\nspring.config.import=aws-secretsmanager:one\n', 2],
    ['appsettings.json', '{\n  // why\n  "AWSSecretsManager": {\n    "SecretName": "one",\n  }\n}\n', 4],
    [
      'class.yaml',
      'apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nspec:\n  provider: aws\n  parameters:\n    objects: |\n      - objectName: zero\n        objectType: ssmparameter\n      - objectName: one\n        objectType: secretsmanager\n',
      9,
    ],
    [
      'templates/secret.yaml',
      '{{- if .Values.on }}\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  secretStoreRef: {name: aws}\n  dataFrom:\n    {{- /* two\n    lines */}}\n    - extract: {key: one}\n{{- end }}\n',
      9,
    ],
  ])('%s', async (name, text, line) => {
    const { references } = await read([folderOf({ [name]: text })]);
    expect(references.map(({ secret, place }) => [secret, place.line])).toEqual([['one', line]]);
  });
});

test('a plan of 50 MB is read', async () => {
  const padding = Array.from({ length: 2_000 }, (_, index) => ({
    address: `aws_lambda_function.f[${index}]`,
    mode: 'managed',
    type: 'aws_lambda_function',
    name: 'f',
    change: {
      actions: ['create'],
      before: null,
      after: {
        function_name: `f${index}`,
        filename: 'x'.repeat(25_000),
        environment: [{ variables: { A_SECRET_ID: `plan/${index}` } }],
      },
      after_unknown: {},
    },
  }));
  const folder = folderOf({
    'plan.json': JSON.stringify({ format_version: '1.2', resource_changes: padding, configuration: {} }),
  });
  expect(secrets(await read([folder]))).toHaveLength(2_000);
});
