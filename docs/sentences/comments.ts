/** A doc comment of TypeScript, with the kind of declaration that it stands above. */
export interface DocComment {
  /** Line of its opening, counted from 1. */
  readonly line: number;
  /** First sentence, on one line; empty where a tag comes first. */
  readonly sentence: string;
  readonly kind: 'function' | 'class' | 'other';
}

/** Every doc comment that begins a line; the few strings that look like one are read as one. */
const comment = /^[ \t]*\/\*\*([\s\S]*?)\*\/\s*/gm;

const modifiers =
  '(?:(?:export|default|declare|abstract|public|protected|private|static|override|async|readonly) )*';
const arrow = '(?:async )?(?:\\(|<\\w|\\w+ =>)';
const functions = [
  'function[ *]',
  `(?:const )?#?\\w+(?:: [^=\\n]+)? =\\s+${arrow}`,
  // A method or a call; a getter reads as a property does.
  '(?!get |set |constructor\\b)#?\\w+\\??(?:<[^(]*>)?\\(',
  // A member or a constant whose type is a function's.
  '(?:const )?\\w+\\??: (?:<[^(]*>)?\\((?:\\n|.*=>)',
];
const isFunction = new RegExp(`^${modifiers}(?:${functions.join('|')})`);
const isClass = new RegExp(`^${modifiers}(?:class|interface) `);

function kindOf(declaration: string): DocComment['kind'] {
  if (isFunction.test(declaration)) return 'function';
  return isClass.test(declaration) ? 'class' : 'other';
}

/** Reads a comment up to its first full stop, its first tag or its first empty line. */
function firstSentence(text: string): string {
  const lines = text.replaceAll(/^[ \t]*\* ?/gm, '').trim();
  const [paragraph = ''] = lines.split(/\n\s*\n|^@/m);
  const line = paragraph.replaceAll(/\s+/g, ' ').trim();
  return /^.*?(?<!\b(?:e\.g|i\.e|vs))[.!?]\)?(?=\s|$)/.exec(line)?.[0] ?? line;
}

/** Finds the doc comments of a file that begin a line. */
export function docComments(text: string): DocComment[] {
  return [...text.matchAll(comment)].map((match) => {
    const [whole, body = ''] = match;
    return {
      line: text.slice(0, match.index).split('\n').length,
      sentence: firstSentence(body),
      kind: kindOf(text.slice(match.index + whole.length)),
    };
  });
}
