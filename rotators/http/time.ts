/**
 * Reads the time at which a credential ends: a day, a time, or the seconds or milliseconds since 1970. A day alone is its
 * beginning in UTC. Undefined for anything else.
 */
export function endOf(value: unknown): Date | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const at = /^\d{12,14}$/.test(text)
    ? Number(text)
    : /^\d{9,10}$/.test(text)
      ? Number(text) * 1_000
      : /^\d{4}-\d\d-\d\d(?:$|[T ])/.test(text)
        ? Date.parse(text)
        : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at);
}
