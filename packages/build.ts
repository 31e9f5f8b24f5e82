import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync, type Metafile } from 'esbuild';
import { bundle, functionNames, leanDrivers, packageRoot } from '../lib/function/bundle.ts';
import { copyDocuments } from './documents.ts';
import {
  dependenciesOf,
  importedPackages,
  manifestOf,
  type OwnManifest,
  type PackageName,
} from './manifest.ts';

/** Folder in which the packages are built, ready for `npm pack`. */
export const packagesFolder = join(packageRoot, '.rekey', 'packages');

/** A package that was built. */
export interface Built {
  readonly folder: string;
  readonly manifest: ReturnType<typeof manifestOf>;
  /** Esbuild's account of each bundle in it, by the bundle's name. */
  readonly bundles: Readonly<Record<string, Metafile>>;
}

/** The manifest of the checkout, from which each package takes its version. */
export const own: OwnManifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));

/** Begins a package's folder anew, with what every package carries. */
function begin(name: PackageName): string {
  const folder = join(packagesFolder, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ['LICENSE', 'THIRD-PARTY-NOTICES.md'])
    cpSync(join(packageRoot, file), join(folder, file));
  cpSync(join(packageRoot, 'packages', name, 'README.md'), join(folder, 'README.md'));
  return folder;
}

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

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
export function buildConstructs(): Built {
  const folder = begin('constructs');
  const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(packageRoot, 'packages', 'constructs', 'tsconfig.json');
  execFileSync(process.execPath, [compiler, '-p', project, '--outDir', folder], { stdio: 'inherit' });
  nameBuiltModules(folder);
  copyDocuments(folder);
  const manifest = manifestOf('constructs', own, dependenciesOf(importedPackages(folder), own));
  const bundles = functionNames.map((name) => [
    name,
    bundle(join(folder, 'functions', name), { entry: name }),
  ]);
  writeManifest(folder, manifest);
  return { folder, manifest, bundles: Object.fromEntries(bundles) };
}

/** CommonJS dependencies inside an ES module bundle call `require` for Node's own modules. */
const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** Bundles the CLI into a folder, a file per command that is read when the command runs. */
export function bundleCli(folder: string): Metafile {
  const { metafile } = buildSync({
    entryPoints: { rekey: join(packageRoot, 'bin', 'rekey.js') },
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
    alias: leanDrivers,
    // pg loads its optional native binding only when asked to.
    external: ['pg-native'],
    banner: { js: banner },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  chmodSync(join(folder, 'bin', 'rekey.js'), 0o755);
  return metafile;
}

/** Builds the CLI into a folder: one bundle with everything in it. */
export function buildCli(): Built {
  const folder = begin('cli');
  const manifest = manifestOf('cli', own);
  const metafile = bundleCli(folder);
  writeManifest(folder, manifest);
  return { folder, manifest, bundles: { rekey: metafile } };
}

if (import.meta.main) {
  for (const build of [buildConstructs, buildCli]) process.stdout.write(`${build().folder}\n`);
}
