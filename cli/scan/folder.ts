import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { NotReadable, reasonOf } from './bounded.ts';
import { Bytes } from './bytes.ts';
import { gitReason, isGitObjects, type Scan } from './look.ts';
import { patternTest } from './pattern.ts';

/** The choice of files in a folder. */
export interface FolderOptions {
  /** Patterns of what is left out, of paths within the folder, as {@link patternTest} takes them. */
  readonly exclude: readonly string[];
}

/** Bytes that are read at a time. */
const chunkLength = 256 * 1_024;

/**
 * Looks into what a path names: a file, or all files of a folder. Links are not followed out of the folder, and a folder is entered
 * by its own name alone, so that no loop of links holds it up.
 */
export async function lookIntoPath(scan: Scan, given: string, options: FolderOptions): Promise<void> {
  const name = basename(resolve(given));
  const status = await stat(given);
  if (!status.isDirectory()) {
    if (!status.isFile()) throw new NotReadable('is neither a file nor a folder');
    await lookIntoFile(scan, [name], given);
    return;
  }
  const assets = await assetNames(given);
  const root = await realpath(given);
  const excluded = options.exclude.map(patternTest);
  const visit = async (folder: string): Promise<void> => {
    if (scan.isOver) return;
    const steps = (path: string) => [name, ...stepsInFolder(root, path, assets)];
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = join(folder, entry.name);
        const inside = relative(root, path).split(sep).join('/');
        if (excluded.some((matches) => matches(inside))) continue;
        if (entry.isDirectory()) {
          // The history of the checkout itself is read when it is asked for.
          if (inside === '.git/objects') continue;
          if (isGitObjects(inside)) scan.refuse(steps(folder), gitReason);
          else await visit(path);
        } else if (entry.isFile()) await lookIntoFile(scan, steps(path), path);
        else if (entry.isSymbolicLink()) await lookAtLink(scan, steps(path), path, root);
      }
    } catch (error) {
      scan.refuse(folder === root ? [name] : steps(folder), reasonOf(error));
    }
  };
  await visit(root);
  for (const missing of assets.missing)
    scan.refuse([name, missing], 'is named by the manifest, and not there');
  for (const outside of assets.outside) {
    scan.refuse(
      [name, outside],
      'is named by the manifest, and lies outside of the folder; scan it by itself',
    );
  }
}

async function lookIntoFile(scan: Scan, path: readonly string[], file: string): Promise<void> {
  const bytes = new Bytes(createReadStream(file, { highWaterMark: chunkLength }));
  try {
    await scan.look({ path, bytes, file });
  } finally {
    await bytes.close();
  }
}

/** Looks at a link. What it leads to within the folder is looked into under its own name. */
async function lookAtLink(scan: Scan, path: readonly string[], link: string, root: string): Promise<void> {
  const target = await realpath(link).catch(() => undefined);
  // A link that leads nowhere ships nothing.
  if (target === undefined || target === root || target.startsWith(`${root}${sep}`)) return;
  scan.refuse(path, 'is a link that leads out of the folder; scan what it leads to by itself');
}

/** Assets of a cloud assembly: their names by their folders, and those that are not where the manifest says. */
interface Assets {
  readonly names: ReadonlyMap<string, string>;
  readonly missing: readonly string[];
  readonly outside: readonly string[];
}

const noAssets: Assets = { names: new Map(), missing: [], outside: [] };

/**
 * Reads the manifests of assets in a cloud assembly of the CDK, which name each asset by its construct.
 * @see https://docs.aws.amazon.com/cdk/v2/guide/assets.html
 */
async function assetNames(folder: string): Promise<Assets> {
  const files = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const manifests = files.filter(({ name }) => name.endsWith('.assets.json'));
  if (manifests.length === 0) return noAssets;
  const names = new Map<string, string>();
  const missing = new Set<string>();
  const outside = new Set<string>();
  for (const { name } of manifests) {
    for (const { path, title } of await assetsOf(join(folder, name))) {
      const inside = relative(folder, resolve(folder, path)).split(sep).join('/');
      if (inside.startsWith('..')) outside.add(path);
      else if ((await lstat(join(folder, inside)).catch(() => undefined)) === undefined) missing.add(inside);
      else if (title !== undefined) names.set(inside, title);
    }
  }
  return { names, missing: [...missing], outside: [...outside] };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function assetsOf(
  file: string,
): Promise<readonly { readonly path: string; readonly title?: string }[]> {
  try {
    const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
    const { files, dockerImages } = isObject(manifest) ? manifest : {};
    return [files, dockerImages].flatMap((group) =>
      Object.values(isObject(group) ? group : {}).flatMap((asset) => {
        if (!isObject(asset) || !isObject(asset.source)) return [];
        const { path, directory } = asset.source;
        const place = typeof path === 'string' ? path : directory;
        if (typeof place !== 'string') return [];
        return [{ path: place, ...(typeof asset.displayName === 'string' && { title: asset.displayName }) }];
      }),
    );
  } catch {
    // The file itself is looked into with the others.
    return [];
  }
}

/** Names a file by the asset that it belongs to, and by its path in the folder. */
function stepsInFolder(root: string, path: string, { names }: Assets): readonly string[] {
  const inside = relative(root, path).split(sep).join('/');
  const title = names.get(inside.split('/')[0] ?? '');
  return title === undefined ? [inside] : [`asset ${title}`, inside];
}
