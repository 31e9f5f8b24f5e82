import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml';

/** Short forms that are no function of their own name. */
const plainNames: Readonly<Record<string, string>> = { '!Ref': 'Ref', '!Condition': 'Condition' };

/** Aliases that a document may hold, against one that grows without end when they are written out. */
const mostAliases = 1_000;

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
  let aliases = 0;
  const plain = (node: Node | null | undefined): unknown => {
    if (isAlias(node)) {
      aliases += 1;
      return aliases > mostAliases ? null : plain(node.resolve(document));
    }
    return withTag(node?.tag, contentOf(node, plain));
  };
  return plain(document.contents);
}

function contentOf(node: Node | null | undefined, plain: (node: Node) => unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map((item) => plain(item as Node));
  if (!isMap(node)) return null;
  const entries = node.items.map(({ key, value }) => [nameOf(key), plain(value as Node)] as const);
  const merged = entries.filter(([name]) => name === '<<').map(([, value]) => value as object);
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
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines, logLevel: 'silent' });
  return (pointer) => {
    let at: unknown = document.contents;
    let found: number | undefined;
    for (const name of pointer) {
      const [next, place] = step(at, name);
      if (place === undefined) break;
      found = place;
      at = isAlias(next) ? next.resolve(document) : next;
    }
    return found === undefined ? undefined : lines.linePos(found).line;
  };
}

/** Goes one step down; it gives the value, and where it begins. */
function step(at: unknown, name: string): readonly [value: unknown, place: number | undefined] {
  if (isMap(at)) {
    const pair = at.items.find(({ key }) => nameOf(key) === name);
    return [pair?.value, (pair?.key as Scalar | undefined)?.range?.[0]];
  }
  if (!isSeq(at)) return [undefined, undefined];
  const item = at.items[Number(name)] as Node | undefined;
  return [item, item?.range?.[0]];
}
