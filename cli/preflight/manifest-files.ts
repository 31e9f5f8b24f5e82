import {
  closeSync,
  type Dirent,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { type ManifestFile, parseManifest } from '../../core/preflight/document.ts';
import type { Include, ManifestFinder } from '../../core/preflight/formats/finder.ts';
import { findersOf, readManifest, seemsManifest, surroundingsOf } from '../../core/preflight/read.ts';
import type {
  ManifestFormat,
  ManifestProblem,
  ManifestReading,
  Place,
} from '../../core/preflight/reference.ts';
import { usageError } from '../errors.ts';

/** Settings of a reading of files. */
export interface ManifestOptions {
  /** Formats to look for. @default - all */
  readonly formats?: readonly ManifestFormat[];
  /** Largest JSON, in bytes; plans are the largest. @default 67108864, which is 64 MiB */
  readonly largestJson?: number;
  /** Largest other file, in bytes. @default 2097152, which is 2 MiB */
  readonly largestText?: number;
  /** Most files that are looked into. @default 20000 */
  readonly mostFiles?: number;
}

const mebibyte = 1024 * 1024;
const usual = { largestJson: 64 * mebibyte, largestText: 2 * mebibyte, mostFiles: 20_000 };
type Limits = typeof usual;

const skipped = new Set([
  'node_modules',
  '.git',
  '.terraform',
  '.hg',
  '.svn',
  'vendor',
  '.venv',
  '__pycache__',
  '.rekey',
]);
const endings = /\.(?:json|ya?ml|template|tpl|properties)$/i;
const dotenvName = /^(?:\.env|env)(?:[._-][\w.-]+)?$|\.env(?:[._-]\w+)?$/i;

interface Read {
  readonly file: ManifestFile;
  readonly path: string;
  /** Folder that includes may not lead out of. */
  readonly top: string;
  readonly finders: readonly ManifestFinder[];
}

/** References and problems of manifests, with the number of files that are one. */
interface ReadManifests {
  readonly files: number;
  readonly reading: ManifestReading;
}

/**
 * Reads the references of manifests. It reads each file that is named, all in a folder, and those that they include. A file that cannot
 * be read is a problem, and the others are read all the same.
 * @throws CliError `UsageInvalid` for a path that does not exist
 */
export async function readManifests(
  paths: readonly string[],
  options: ManifestOptions = {},
): Promise<ReadManifests> {
  return readManifestFiles(paths, options);
}

/** Reads what {@link readManifests} does, at once. */
export function readManifestFiles(paths: readonly string[], options: ManifestOptions = {}): ReadManifests {
  const limits = { ...usual, ...options };
  const reader = new Reader(limits, options.formats);
  for (const path of paths) {
    const found = statOf(path);
    if (found === undefined) throw usageError('UsageInvalid', `${path} does not exist`);
    if (found.isDirectory()) reader.folder(path, topOf(path), new Set());
    else reader.named(path, topOf(dirname(path)));
  }
  return reader.finish();
}

/** Finds the top of the repository that a folder lies in, or else the folder itself. */
function topOf(folder: string): string {
  const start = resolve(folder);
  for (let at = start; ; at = dirname(at)) {
    if (statOf(join(at, '.git')) !== undefined) return at;
    if (dirname(at) === at) return start;
  }
}

/** Reads files, and keeps those that hold a manifest. */
class Reader {
  readonly #limits: Limits;
  readonly #formats: readonly ManifestFormat[] | undefined;
  readonly #read = new Map<string, Read>();
  readonly #problems: ManifestProblem[] = [];
  #looked = 0;

  constructor(limits: Limits, formats: readonly ManifestFormat[] | undefined) {
    this.#limits = limits;
    this.#formats = formats;
  }

  /** Reads a folder. `above` holds the real paths of the folders around, against links that lead in circles. */
  folder(folder: string, top: string, above: ReadonlySet<string>): void {
    const entries = this.#entries(folder);
    if (entries === undefined) return;
    const real = realpathSync(folder);
    if (above.has(real)) return;
    const around = new Set([...above, real]);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      // A link may lead anywhere on the machine, and is nobody's manifest there.
      if (entry.isSymbolicLink() && !isWithin(path, top)) continue;
      const is = entry.isSymbolicLink() ? statOf(path) : entry;
      if (is?.isDirectory() === true) {
        if (!skipped.has(entry.name)) this.folder(path, top, around);
      } else if (is?.isFile() === true && (endings.test(entry.name) || dotenvName.test(entry.name))) {
        this.#file(path, top, false);
      }
    }
  }

  #entries(folder: string): readonly Dirent[] | undefined {
    try {
      return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    } catch {
      this.#problem(
        'ManifestUnreadable',
        nameOf(folder),
        'the folder cannot be opened',
        'check who may read it',
      );
      return undefined;
    }
  }

  /** Reads a file that somebody named, and says so when it is no manifest. */
  named(path: string, top: string): void {
    this.#file(path, top, true);
  }

  #file(path: string, top: string, isNamed: boolean): Read | undefined {
    const real = realPathOf(path);
    const known = this.#read.get(real);
    if (known !== undefined) return known;
    this.#looked += 1;
    if (this.#looked > this.#limits.mostFiles) {
      if (this.#looked === this.#limits.mostFiles + 1) {
        this.#problem(
          'ManifestTooLarge',
          nameOf(path),
          `there are more than ${this.#limits.mostFiles} files, and this and those behind it were not read`,
          'name folders that hold fewer',
        );
      }
      return undefined;
    }
    const text = this.#text(path, isNamed);
    if (text === undefined) return undefined;
    const file = parseManifest(nameOf(path), text);
    const finders = findersOf(file, this.#formats);
    const read = { file, path: real, top, finders };
    if (isNamed && finders.length === 0 && (file.faults.length === 0 || !seemsManifest(file))) {
      this.#problem(
        'ManifestUnreadable',
        file.name,
        'it is of no format that is known here',
        'see docs/preflight-formats.md for the formats, or describe the references in a rekey.references.yaml',
      );
    }
    this.#read.set(real, read);
    return read;
  }

  /** Reads a text, unless it is too large, binary or closed to us. */
  #text(path: string, isNamed: boolean): string | undefined {
    try {
      const found = statSync(path);
      const { size } = found;
      if (!found.isFile()) {
        this.#problem('ManifestUnreadable', nameOf(path), 'it is no file', 'name a manifest or a folder');
        return undefined;
      }
      const limit = /\.(?:json|template)$/i.test(path) ? this.#limits.largestJson : this.#limits.largestText;
      if (size > limit) {
        // Most large files are no manifests; those that nobody named are refused where they begin like one.
        if (isNamed || /"(?:format_version|resource_changes|Resources)"|secretsmanager/.test(head(path))) {
          this.#problem(
            'ManifestTooLarge',
            nameOf(path),
            `it has ${size} bytes, and the limit is ${limit}`,
            'split it, or name the parts that matter',
          );
        }
        return undefined;
      }
      const bytes = readFileSync(path);
      const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8';
      if (encoding === 'utf8' && bytes.subarray(0, 8_000).includes(0)) {
        if (isNamed) this.#problem('ManifestUnreadable', nameOf(path), 'it is no text', 'name a manifest');
        return undefined;
      }
      return bytes.toString(encoding).replace(/^\ufeff/, '');
    } catch {
      this.#problem('ManifestUnreadable', nameOf(path), 'it cannot be opened', 'check who may read it');
      return undefined;
    }
  }

  /** Follows includes, and reads everything that was found. */
  finish(): ReadManifests {
    this.#follow();
    const all = [...this.#read.values()];
    const around = surroundingsOf(all.map(({ file }) => file));
    const readings = all.map(({ file, finders }) => readManifest(file, finders, around));
    return {
      files: all.filter(({ finders }) => finders.length > 0).length,
      reading: {
        references: readings.flatMap(({ references }) => references),
        problems: [...this.#problems, ...readings.flatMap(({ problems }) => problems)],
      },
    };
  }

  /** Reads what files include, and notes circles where they close. */
  #follow(): void {
    const done = new Set<string>();
    const visit = (read: Read, way: readonly string[]): void => {
      if (done.has(read.path)) return;
      for (const include of read.finders.flatMap(({ includes }) => includes?.(read.file) ?? [])) {
        const next = this.#included(read, include);
        if (next === undefined) continue;
        const circle = [...way, read.path];
        if (circle.includes(next.path)) {
          this.#problem(
            'IncludeCyclic',
            include.place,
            `it includes ${next.file.name}, which leads back here`,
            'take one of the includes out',
          );
        } else visit(next, circle);
      }
      done.add(read.path);
    };
    // A file that others include comes after them, so that a circle closes at its end.
    for (const read of [...this.#read.values()]) visit(read, []);
  }

  #included(from: Read, { path, from: start, place }: Include): Read | undefined {
    const folders =
      start === 'file'
        ? [dirname(from.path)]
        : [...new Set([from.top, ...upTo(dirname(from.path), from.top)])];
    const candidate = folders
      .map((folder) => resolve(folder, path))
      .find((one) => statOf(one)?.isFile() === true);
    const shown = /^[\w./-]{1,200}$/.test(path) ? path : 'a file';
    if (candidate === undefined) {
      this.#problem(
        'IncludeMissing',
        place,
        `it includes ${shown}, which does not exist`,
        'check the path, or give the file as well',
      );
      return undefined;
    }
    if (!isWithin(candidate, from.top)) {
      this.#problem(
        'IncludeMissing',
        place,
        `it includes ${shown}, which lies outside of the folder that is checked`,
        'name that file by itself if it is to be checked',
      );
      return undefined;
    }
    return this.#file(candidate, from.top, false);
  }

  #problem(code: ManifestProblem['code'], at: Place | string, message: string, fix: string): void {
    this.#problems.push({
      code,
      place: typeof at === 'string' ? { file: at, pointer: '' } : at,
      message,
      fix,
    });
  }
}

/** Looks at a path; undefined for one that leads nowhere, also by links in a circle. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Gives the path that links lead to, or the path itself where it has just gone. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Tells whether a path lies within a folder, wherever links lead. */
function isWithin(path: string, folder: string): boolean {
  const [real, top] = [realPathOf(path), realPathOf(folder)];
  return real === top || real.startsWith(top === sep ? top : top + sep);
}

/** Lists the folders from one up to the top. */
function upTo(folder: string, top: string): readonly string[] {
  const found: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    found.push(at);
    if (at === top || dirname(at) === at) return found;
  }
}

/** Reads the beginning of a file. */
function head(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(4_096);
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

const nameOf = (path: string): string =>
  relative(process.cwd(), resolve(path)).replaceAll('\\', '/') || basename(path);
