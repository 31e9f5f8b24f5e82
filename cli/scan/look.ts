import {
  excerptOf,
  type NotLookedInto,
  type Place,
  pathText,
  type SecretFound,
} from '../../core/scan/finding.ts';
import { liveSecret } from '../../core/scan/kinds.ts';
import { type Budget, NotReadable, reasonOf } from './bounded.ts';
import type { Bytes } from './bytes.ts';
import { ImageNotes, isImageDocument } from './image.ts';
import { assignedIn, type LiveCandidates } from './live.ts';
import { secretsIn } from './rules.ts';
import { inlineSources, isSourceMap, mappedSources, mayEndInSourceMap } from './source-map.ts';
import { type ArchiveEntry, tarEntries } from './tar.ts';
import { type Finder, headLength, type PlacedHit, secretsOfFile, secretsOfText } from './text.ts';
import { formatOf, unpacked } from './unpack.ts';
import { zipEntries } from './zip.ts';

/** A thing to look into: its bytes, and where it is. */
export interface Piece {
  readonly path: readonly string[];
  readonly bytes: Bytes;
  /** Its place on the disk, if it is a file there. */
  readonly file?: string;
}

/** Counts of what a scan has read. */
export interface ScanCounts {
  files: number;
  bytes: number;
  archives: number;
}

/** Tells whether a path leads to the objects of a repository, which are packed in a way of their own. */
export const isGitObjects = (name: string): boolean => /(?:^|\/)\.git\/objects(?:\/|$)/.test(name);

export const gitReason = 'is the history of a repository; scan it with --git-history';

/** Characters of a name that are kept. */
const longestName = 4_096;
/** Characters of a document of an image that is read as such. */
const mostImageDocument = 4 * 1_024 * 1_024;

/**
 * Looks into what is shipped, piece by piece: archives within archives, texts, and strings in what is no text. What cannot be read
 * becomes a finding, and the next piece is looked into.
 */
export class Scan {
  readonly found: SecretFound[] = [];
  readonly notLookedInto: NotLookedInto[] = [];
  readonly counts: ScanCounts = { files: 0, bytes: 0, archives: 0 };
  /** Number of secrets that were found beyond those that are kept. */
  beyond = 0;
  readonly #budget: Budget;
  readonly #live: LiveCandidates | undefined;
  readonly #image = new ImageNotes();
  /** Work on the file that is looked at. */
  #ofFile = { ms: 0, characters: 0 };
  /** Reason for which nothing more is looked into, once there is one. */
  #over: string | undefined;
  readonly #seen = new Set<string>();

  constructor(budget: Budget, live?: LiveCandidates) {
    this.#budget = budget;
    this.#live = live;
  }

  /** Tells whether a limit of the whole scan was reached. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Looks into one piece. It never throws. */
  async look(piece: Piece, depth = 0): Promise<void> {
    if (this.#over !== undefined) return;
    let { path } = piece;
    try {
      path = await this.#withoutSecrets(path);
      this.#budget.takeEntry();
      await this.#lookInto({ ...piece, path }, depth);
    } catch (error) {
      this.refuse(path, reasonOf(error));
      if (error instanceof NotReadable && error.all) this.#over = error.message;
    }
  }

  /** Notes what was not read, and looks into its name first. */
  async refuseNamed(path: readonly string[], reason: string): Promise<void> {
    this.refuse(await this.#withoutSecrets(path), reason);
  }

  /** Notes that something was not read. */
  refuse(path: readonly string[], reason: string): void {
    const key = `${pathText(path)} ${reason}`;
    if (this.#seen.has(key) || this.notLookedInto.length >= this.#budget.bounds.findings) return;
    this.#seen.add(key);
    this.notLookedInto.push({ path, reason });
  }

  /** Names the place of a finding in its image, once all of the image was read. */
  nameOf(found: SecretFound): SecretFound {
    return this.#image.named(found);
  }

  /** Gives the findings, with their places in images. */
  named(): readonly SecretFound[] {
    return this.found.map((one) => this.nameOf(one));
  }

  /** Finds secrets in the name of a piece, and gives its path without them. */
  async #withoutSecrets(path: readonly string[]): Promise<readonly string[]> {
    const name = (path.at(-1) ?? '').slice(0, longestName);
    const hits = await secretsIn(name, 'name');
    const shown = hits.reduce(
      (text, { value, kind }) => text.replaceAll(value, excerptOf(value, kind)),
      name,
    );
    const safe = [...path.slice(0, -1), shown];
    for (const hit of hits)
      await this.#collect(safe, only({ ...hit, remark: 'it stands in the name of the file' }));
    return safe;
  }

  async #lookInto(piece: Piece, depth: number): Promise<void> {
    const head = await piece.bytes.peek(headLength);
    const format = formatOf(head);
    if (format === 'other') return await this.#lookAtFile(piece, head, depth);
    if (depth >= this.#budget.bounds.depth) {
      throw new NotReadable(`lies within more than ${this.#budget.bounds.depth} archives`);
    }
    if (format === 'zip') return await this.#lookIntoZip(piece, depth);
    if (format === 'tar') {
      this.counts.archives += 1;
      const entries = tarEntries(piece.bytes, (reason) => this.refuse(piece.path, reason));
      return await this.#lookIntoEntries(entries, piece, depth);
    }
    const inner = unpacked(piece.bytes, format, this.#budget);
    try {
      await this.#lookInto({ path: piece.path, bytes: inner }, depth + 1);
    } finally {
      await inner.close();
    }
  }

  async #lookIntoZip(piece: Piece, depth: number): Promise<void> {
    this.counts.archives += 1;
    const { file, path } = piece;
    const most = this.#budget.bounds.heldBytes;
    const buffer = file === undefined ? await piece.bytes.collect(most) : undefined;
    if (file === undefined && buffer === undefined) {
      throw new NotReadable(
        `is a zip of more than ${Math.round(most / 2 ** 20)} MiB within another archive; scan it by itself`,
      );
    }
    const source = buffer === undefined ? { file: file ?? '' } : { buffer };
    const refuse = (name: string, reason: string) => this.refuseNamed([...path, name], reason);
    await this.#lookIntoEntries(zipEntries(source, this.#budget, refuse), piece, depth);
  }

  async #lookIntoEntries(
    entries: AsyncIterable<ArchiveEntry>,
    { path }: Piece,
    depth: number,
  ): Promise<void> {
    for await (const { name, bytes } of entries) {
      this.#image.noteEntry(path, name);
      if (isGitObjects(name)) {
        this.refuse([...path, name.replace(/objects\/.*$/, '')], gitReason);
        continue;
      }
      await this.look({ path: [...path, name], bytes }, depth + 1);
      if (this.isOver) return;
    }
  }

  async #lookAtFile(piece: Piece, head: Uint8Array, depth: number): Promise<void> {
    const { path, bytes } = piece;
    const name = path.at(-1) ?? '';
    this.counts.files += 1;
    this.#ofFile = { ms: 0, characters: 0 };
    const texts = await this.#textsOf(piece, name, head);
    if (texts !== undefined) return await this.#lookAtTexts(path, texts);
    await this.#collect(path, secretsOfFile(bytes, name, this.#find));
    if (!endsAsZip(bytes.tail)) return;
    // A program that unpacks itself, or an archive of Python with a first line of its own.
    if (piece.file === undefined)
      throw new NotReadable('ends as a zip does, and begins otherwise; scan it by itself');
    await this.#lookIntoZip(piece, depth);
  }

  /** Reads a file that holds texts of its own, such as a source map. It gives undefined for any other. */
  async #textsOf({ path, bytes }: Piece, name: string, head: Uint8Array) {
    const isMap = isSourceMap(name, head);
    const isDocument = !isMap && isImageDocument(path, head);
    const isCode = !isMap && !isDocument && mayEndInSourceMap(name) && !head.includes(0);
    if (!isMap && !isDocument && !isCode) return undefined;
    const held = await bytes.collect(isDocument ? mostImageDocument : this.#budget.bounds.heldBytes);
    if (held === undefined) return undefined;
    const text = new TextDecoder(head[0] === 0xff ? 'utf-16le' : 'utf-8').decode(held);
    const itself = { name: '', text };
    if (isCode) return [itself, ...inlineSources(text)];
    return (isMap ? mappedSources(text) : this.#image.noteDocument(path, text)) ?? [itself];
  }

  /** Looks at texts that a document holds, each under a name of its own. */
  async #lookAtTexts(
    path: readonly string[],
    texts: Iterable<{ readonly name: string; readonly text: string }>,
  ): Promise<void> {
    for (const { name, text } of texts) {
      const place = name === '' ? path : [...path, name];
      await this.#collect(place, secretsOfText(only(text), place.at(-1) ?? '', this.#find));
    }
  }

  readonly #find: Finder = async (text, name) => {
    this.counts.bytes += text.length;
    this.#ofFile.characters += text.length;
    const begin = performance.now();
    const hits = await secretsIn(text, name.split('/').at(-1) ?? name);
    this.#ofFile.ms += performance.now() - begin;
    const { ruleMs, ruleMsPerMegabyte } = this.#budget.bounds;
    // A text can be made so that a rule is slow on it, which must not hold up the others.
    if (this.#ofFile.ms > ruleMs + (this.#ofFile.characters / 1e6) * ruleMsPerMegabyte) {
      throw new NotReadable('takes the rules too long; look at it by other means');
    }
    return this.#live === undefined ? hits : [...hits, ...assignedIn(text)];
  };

  async #collect(
    path: readonly string[],
    hits: AsyncIterable<PlacedHit & { readonly remark?: string }>,
  ): Promise<void> {
    for await (const { kind, value, line, column, offset, remark } of hits) {
      const place: Place = {
        path: path.map((step) =>
          step.includes(value) ? step.replaceAll(value, excerptOf(value, kind)) : step,
        ),
        ...(line !== undefined && { line }),
        ...(column !== undefined && { column }),
        ...(offset !== undefined && { offset }),
      };
      const found = {
        rule: kind.rule,
        kind: kind.kind,
        severity: kind.severity,
        place,
        excerpt: excerptOf(value, kind),
        ...(remark !== undefined && { remark }),
      };
      if (kind.rule === liveSecret) this.#live?.takeAssigned(value, found);
      else if (this.found.length >= this.#budget.bounds.findings) this.beyond += 1;
      else {
        this.#live?.takeFound(value, found);
        this.found.push(found);
      }
    }
  }
}

const endsAsZip = (tail: Uint8Array): boolean =>
  Buffer.from(tail).indexOf('PK\u0005\u0006', 0, 'latin1') === 0;

async function* only<T>(one: T): AsyncGenerator<T> {
  yield one;
}
