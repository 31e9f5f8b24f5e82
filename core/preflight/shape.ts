import type { ValueShape } from './ports.ts';

/** Levels and keys of a value that are looked at. */
const limits = { depth: 8, keys: 2_000 };

/** Gives the names of the keys in a value, and nothing of what stands under them. */
export function shapeOf(value: string): ValueShape {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    // The error of the parser would quote the value.
    return { kind: 'text', paths: [], cut: false };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { kind: 'text', paths: [], cut: false };
  }
  const paths: (readonly string[])[] = [];
  let cut = false;
  // Level by level: the names at the top, which most references mean, come first.
  let level: (readonly [object, readonly string[]])[] = [[json, []]];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const [at, path] of level) {
      for (const [name, below] of Object.entries(at)) {
        if (paths.length >= limits.keys || path.length >= limits.depth) {
          cut = true;
          break;
        }
        const here = [...path, name];
        paths.push(here);
        if (typeof below === 'object' && below !== null) next.push([below, here]);
      }
    }
    level = cut ? [] : next;
  }
  return { kind: 'json', paths, cut };
}
