import { readYamlDocuments, type YamlDocument, type YamlFault } from '../yaml-document.ts';
import type { Place } from './reference.ts';

/** JSON or YAML of a manifest, as it was read. */
export type Json = Readonly<Record<string, unknown>>;

/** Tells whether a value is a map. */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Gives a map, which is empty for everything else. */
export const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
/** Gives a list, which is empty for everything else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** Gives a text or a number as text; undefined for everything else. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
/** Reads a value below others by its names. */
export const valueIn = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (Array.isArray(at) ? at[Number(name)] : objectOf(at)[name]), value);

/** A document of a file that could be read. */
export interface ManifestDocument {
  readonly value: unknown;
  readonly lineOf: (pointer: readonly string[]) => number | undefined;
}

/** A file, parsed as far as it is JSON or YAML. */
export interface ManifestFile {
  /** Path as a report shows it, with slashes. */
  readonly name: string;
  readonly text: string;
  readonly documents: readonly ManifestDocument[];
  readonly faults: readonly YamlFault[];
  /** Actions of Helm in the text, each of which stands as `__action_<index>__` in the documents. */
  readonly actions: readonly string[];
}

/** Largest JSON in which lines are looked for, in characters: that needs a second reading, which is slow. */
const largestWithLines = 2_000_000;

/** Actions of Helm that are looked for in one file, and the longest of them in characters. */
const [mostActions, longestAction] = [5_000, 4_000];
/** Beginnings without an end that are looked at in one file. */
const mostFailures = 50;

/** Parses a file. It never throws; what cannot be read becomes a fault. */
export function parseManifest(name: string, text: string): ManifestFile {
  const none = { name, text, documents: [], faults: [], actions: [] };
  if (!/\.(?:json|ya?ml|template|tpl)$/i.test(name) || /(?:^|\/)\.?env\b[^/]*$/i.test(name)) return none;
  if (/^\s*[{[]/.test(text) && !/^\s*\{[{%]/.test(text)) return { ...none, ...parseJson(name, text) };
  const actions: string[] = [];
  return { ...none, actions, ...sorted(readYamlDocuments(withoutActions(text, actions))) };
}

/** Levels that a document may have. Whatever walks through it descends by a call for each. */
const mostLevels = 300;
const tooDeep: YamlFault = { message: 'it is nested too deeply' };

/** Sorts documents by whether they can be read. */
function sorted(documents: readonly YamlDocument[]): Pick<ManifestFile, 'documents' | 'faults'> {
  const flat = documents.map((one) =>
    one.fault === undefined && isTooDeep(one.value) ? { ...one, fault: tooDeep } : one,
  );
  return {
    documents: flat.filter(({ fault }) => fault === undefined),
    faults: flat.flatMap(({ fault }) => fault ?? []),
  };
}

function isTooDeep(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > mostLevels) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}

function parseJson(name: string, text: string): Pick<ManifestFile, 'documents' | 'faults'> {
  let finder: YamlDocument['lineOf'] | undefined;
  const lineOf: YamlDocument['lineOf'] = (pointer) => {
    if (text.length > largestWithLines) return undefined;
    finder ??= readYamlDocuments(withoutComments(text))[0]?.lineOf;
    return finder?.(pointer);
  };
  for (const read of [(): string => text, (): string => withoutComments(text)]) {
    try {
      return sorted([{ value: JSON.parse(read()) as unknown, line: 1, lineOf }]);
    } catch {
      // What follows may read it: JSON with comments, or YAML that begins with a bracket.
    }
  }
  if (/\.json$/i.test(name)) {
    return { documents: [], faults: [{ message: 'it is no JSON' }] };
  }
  return sorted(readYamlDocuments(text));
}

/** Takes comments and last commas out of JSON, as .NET allows them, and keeps the lines. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]{0,20000}?\*\//g, (part) =>
      part.startsWith('"') ? part : part.replaceAll(/[^\n]/g, ' '),
    )
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|,(?=\s{0,2000}[}\]])/g, (part) => (part === ',' ? ' ' : part));
}

/**
 * Puts a mark in the place of each action of Helm, and leaves tags of Jinja out. Lines that hold nothing else become empty.
 * `${{ … }}` is an expression of GitHub, and `{{resolve:` a reference of CloudFormation.
 */
function withoutActions(text: string, actions: string[]): string {
  const parts: string[] = [];
  let from = 0;
  let failures = 0;
  // Lines that an action spans follow as empty ones behind its last, so that all others stay where they are.
  let owed = 0;
  const withLines = (part: string): string => {
    const end = owed === 0 ? -1 : part.indexOf('\n');
    if (end === -1) return part;
    const filled = part.slice(0, end) + '\n'.repeat(owed) + part.slice(end);
    owed = 0;
    return filled;
  };
  for (const match of text.matchAll(/\{[{%]/g)) {
    const at = match.index;
    if (actions.length >= mostActions || failures >= mostFailures) break;
    if (at < from || text[at - 1] === '$' || text.startsWith('{{resolve:', at)) continue;
    const end = endOfAction(text, at);
    if (end === undefined) {
      failures += 1;
      continue;
    }
    parts.push(withLines(text.slice(from, at)), replacement(text, at, end, actions));
    owed += text.slice(at, end).match(/\n/g)?.length ?? 0;
    from = end;
  }
  return [...parts, withLines(text.slice(from))].join('');
}

/** Finds the end of an action, which may hold texts with brackets of their own. */
function endOfAction(text: string, at: number): number | undefined {
  const closing = text[at + 1] === '%' ? '%}' : '}}';
  let quote: string | undefined;
  for (let index = at + 2; index < Math.min(text.length, at + longestAction); index += 1) {
    const character = text[index];
    if (quote !== undefined) {
      if (character === '\\') index += 1;
      else if (character === quote) quote = undefined;
    } else if (text.startsWith(closing, index)) return index + 2;
    else if (character === '"' || character === '`') quote = character;
  }
  // A quote of the YAML around may have been taken for one of the action.
  const plain = text.indexOf(closing, at);
  return plain === -1 || plain > at + longestAction ? undefined : plain + 2;
}

function replacement(text: string, at: number, end: number, actions: string[]): string {
  const whole = text.slice(at, end);
  if (isBlank(text, at - 1, -1) && isBlank(text, end, 1)) return '';
  const inner = whole.slice(2, -2).replaceAll(/^-|-$/g, '').trim();
  if (whole.startsWith('{%') || /^(?:if|else|end|range|with|define|template|\/\*|\$\w+ *:?=)/.test(inner))
    return '';
  actions.push(inner);
  return `__action_${actions.length - 1}__`;
}

/** Tells whether nothing but spaces stands between a place and the end of its line. */
function isBlank(text: string, from: number, step: 1 | -1): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at += step;
  return text[at] === undefined || text[at] === '\n';
}

/** Writes the way to a place as one text, such as `spec.data[0]`. */
export const pointerText = (pointer: readonly string[]): string =>
  pointer
    .map((part, index) => {
      if (/^\d+$/.test(part)) return `[${part}]`;
      if (!/^[\w$:-]+$/.test(part)) return `["${part}"]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');

/** Gives a place of a document. */
export function placeIn(
  { name }: Pick<ManifestFile, 'name'>,
  document: ManifestDocument,
  pointer: readonly string[],
): Place {
  const line = document.lineOf(pointer);
  return { file: name, ...(line !== undefined && { line }), pointer: pointerText(pointer) };
}

/** A text within a document, with the way to it. */
export interface TextLeaf {
  readonly pointer: readonly string[];
  readonly text: string;
}

/** Lists every text within a value. Documents are bounded where they are read, so that this is. */
export function textsIn(value: unknown, pointer: readonly string[] = []): readonly TextLeaf[] {
  const found: TextLeaf[] = [];
  const visit = (at: unknown, way: readonly string[]): void => {
    if (typeof at === 'string') found.push({ pointer: way, text: at });
    else if (typeof at === 'object' && at !== null) {
      for (const [name, item] of Object.entries(at)) visit(item, [...way, name]);
    }
  };
  visit(value, pointer);
  return found;
}
