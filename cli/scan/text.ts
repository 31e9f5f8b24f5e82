import type { Bytes } from './bytes.ts';
import type { Hit } from './rules.ts';

/** Finds the secrets in a text, with the name of the file that it is of. */
export type Finder = (text: string, name: string) => Promise<readonly Hit[]>;

/** A secret, and where it stands in its file. */
export interface PlacedHit extends Hit {
  readonly line?: number;
  readonly column?: number;
  readonly offset?: number;
}

/** Characters that are looked at together. */
const windowLength = 256 * 1_024;
/** Characters that two windows share, behind the first: the longest secret is a private key of about 12,000. */
const overlap = 24 * 1_024;
/** Characters of the window before that rules may look back to. */
const lead = 64;
/** Bytes from which the kind of a file is told. */
export const headLength = 8_192;

/** Encoding of a file, by its first bytes; `binary` for what is no text. */
type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'binary';

function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return head.includes(0) ? 'binary' : 'utf-8';
}

/** Finds the secrets of a file, whatever its size: it is looked at in windows that overlap. */
export async function* secretsOfFile(bytes: Bytes, name: string, find: Finder): AsyncGenerator<PlacedHit> {
  const encoding = encodingOf(await bytes.peek(headLength));
  if (encoding === 'binary') yield* secretsOfBinary(bytes, name, find);
  else yield* secretsOfText(decoded(bytes, encoding), name, find);
}

async function* decoded(bytes: Bytes, encoding: Exclude<Encoding, 'binary'>): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { ignoreBOM: false });
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** A part of a longer text. */
interface Window {
  readonly text: string;
  /** Characters at its begin that the window before has reported. */
  readonly from: number;
  /** Place in it from which the next window reports. */
  readonly to: number;
}

/** Cuts a text into windows, each of which repeats the end of the one before. */
async function* windowsOf(parts: AsyncIterable<string>): AsyncGenerator<Window> {
  let pending: string[] = [];
  let length = 0;
  let from = 0;
  for await (const part of parts) {
    pending.push(part);
    length += part.length;
    while (length >= windowLength) {
      const all = pending.join('');
      const text = all.slice(0, windowLength);
      const to = windowLength - overlap;
      yield { text, from, to };
      const rest = all.slice(to - lead);
      [pending, length, from] = [[rest], rest.length, lead];
    }
  }
  yield { text: pending.join(''), from, to: Number.POSITIVE_INFINITY };
}

/** Finds the secrets in a text, with lines and columns. */
export async function* secretsOfText(
  parts: AsyncIterable<string>,
  name: string,
  find: Finder,
): AsyncGenerator<PlacedHit> {
  // Line and column, both from 1, of the first character that the window reports.
  let [line, column] = [1, 1];
  for await (const { text, from, to } of windowsOf(parts)) {
    const hits = await find(text, name);
    const own = hits.filter(({ start }) => start >= from && start < to);
    for (const hit of own) yield { ...hit, ...advanced(text, from, hit.start, line, column) };
    if (to !== Number.POSITIVE_INFINITY) ({ line, column } = advanced(text, from, to, line, column));
  }
}

/** Counts lines and columns from one place of a text to another. */
function advanced(text: string, from: number, to: number, line: number, column: number) {
  let lines = 0;
  let last = -1;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) {
    lines += 1;
    last = at;
  }
  return lines === 0 ? { line, column: column + (to - from) } : { line: line + lines, column: to - last };
}

/** Bytes that are looked at together. */
const binaryWindow = 256 * 1_024;
/** Characters that a run must have to be looked at: no secret is shorter. */
const shortestRun = 12;
const wide = /(?:[\x20-\x7e]\0){12,}[\x20-\x7e]?/g;

/** True for bytes that are printable characters, or end lines. */
const isPrintable = new Uint8Array(256).map((_, byte) =>
  (byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13 ? 1 : 0,
);

/** Finds the secrets in a file that is no text, by its runs of characters. */
async function* secretsOfBinary(bytes: Bytes, name: string, find: Finder): AsyncGenerator<PlacedHit> {
  let offset = 0;
  let from = 0;
  let kept = Buffer.alloc(0);
  for (let ended = false; !ended; ) {
    const chunks: Uint8Array[] = [kept];
    let length = kept.length;
    while (length < binaryWindow) {
      const chunk = await bytes.read();
      if (chunk === undefined) {
        ended = true;
        break;
      }
      chunks.push(chunk);
      length += chunk.length;
    }
    const window = Buffer.concat(chunks, length);
    const to = ended ? Number.POSITIVE_INFINITY : length - overlap;
    for (const hit of await secretsOfRuns(window, name, find)) {
      if (hit.start >= from && hit.start < to) yield { ...hit, offset: offset + hit.start };
    }
    if (ended) return;
    kept = window.subarray(to - lead);
    offset += to - lead;
    from = lead;
  }
}

async function secretsOfRuns(window: Buffer, name: string, find: Finder): Promise<readonly Hit[]> {
  const { narrow, mayBeWide } = runsOf(window);
  const hits = await hitsIn(narrow, 1, name, find);
  if (!mayBeWide) return hits;
  const pairs = [...window.toString('latin1').matchAll(wide)].map(({ 0: text, index }) => ({
    text: text.replaceAll('\0', ''),
    start: index,
  }));
  return [...hits, ...(await hitsIn(pairs, 2, name, find))];
}

/** A run of characters, and the byte at which it begins. */
interface Run {
  readonly text: string;
  readonly start: number;
}

/** Finds the secrets in runs, each in a line of its own. */
async function hitsIn(
  runs: readonly Run[],
  width: number,
  name: string,
  find: Finder,
): Promise<readonly Hit[]> {
  if (runs.length === 0) return [];
  const places: number[] = [];
  let at = 0;
  for (const { text } of runs) {
    places.push(at);
    at += text.length + 1;
  }
  const hits = await find(runs.map(({ text }) => text).join('\n'), name);
  return hits.flatMap((hit) => {
    const index = places.findLastIndex((place) => place <= hit.start);
    const run = runs[index];
    return run === undefined
      ? []
      : [{ ...hit, start: run.start + width * (hit.start - (places[index] ?? 0)) }];
  });
}

/** Finds the runs of printable bytes, and tells whether there may be some with a NUL behind each character. */
function runsOf(window: Buffer): { readonly narrow: readonly Run[]; readonly mayBeWide: boolean } {
  const narrow: Run[] = [];
  let [start, turns, mayBeWide] = [0, 0, false];
  let before = 0;
  for (let at = 0; at <= window.length; at += 1) {
    const byte = window[at] ?? 0;
    const now = isPrintable[byte] ?? 0;
    // Characters and NULs that take turns.
    turns = now !== before && (byte === 0 || before === 0) ? turns + 1 : 0;
    if (turns >= 2 * shortestRun - 1) mayBeWide = true;
    if (now !== before) {
      if (now === 1) start = at;
      else if (at - start >= shortestRun) narrow.push({ text: window.toString('latin1', start, at), start });
    }
    before = now;
  }
  return { narrow, mayBeWide };
}
