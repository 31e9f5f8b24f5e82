import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';

/** Short forms that are no function of their own name. */
const plainNames: Readonly<Record<string, string>> = { '!Ref': 'Ref', '!Condition': 'Condition' };

/** Aliases that a document may hold, against one that grows without end when they are written out. */
const mostAliases = 1_000;
/** Values that aliases may add to a document when they are written out. */
const mostAliasedValues = 200_000;

/**
 * Reads a CloudFormation template in YAML or JSON. Short tags are written out: `!Ref A` becomes `{ Ref: 'A' }`, and any other
 * `!Name` becomes `{ 'Fn::Name': … }`.
 * @throws Error of the YAML library, which names line and column
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
 */
export function readYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: false, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  return plainOf(document).value;
}

/** A document of a YAML or JSON text. */
export interface YamlDocument {
  /** Content; undefined where there is a fault. */
  readonly value: unknown;
  /** Line of the text on which the document begins. */
  readonly line: number;
  /** Finds the line of a place, or of the nearest thing around it that is there. */
  readonly lineOf: (pointer: readonly string[]) => number | undefined;
  /** Fault that keeps it from being read; it quotes nothing of the text. @default - it can be read */
  readonly fault?: YamlFault;
}

/** A reason for which a document cannot be read. */
export interface YamlFault {
  readonly line?: number;
  readonly message: string;
}

/**
 * Reads all documents of a YAML or JSON text, with their lines. Short tags are written out as {@link readYaml} does. A document that
 * cannot be read has a fault, and the others are read all the same.
 */
export function readYamlDocuments(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const nowhere = { value: undefined, line: 1, lineOf: () => undefined };
  let documents: readonly Document.Parsed[];
  try {
    const parsed = parseAllDocuments(text, { uniqueKeys: false, lineCounter: lines, logLevel: 'silent' });
    documents = Array.isArray(parsed) ? parsed : [];
  } catch {
    // The parser descends into each level by a call.
    return [{ ...nowhere, fault: { message: 'it is nested too deeply' } }];
  }
  return documents.map((document) => {
    const line = lines.linePos(document.range[0]).line;
    const [problem] = document.errors;
    if (problem !== undefined) {
      const message = `it is no YAML (${problem.code.toLowerCase().replaceAll('_', ' ')})`;
      return { ...nowhere, line, fault: { line: lines.linePos(problem.pos[0]).line, message } };
    }
    try {
      const { value, complete } = plainOf(document);
      return complete
        ? { value, line, lineOf: finderIn(document, lines) }
        : { ...nowhere, line, fault: { line, message: 'its aliases make it grow without end' } };
    } catch {
      return { ...nowhere, line, fault: { line, message: 'it is nested too deeply' } };
    }
  });
}

/** Writes a document as plain values. It is not complete where aliases were cut off. */
function plainOf(document: Document): { readonly value: unknown; readonly complete: boolean } {
  let aliases = 0;
  let inAlias = 0;
  let aliasedValues = 0;
  const tooMany = (): boolean => aliases > mostAliases || aliasedValues > mostAliasedValues;
  const plain = (node: Node | null | undefined): unknown => {
    if (inAlias > 0) aliasedValues += 1;
    if (isAlias(node)) {
      aliases += 1;
      if (tooMany()) return null;
      inAlias += 1;
      const value = plain(node.resolve(document));
      inAlias -= 1;
      return value;
    }
    return inAlias > 0 && tooMany() ? null : withTag(node?.tag, contentOf(node, plain));
  };
  const value = plain(document.contents as Node | null);
  return { value, complete: !tooMany() };
}

function contentOf(node: Node | null | undefined, plain: (node: Node) => unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map((item) => plain(item as Node));
  if (!isMap(node)) return null;
  const entries = node.items.map(({ key, value }) => [nameOf(key), plain(value as Node)] as const);
  const merged = entries
    .filter(([name]) => name === '<<')
    .flatMap(([, value]) => (Array.isArray(value) ? value.toReversed() : [value]) as readonly object[]);
  return Object.assign({}, ...merged, Object.fromEntries(entries.filter(([name]) => name !== '<<')));
}

const nameOf = (key: unknown): string => String(isScalar(key) ? key.value : key);

function withTag(tag: string | undefined, content: unknown): unknown {
  if (tag === undefined || !/^![A-Za-z]/.test(tag)) return content;
  return { [plainNames[tag] ?? `Fn::${tag.slice(1)}`]: content };
}

/** Finds the lines of places in a document, JSON or YAML. */
export function lineFinder(text: string): (pointer: readonly string[]) => number | undefined {
  const lines = new LineCounter();
  return finderIn(parseDocument(text, { uniqueKeys: false, lineCounter: lines, logLevel: 'silent' }), lines);
}

function finderIn(
  document: Document,
  lines: LineCounter,
): (pointer: readonly string[]) => number | undefined {
  // A map with very many keys is searched once for each place in it.
  const indexes = new WeakMap<object, ReadonlyMap<string, Pair>>();
  const pairOf = (map: YAMLMap, name: string): Pair | undefined => {
    const known = indexes.get(map) ?? new Map(map.items.toReversed().map((pair) => [nameOf(pair.key), pair]));
    indexes.set(map, known);
    return known.get(name);
  };
  return (pointer) => {
    let at: unknown = document.contents;
    let found: number | undefined;
    for (const name of pointer) {
      const [next, place] = step(at, name, pairOf);
      if (place === undefined) break;
      found = place;
      at = isAlias(next) ? next.resolve(document) : next;
    }
    return found === undefined ? undefined : lines.linePos(found).line;
  };
}

/** Goes one step down; it gives the value, and where it begins. */
function step(
  at: unknown,
  name: string,
  pairOf: (map: YAMLMap, name: string) => Pair | undefined,
): readonly [value: unknown, place: number | undefined] {
  if (isMap(at)) {
    const pair = pairOf(at, name);
    return [pair?.value, (pair?.key as Scalar | undefined)?.range?.[0]];
  }
  if (!isSeq(at)) return [undefined, undefined];
  const item = at.items[Number(name)] as Node | undefined;
  return [item, item?.range?.[0]];
}
