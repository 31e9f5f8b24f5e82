import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../../lib/function/bundle.ts';
import { examplesIn, moduleOf } from './extract.ts';
import { preludeOf } from './preludes.ts';

const run = promisify(execFile);

const examples = ['lib', 'core', 'cli', 'lambdas', 'rotators'].flatMap((folder) =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .flatMap((file) =>
      examplesIn(readFileSync(join(packageRoot, file), 'utf8')).map((example) => ({ file, example })),
    ),
);

/** Says what the compiler finds wrong with modules, in its own words; nothing where it finds nothing. */
async function compile(folder: string, options: object = {}): Promise<string> {
  const project = {
    extends: relative(folder, join(packageRoot, 'tsconfig.json')),
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, ...options },
    include: ['*.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await run(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { cwd: folder });
    return '';
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined || stdout === '') throw error;
    return stdout;
  }
}

test('every example compiles, and one that is wrong is told with its place', async () => {
  expect(examples.length).toBeGreaterThan(20);
  mkdirSync(join(packageRoot, '.rekey'), { recursive: true });
  const folder = mkdtempSync(join(packageRoot, '.rekey', 'examples-'));
  try {
    const root = relative(folder, packageRoot);
    const wrong = { file: 'lib/wrong.ts', example: { line: 1, code: '\nnew RekeyBus(this, 7);' } };
    const modules = [...examples, wrong].map(({ file, example }) => ({
      ...moduleOf(example, preludeOf(file, root)),
      file,
      line: example.line,
    }));
    for (const [index, { text }] of modules.entries()) writeFileSync(join(folder, `${index}.ts`), text);
    const said = (await compile(folder)).replaceAll(/^(\d+)\.ts\((\d+),\d+\)/gm, (_, index, line) => {
      const {
        file,
        line: first,
        linesBefore,
      } = modules[Number(index)] ?? { file: '', line: 0, linesBefore: 0 };
      return `${file}:${Number(line) - linesBefore + first - 1}`;
    });
    const lines = said.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
    expect(lines).toEqual([expect.stringMatching(/^lib\/wrong\.ts:2: error TS\d+: .*/)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const readme = readFileSync(join(packageRoot, 'packages', 'constructs', 'README.md'), 'utf8');

test('the app that the README of the constructs shows compiles', async () => {
  mkdirSync(join(packageRoot, '.rekey'), { recursive: true });
  const folder = mkdtempSync(join(packageRoot, '.rekey', 'examples-'));
  try {
    const [, app = ''] = /^```ts\n(.*?)^```$/ms.exec(readme) ?? [];
    const from = `'${relative(folder, packageRoot)}/lib/index.ts'`;
    writeFileSync(join(folder, 'app.ts'), app.replace("'@rekey/constructs'", from));
    // The CDK's own constructs do not fit its own props otherwise: a Vpc is no IVpc.
    expect(await compile(folder, { exactOptionalPropertyTypes: false })).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the code of the page on ways in compiles', async () => {
  mkdirSync(join(packageRoot, '.rekey'), { recursive: true });
  const folder = mkdtempSync(join(packageRoot, '.rekey', 'examples-'));
  try {
    const page = readFileSync(join(packageRoot, 'docs', 'identity.md'), 'utf8');
    const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
    expect(blocks).toHaveLength(2);
    const from = `'${relative(folder, packageRoot)}/lib/index.ts'`;
    for (const [index, code] of blocks.entries()) {
      writeFileSync(
        join(folder, `block${index}.ts`),
        `${code.replace("'@rekey/constructs'", from)}\nexport {};\n`,
      );
    }
    expect(await compile(folder)).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('it holds the example of the package', () => {
  const [example] = examplesIn(readFileSync(join(packageRoot, 'lib', 'index.ts'), 'utf8'));
  expect(example?.code).toContain('new RevocationWorkflow(');
  expect(readme.replaceAll(/^ {4}/gm, '')).toContain(example?.code);
});

test('an example ends at the next tag, and keeps its line', () => {
  const text = ['/**', ' * Reads.', ' * @example', ' * a();', ' *', ' * b();', ' * @see c', ' */'].join('\n');
  expect(examplesIn(text)).toEqual([{ line: 4, code: 'a();\n\nb();' }]);
});
