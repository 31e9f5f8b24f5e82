/** The code of an `@example`, and the line of its file that it begins in. */
export interface Example {
  readonly line: number;
  readonly code: string;
}

/** Finds the code of every `@example` of a module. It ends at the next tag, or with its comment. */
export function examplesIn(text: string): Example[] {
  const found: { line: number; lines: string[] }[] = [];
  let current: { line: number; lines: string[] } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const inComment = /^\s*\*(?!\/) ?(.*)$/.exec(raw)?.[1];
    if (inComment?.startsWith('@example') === true) {
      current = { line: index + 2, lines: [] };
      found.push(current);
    } else if (inComment === undefined || inComment.startsWith('@')) {
      current = undefined;
    } else {
      current?.lines.push(inComment);
    }
  }
  return found.map(({ line, lines }) => ({ line, code: lines.join('\n').trimEnd() }));
}

/**
 * Makes a module of an example: what it needs, and the example itself. Where it exports nothing it stands in a function, whose
 * `this` is the stack that constructs are made in.
 */
export function moduleOf({ code }: Example, prelude: string): { text: string; linesBefore: number } {
  const exporting = /^export /m.test(code);
  const before = exporting ? prelude : `${prelude}\nexport async function example(this: Stack) {`;
  return {
    text: `${before}\n${code}\n${exporting ? '' : '}\n'}`,
    linesBefore: before.split('\n').length,
  };
}
