/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some elements in a random order. */
export function sample<T>(from: readonly T[], count: number, random: () => number): T[] {
  return from
    .map((value) => ({ value, place: random() }))
    .sort((one, other) => one.place - other.place)
    .slice(0, count)
    .map(({ value }) => value);
}
