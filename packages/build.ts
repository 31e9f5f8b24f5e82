import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { bundle, functionNames, packageRoot } from '../lib/function/bundle.ts';
import { dependenciesOf, importedPackages, type OwnManifest } from './manifest.ts';

/** Folder in which the packages are built, ready for `npm pack`. */
export const packagesFolder = join(packageRoot, '.rekey', 'packages');

/** The names under which Rekey would be published. */
export const packageNames = { constructs: '@rekey/constructs', cli: '@rekey/cli' } as const;

const own: OwnManifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));

const common = {
  version: own.version,
  license: own.license,
  type: 'module',
  engines: { node: '>=22.18' },
} as const;

/** Begins a package's folder anew, with what every package carries. */
function begin(name: keyof typeof packageNames): string {
  const folder = join(packagesFolder, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ['LICENSE', 'THIRD-PARTY-NOTICES.md'])
    cpSync(join(packageRoot, file), join(folder, file));
  cpSync(join(packageRoot, 'packages', name, 'README.md'), join(folder, 'README.md'));
  return folder;
}

const writeManifest = (folder: string, manifest: object): void =>
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

/** Names modules in declarations as they are called in the package; the compiler leaves the names of the sources. */
function nameBuiltModules(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.ts')) continue;
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll(/((?:from|import\() ?['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
  }
}

/** Builds the constructs: compiled modules with their types, and every function bundled, so that no synth bundles one. */
export function buildConstructs(): string {
  const folder = begin('constructs');
  const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(packageRoot, 'packages', 'constructs', 'tsconfig.json');
  execFileSync(process.execPath, [compiler, '-p', project, '--outDir', folder], { stdio: 'inherit' });
  nameBuiltModules(folder);
  const imported = importedPackages(folder);
  for (const name of functionNames) bundle(join(folder, 'functions', name), { entry: name });
  writeManifest(folder, {
    name: packageNames.constructs,
    description:
      'CDK constructs that rotate secrets on schedule, revoke them in an emergency, and prove what happened',
    ...common,
    sideEffects: false,
    exports: {
      '.': { types: './lib/index.d.ts', default: './lib/index.js' },
      './package.json': './package.json',
    },
    ...dependenciesOf(imported, own),
  });
  return folder;
}

/** CommonJS dependencies inside an ES module bundle call `require` for Node's own modules. */
const banner =
  "#!/usr/bin/env node\nimport{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** Builds the CLI: one bundle with everything in it, a file per command that is read when the command runs. */
export function buildCli(): string {
  const folder = begin('cli');
  buildSync({
    entryPoints: { rekey: join(packageRoot, 'bin', 'rekey.ts') },
    outdir: join(folder, 'bin'),
    splitting: true,
    chunkNames: '[name]-[hash]',
    absWorkingDir: packageRoot,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: banner },
    legalComments: 'none',
    logLevel: 'warning',
  });
  chmodSync(join(folder, 'bin', 'rekey.js'), 0o755);
  writeManifest(folder, {
    name: packageNames.cli,
    description: 'Command line of Rekey: rotates, revokes and looks after secrets of AWS Secrets Manager',
    ...common,
    bin: { rekey: 'bin/rekey.js' },
  });
  return folder;
}

if (import.meta.main) {
  for (const build of [buildConstructs, buildCli]) process.stdout.write(`${build()}\n`);
}
