/**
 * Cuts a list into batches of at most `most` items and `bytes` bytes, in order. An item that is larger than `bytes` has a
 * batch of its own.
 */
export function inBatches<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  { most, bytes }: { readonly most: number; readonly bytes: number },
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let taken = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const last = batches.at(-1);
    if (last === undefined || last.length >= most || taken + size > bytes) {
      batches.push([item]);
      taken = size;
    } else {
      last.push(item);
      taken += size;
    }
  }
  return batches;
}
