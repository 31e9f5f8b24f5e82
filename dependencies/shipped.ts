import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';
import { bundle, functionNames, packageRoot } from '../lib/function/bundle.ts';

/** What this uses of an entry of `package-lock.json`. */
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

/** The packages of the lock file, without Rekey itself. */
export function lockedPackages(lockFile: string = join(packageRoot, 'package-lock.json')): Locked[] {
  const { packages } = lockFileSchema.parse(JSON.parse(readFileSync(lockFile, 'utf8')));
  return Object.entries(packages)
    .filter(([path, { link }]) => path !== '' && link !== true)
    .map(([path, locked]) => ({ ...locked, path, name: nameOf(path) }));
}

/** What comes with an installation of Rekey, all of it: the CLI, the constructs and the functions need it at run time. */
export const isShipped = ({ dev }: Locked): boolean => dev !== true;

const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Folders of the packages that have at least one byte in a bundle. */
export function packagesIn({ outputs }: Metafile): string[] {
  const folders = Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)].sort();
}

/** Folders of the packages that are in any function, bundled as a deploy does it: about a quarter of a second each. */
export function bundledPackages(): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-shipped-'));
  try {
    const folders = functionNames.flatMap((entry) => packagesIn(bundle(directory, { entry })));
    return [...new Set(folders)].sort();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
