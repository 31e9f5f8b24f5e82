import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The part of Rekey's own manifest that the published ones repeat. */
export interface OwnManifest {
  readonly version: string;
  readonly license: string;
  /** Place of the code; missing until it is somewhere that others can read. */
  readonly repository?: { readonly type: 'git'; readonly url: string };
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Entries of each package's manifest, beside those that all have. */
const packages = {
  constructs: {
    name: '@rekey/constructs',
    description:
      'CDK constructs that rotate secrets on schedule, revoke them in an emergency, and prove what happened',
    sideEffects: false,
    exports: {
      '.': { types: './lib/index.d.ts', default: './lib/index.js' },
      './package.json': './package.json',
    },
  },
  cli: {
    name: '@rekey/cli',
    description: 'Command line of Rekey: rotates, revokes and looks after secrets of AWS Secrets Manager',
    bin: { rekey: 'bin/rekey.js' },
  },
} as const;

/** A package that others install. */
export type PackageName = keyof typeof packages;

/** Writes the manifest under which a package would be published. */
export function manifestOf(
  name: PackageName,
  own: OwnManifest,
  dependencies: Partial<ReturnType<typeof dependenciesOf>> = {},
) {
  const { name: published, description, ...entries } = packages[name];
  return {
    name: published,
    description,
    version: own.version,
    license: own.license,
    type: 'module',
    engines: { node: '>=22.18' },
    ...(own.repository !== undefined && { repository: { ...own.repository, directory: `packages/${name}` } }),
    // npm takes a name with a scope for private unless told otherwise.
    publishConfig: { access: 'public' },
    ...entries,
    ...dependencies,
  };
}

/** Packages that a consumer brings, since an app may hold one version of them only. */
const peers = new Set(['aws-cdk-lib', 'constructs']);

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Finds the packages that the modules of a folder import. */
export function importedPackages(folder: string): readonly string[] {
  const specifiers = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) =>
      [
        ...readFileSync(join(folder, file), 'utf8').matchAll(
          /(?:\bfrom|\bimport\() ?['"]([@\w][\w./@:-]*)['"]/g,
        ),
      ].map(([, specifier = '']) => specifier),
    );
  return [...new Set(specifiers.filter((name) => !name.startsWith('node:')).map(packageOf))].sort();
}

/**
 * Splits the packages that modules import into those that come with a package and those that the consumer brings. The former
 * are at the version that was tested, the latter at that version or a later one of the same major.
 *
 * @throws Error for a package that Rekey's own manifest does not list as a dependency
 */
export function dependenciesOf(imported: readonly string[], own: OwnManifest) {
  const versionOf = (name: string): string => {
    const version = own.dependencies[name];
    if (version === undefined) throw new Error(`${name} is imported, and no dependency of package.json`);
    return version;
  };
  const of = (kept: (name: string) => boolean, prefix: string) =>
    Object.fromEntries(imported.filter(kept).map((name) => [name, `${prefix}${versionOf(name)}`]));
  return {
    dependencies: of((name) => !peers.has(name), ''),
    peerDependencies: of((name) => peers.has(name), '^'),
  };
}
