import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';
import { bundle, functionNames, packageRoot } from '../lib/function/bundle.ts';
import { bundleCli } from '../packages/build.ts';

/** Part of an entry of `package-lock.json` that this uses. */
const lockedSchema = z.object({
  version: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  deprecated: z.string().optional(),
  dev: z.boolean().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
});
const lockFileSchema = z.object({ packages: z.record(z.string(), lockedSchema) });

/** A package of the lock file. */
export interface Locked extends z.output<typeof lockedSchema> {
  /** Its folder, relative to the checkout; unique, where a name may be there in two versions. */
  readonly path: string;
  readonly name: string;
}

/** Lists the packages of the lock file, without Rekey itself and its workspace. */
export function lockedPackages(lockFile: string = join(packageRoot, 'package-lock.json')): Locked[] {
  const { packages } = lockFileSchema.parse(JSON.parse(readFileSync(lockFile, 'utf8')));
  return Object.entries(packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path, locked]) => ({ ...locked, path, name: nameOf(path) }));
}

/**
 * Tells whether a package comes with an installation of Rekey. All of them do that the CLI, the constructs and the functions
 * need at run time.
 */
export const isShipped = ({ dev }: Locked): boolean => dev !== true;

const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Lists the folders of the packages that have at least one byte in a bundle. */
export function packagesIn({ outputs }: Metafile): string[] {
  const folders = Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)].sort();
}

/** Bundles every function and, as `rekey`, the CLI, in seconds, and returns what esbuild says of each. */
export function bundles(): Record<string, Metafile> {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-shipped-'));
  try {
    const functions = functionNames.map((entry) => [entry, bundle(directory, { entry })]);
    return { ...Object.fromEntries(functions), rekey: bundleCli(directory) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Lists the folders of the packages in any bundle. */
export const bundledPackages = (): string[] =>
  [...new Set(Object.values(bundles()).flatMap(packagesIn))].sort();
