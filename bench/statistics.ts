/** The middle value; of an even number of values, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error('the median of no values');
  return middle;
}

/**
 * The value that a part of all values do not exceed, by the nearest rank: a value that was measured, never one in between.
 * @param part - above 0, at most 1; 0.99 for the 99th percentile
 * @returns NaN of no values
 */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN;
}
