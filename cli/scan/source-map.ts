/** A text within a file, with the name that it has there. */
interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Tells whether a file is a source map by its name and its begin. */
export const isSourceMap = (name: string, head: Uint8Array): boolean =>
  name.endsWith('.map') &&
  /^(?:\)\]\}'[^\n]*\n)?\s*\{/.test(Buffer.from(head.subarray(0, 64)).toString('latin1'));

/**
 * Reads the sources that a source map holds, with those of its sections; undefined where it is none.
 * @see https://tc39.es/ecma426/
 */
export function mappedSources(text: string): readonly NamedText[] | undefined {
  let map: unknown;
  try {
    map = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, ''));
  } catch {
    return undefined;
  }
  if (!isObject(map) || map.version === undefined) return undefined;
  const sections = Array.isArray(map.sections)
    ? map.sections.flatMap((section: unknown) =>
        isObject(section) && isObject(section.map) ? [section.map] : [],
      )
    : [];
  return [
    ...[map, ...sections].flatMap(sourcesOf),
    { name: 'the map itself', text: JSON.stringify(outside(map)) },
  ];
}

function sourcesOf({ sources, sourcesContent }: Json): readonly NamedText[] {
  const names: readonly unknown[] = Array.isArray(sources) ? sources : [];
  const contents: readonly unknown[] = Array.isArray(sourcesContent) ? sourcesContent : [];
  return contents.flatMap((text, index) =>
    typeof text === 'string' ? [{ name: String(names[index] ?? `source ${index}`), text }] : [],
  );
}

/** Gives a map without its sources, which were read, and its mappings, which are numbers. */
function outside({
  sourcesContent: _content,
  mappings: _mappings,
  sections: _sections,
  ...others
}: Json): Json {
  return others;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const inline =
  /[#@] sourceMappingURL=data:application\/json(?:;charset=[\w-]{1,20})?;base64,([A-Za-z0-9+/]{20,}={0,2})/g;

/** Tells whether a file may have its source map at its end. */
export const mayEndInSourceMap = (name: string): boolean => /\.(?:[cm]?[jt]sx?|css)$/.test(name);

/** Reads the source maps that stand in a text as base64. */
export function inlineSources(text: string): readonly NamedText[] {
  if (!text.includes('sourceMappingURL=data:')) return [];
  return [...text.matchAll(inline)].flatMap(
    ([, code = '']) => mappedSources(Buffer.from(code, 'base64').toString('utf8')) ?? [],
  );
}
