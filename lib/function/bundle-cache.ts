import { createHash, randomUUID } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** A note of what a bundle was made of: a hash of each file, and esbuild's own account. */
interface Made {
  readonly inputs: Readonly<Record<string, string>>;
  /** Files of the bundle itself, with their hashes. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly metafile: Metafile;
  /** Folder with the bundle, beside the note. */
  readonly files: string;
}

const dayMs = 24 * 3600 * 1000;
/** Time for which a bundle is kept, in milliseconds. */
const keptForMs = 7 * dayMs;

const digests = new Map<string, string>();

/** Hashes a file's content, once for as long as the file stays as it is. A file that is gone has an empty hash. */
function digestOf(path: string): string {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (mtimeMs === undefined) return '';
  const state = JSON.stringify([path, mtimeMs, size]);
  const known = digests.get(state);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(readFileSync(path)).digest('base64url');
  digests.set(state, digest);
  return digest;
}

/** A place that keeps the bundles of a checkout. */
export interface BundleCache {
  /** Folder that esbuild's paths are relative to. */
  readonly root: string;
  /** Folder that holds a folder for each bundle. */
  readonly folder: string;
}

/**
 * Copies a bundle that was made before of the same files, or makes it and keeps it.
 * A checkout bundles the same functions at each synth, deploy and test; a bundle takes a second of a busy core.
 * @param key - everything besides the files that decides what comes out: options, versions
 * @param make - writes the bundle into a folder
 */
export function cachedBundle(
  { root, folder }: BundleCache,
  key: unknown,
  directory: string,
  make: (directory: string) => Metafile,
): Metafile {
  const decisive = ['package-lock.json', 'package.json', 'tsconfig.json'].map((file) =>
    digestOf(join(root, file)),
  );
  const name = createHash('sha256')
    .update(JSON.stringify([key, decisive]))
    .digest('base64url');
  const note = join(folder, `${name}.json`);
  const found = upToDate(root, note);
  if (found !== undefined && isWhole(folder, found)) {
    cpSync(join(folder, found.files), directory, { recursive: true });
    return found.metafile;
  }
  const files = randomUUID();
  try {
    mkdirSync(join(folder, files), { recursive: true });
  } catch {
    return make(directory); // a checkout that may only be read
  }
  forgetOld(folder);
  const begun = Date.now();
  const metafile = make(join(folder, files));
  cpSync(join(folder, files), directory, { recursive: true });
  // A file that was written meanwhile may be another than the one that was bundled.
  if (Object.keys(metafile.inputs).some((path) => changedSince(join(root, path), begun))) return metafile;
  const inputs = Object.fromEntries(
    Object.keys(metafile.inputs).map((path) => [path, digestOf(join(root, path))]),
  );
  const outputs = Object.fromEntries(
    readdirSync(join(folder, files)).map((file) => [file, digestOf(join(folder, files, file))]),
  );
  // Several processes may make the same bundle at a time: each has files of its own, and the note names whole ones.
  const draft = join(folder, `${files}.json`);
  writeFileSync(draft, JSON.stringify({ inputs, outputs, metafile, files } satisfies Made));
  renameSync(draft, note);
  return metafile;
}

function upToDate(root: string, note: string): Made | undefined {
  let made: Made;
  try {
    made = JSON.parse(readFileSync(note, 'utf8')) as Made;
  } catch {
    return undefined;
  }
  const same = Object.entries(made.inputs).every(([path, digest]) => digestOf(join(root, path)) === digest);
  return same ? made : undefined;
}

/** Tells whether a bundle is still there as it was made. */
const isWhole = (folder: string, { files, outputs }: Made): boolean =>
  Object.entries(outputs).every(([file, digest]) => digestOf(join(folder, files, file)) === digest);

/** Tells whether a file was written since a time, within what a file system tells apart. */
const changedSince = (path: string, begun: number): boolean =>
  (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= begun - 10;

/** Removes what was made long ago: a note first, and a day later the files that it named. */
function forgetOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (ageMs > keptForMs + (name.endsWith('.json') ? 0 : dayMs))
      rmSync(path, { recursive: true, force: true });
  }
}
