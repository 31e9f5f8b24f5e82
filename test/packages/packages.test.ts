import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { publint } from 'publint';
import { functionNames, packageRoot } from '../../lib/function/bundle.ts';
import { buildCli, buildConstructs } from '../../packages/build.ts';
import { readPage } from '../docs/markdown.ts';

/** What others install is built, packed, and used in a folder that knows nothing of the checkout. */

const run = promisify(execFile);
const {
  dependencies,
  devDependencies,
}: Record<'dependencies' | 'devDependencies', Record<string, string>> = JSON.parse(
  readFileSync(join(packageRoot, 'package.json'), 'utf8'),
);
const example = readFileSync(join(packageRoot, 'examples', 'own-cdk-app', 'app.ts'), 'utf8').replace(
  "'../../lib/index.ts'",
  "'@rekey/constructs'",
);
/** The app that the README of the constructs shows. */
const shown = /^```ts\n(.*?)^```$/ms.exec(
  readFileSync(join(packageRoot, 'packages', 'constructs', 'README.md'), 'utf8'),
)?.[1];
/** What `cdk init` writes, made stricter: a consumer's compiler reads Rekey's declarations, too. */
const compilerOptions = {
  target: 'ES2022',
  lib: ['es2022'],
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  strict: true,
  types: ['node'],
  skipLibCheck: false,
  outDir: 'out',
};

let folder = '';
let tarballs: Readonly<Record<'constructs' | 'cli', string>>;

async function pack(built: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: built });
  return join(folder, stdout.trim());
}

/** Sizes of a folder's files, in MB. */
const megabytes = (path: string): number =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((file) => statSync(join(path, file)))
    .reduce((sum, { size }) => sum + size, 0) / 1_000_000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekey-packages-'));
  tarballs = { constructs: await pack(buildConstructs().folder), cli: await pack(buildCli().folder) };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const brought = ['aws-cdk-lib', 'constructs'].map((name) => `${name}@${dependencies[name]}`);
  await run(
    'npm',
    [
      ...['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts'],
      ...[tarballs.constructs, tarballs.cli, ...brought],
      ...['typescript@5.9.3', `typescript-7@npm:typescript@${devDependencies.typescript}`],
      `@types/node@${devDependencies['@types/node']}`,
    ],
    { cwd: folder },
  );
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const installed = (...path: string[]): string => join(folder, 'node_modules', ...path);

describe('the packages that others install', () => {
  test('are small', () => {
    const sizes = {
      'constructs, packed': statSync(tarballs.constructs).size / 1_000_000,
      'constructs, installed': megabytes(installed('@rekey', 'constructs')),
      'CLI, packed': statSync(tarballs.cli).size / 1_000_000,
      'CLI, installed': megabytes(installed('@rekey', 'cli')),
    };
    process.stdout.write(`MB: ${JSON.stringify(sizes)}\n`);
    // Most of it are the functions, each with what it uses of the SDK: packed, about 255 kB each.
    expect(sizes['constructs, packed'] / functionNames.length).toBeLessThan(0.27);
    expect(sizes['constructs, installed'] / functionNames.length).toBeLessThan(1.1);
    expect(sizes['CLI, packed']).toBeLessThan(2);
    expect(sizes['CLI, installed']).toBeLessThan(15);
  });

  test('bring nothing but zod', () => {
    const top = readdirSync(installed()).filter((name) => !name.startsWith('.'));
    for (const name of ['esbuild', 'pg', 'mysql2', '@aws-sdk', '@redis']) expect(top).not.toContain(name);
    expect(top).toContain('zod');
  });

  test.each(['constructs', 'cli'] as const)('are in order, as publint says of %s', async (name) => {
    const archive = new Uint8Array(readFileSync(tarballs[name]));
    const { messages, pkg } = await publint({ pack: { tarball: archive.buffer }, strict: true });
    expect([pkg.name, messages]).toEqual([`@rekey/${name}`, []]);
  });

  // Its profile `esm-only`: the two resolutions that the constructs do not answer, as they are one ES module. TypeScript's
  // `node10` knows no `exports`; for `node16-cjs` its notice says only that `require` needs a Node that loads ES modules, as
  // every Node of `engines` does. The app that is commonjs, below, compiles and runs that way.
  test('resolve to their types from ES modules and for bundlers, as attw says', async () => {
    const check = async (tarball: string) =>
      await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
    const constructs = await check(tarballs.constructs);
    expect(constructs.types).toEqual({ kind: 'included' });
    if (constructs.types === false) return;
    expect(Object.keys(constructs.entrypoints)).toEqual(['.', './package.json']);
    expect(constructs.problems).toEqual([
      { kind: 'NoResolution', entrypoint: '.', resolutionKind: 'node10' },
      { kind: 'CJSResolvesToESM', entrypoint: '.', resolutionKind: 'node16-cjs' },
    ]);
    // The command line is a program, which nobody imports.
    expect((await check(tarballs.cli)).types).toBe(false);
  });

  test('have the pages that their declarations and their pages name', () => {
    const inside = installed('@rekey', 'constructs');
    const files = readdirSync(inside, { recursive: true, encoding: 'utf8' });
    const named = files
      .filter((file) => file.endsWith('.d.ts'))
      .flatMap((file) => [
        ...readFileSync(join(inside, file), 'utf8').matchAll(/(?<![\w/.])(?:docs|examples)\/[\w./-]*\w/g),
      ])
      .map(([path]) => path);
    expect(named.length).toBeGreaterThan(4);
    const linked = files
      .filter((file) => file.endsWith('.md') && !file.startsWith('THIRD'))
      .flatMap((file) =>
        readPage(readFileSync(join(inside, file), 'utf8'))
          .links.map(({ target }) => target.replace(/#.*$/, ''))
          .filter((target) => target !== '' && !target.includes(':'))
          .map((target) => join(dirname(file), target)),
      );
    expect(linked.length).toBeGreaterThan(20);
    expect([...named, ...linked].filter((path) => !existsSync(join(inside, path)))).toEqual([]);
  });

  test('the command line says its version and its help', async () => {
    const rekey = join(installed('.bin'), 'rekey');
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    const env = { PATH: `${join(process.execPath, '..')}:${process.env.PATH}` };
    expect((await run(rekey, ['--version'], { env })).stdout).toBe(`${version}\n`);
    expect((await run(rekey, ['revoke', '--help'], { env })).stdout).toContain('rekey revoke');
  });
});

describe.each(['module', 'commonjs'])('an app that is %s', (type) => {
  let app = '';
  beforeAll(async () => {
    app = join(folder, type);
    await mkdir(app);
    symlinkSync(installed(), join(app, 'node_modules'), 'dir');
    writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type }));
    writeFileSync(
      join(app, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['app.ts', 'shown.ts'] }),
    );
    writeFileSync(join(app, 'shown.ts'), shown ?? '');
    const isMain = type === 'module' ? 'import.meta.main' : 'require.main === module';
    writeFileSync(join(app, 'app.ts'), example.replace('import.meta.main', isMain));
  });

  test.each(['typescript', 'typescript-7'])('compiles with %s, declarations included', async (compiler) => {
    const { stdout } = await run(process.execPath, [installed(compiler, 'bin', 'tsc'), '-p', app], {
      cwd: app,
    });
    expect(stdout).toBe('');
  });

  // Both settings of the README; the one for all tests is the other.
  test('compiles as a module of node20, too', async () => {
    const options = { ...compilerOptions, module: 'Node20', moduleResolution: 'Node16', noEmit: true };
    writeFileSync(
      join(app, 'node20.json'),
      JSON.stringify({ compilerOptions: { ...options, skipLibCheck: true }, files: ['shown.ts'] }),
    );
    const compiler = installed('typescript', 'bin', 'tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', 'node20.json'], { cwd: app });
    expect(stdout).toBe('');
  });

  test('synthesizes without a bundler, to the functions of the checkout', async () => {
    const assets = (directory: string): string[] =>
      readdirSync(directory).filter((name) => name.startsWith('asset.'));
    const synth = async (file: string, output: string): Promise<{ assets: string[]; said: string }> => {
      const env = { ...process.env, CDK_OUTDIR: output };
      const { stdout, stderr } = await run(process.execPath, [file], { cwd: app, env });
      return { assets: assets(output), said: `${stdout}${stderr}` };
    };
    const { assets: packaged, said } = await synth(join(app, 'out', 'app.js'), join(app, 'packaged'));
    const { assets: own } = await synth(
      join(packageRoot, 'examples', 'own-cdk-app', 'app.ts'),
      join(app, 'own'),
    );
    expect(said).not.toContain('Bundling');
    expect(packaged).toHaveLength(10);
    expect(packaged).toEqual(own);
  });

  test('synthesizes what the README shows, with the credential of its user', async () => {
    const output = join(app, 'shown');
    await run(process.execPath, [join(app, 'out', 'shown.js')], {
      cwd: app,
      env: { ...process.env, CDK_OUTDIR: output },
    });
    const { Resources }: { Resources: Record<string, { Type: string; Properties: { Name?: string } }> } =
      JSON.parse(readFileSync(join(output, 'orders.template.json'), 'utf8'));
    const secrets = Object.values(Resources).filter(({ Type }) => Type === 'AWS::SecretsManager::Secret');
    expect(secrets.map(({ Properties: { Name } }) => Name)).toContain('/prod/orders/db');
  });
});
