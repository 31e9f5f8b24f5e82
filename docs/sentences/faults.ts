import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type DocComment, docComments } from './comments.ts';

const root = join(import.meta.dirname, '..', '..');
const maximumWords = 20;

const relative =
  /^(?:(?:after|as|at|before|by|for|from|in|of|on|since|to|under|with) )?(?:who|whom|whose|what|whether|where|when|why|how|that|which)\b/i;
const negation = /\b(?:no|not|never|nothing|nobody|none|neither|nor|without|cannot|unless|\w+n't)\b/gi;
const negated = /\bun(?!defined|der|iform|ion|ique|it|ivers|less|til)[a-z]+/gi;
/** A first word in -s, as far as it is no plural: "Keys of a secret", "Objects whose key …". */
const verb = /^(?!As\b)[A-Z][a-z]*s\b(?! (?:of|whose)\b)/;
const code = /`[^`]*`|\{@\w+ [^}]*\}/g;

interface Rule {
  readonly isBroken: (comment: DocComment) => boolean;
  readonly message: string;
}

/** Counts words, of which a piece of code is one. */
const wordsOf = (sentence: string): number =>
  sentence
    .replaceAll(code, 'code')
    .split(' ')
    .filter((word) => /\w/.test(word)).length;

/** Counts the words that deny, of which "neither … nor" is one. */
function negationsOf(sentence: string): number {
  const prose = sentence.replaceAll(code, 'code').replaceAll(/\bneither\b(.*?)\bnor\b/gi, 'no$1');
  return [...prose.matchAll(negation), ...prose.matchAll(negated)].length;
}

const rules: readonly Rule[] = [
  { isBroken: ({ sentence }) => sentence === '', message: 'say what it is or does before the first tag' },
  {
    isBroken: ({ sentence }) => sentence !== '' && !/\.\)?$/.test(sentence),
    message: 'end the first sentence with a full stop',
  },
  {
    isBroken: ({ sentence }) => wordsOf(sentence) > maximumWords,
    message: `the first sentence has more than ${maximumWords} words`,
  },
  {
    isBroken: ({ sentence }) => relative.test(sentence),
    message: 'begin with a noun or a verb, not with a relative clause ("What …", "Whether …")',
  },
  {
    isBroken: ({ sentence }) => negationsOf(sentence) > 1,
    message: 'the first sentence denies twice; say it in the positive',
  },
  {
    isBroken: ({ sentence, kind }) => kind === 'function' && sentence !== '' && !verb.test(sentence),
    message: 'begin with what the function does ("Reads …")',
  },
  {
    isBroken: ({ sentence, kind }) =>
      kind === 'class' && sentence !== '' && !/^(?:[A-Z][a-z]*s|An?|The|One)\b/.test(sentence),
    message: 'begin with what the class does ("Reads …") or is ("A …", "The …")',
  },
];

/** Finds the first sentences in the text of one file that a reader has to read twice. */
export function faultsIn(file: string, text: string): string[] {
  return docComments(text).flatMap((comment) =>
    rules
      .filter(({ isBroken }) => isBroken(comment))
      .map(({ message }) => `${file}:${comment.line}: ${message}: ${comment.sentence}`),
  );
}

/** Folders whose doc comments are checked. */
const checkedFolders = [
  ...['adapters', 'cli', 'core', 'dependencies', 'docs'],
  ...['lambdas', 'lib', 'local', 'packages', 'rotators'],
];

/** Finds the faults of every checked folder. */
export const findFaults = (): string[] =>
  checkedFolders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => posix.join(folder, path))
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => faultsIn(file, readFileSync(join(root, file), 'utf8'))),
  );
