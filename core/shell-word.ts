/** Control characters, and those that change the order or the look of what stands around them. */
export const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

/** Quotes one word for bash and zsh. Characters that a terminal would not show are written as escapes. */
export function shellWord(word: string): string {
  if (/^[\w./:@%+=,-]+$/.test(word)) return word;
  if (!unprintable.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const bytes = [...Buffer.from(word)].map((byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `$'${bytes.join('')}'`;
}
