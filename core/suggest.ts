/** Counts the edits (insert, delete, replace, swap of neighbours) that lead from one word to the other. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/**
 * Finds the known words that somebody who typed `word` may have meant, the nearest first. Such a word is a few edits away, or
 * contains it, or has the same last part of a path.
 */
export function near(word: string, known: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase();
  const tail = (name: string) => name.split('/').at(-1) ?? name;
  const allowed = Math.max(2, Math.floor(wanted.length / 4));
  return known
    .map((name) => {
      const candidate = name.toLowerCase();
      const edits = Math.min(distance(wanted, candidate), distance(tail(wanted), tail(candidate)) + 0.5);
      return { name, score: wanted.length > 2 && candidate.includes(wanted) ? Math.min(edits, 1) : edits };
    })
    .filter(({ score }) => score <= allowed)
    .sort((a, b) => a.score - b.score || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name);
}
