/**
 * Answers of a service or a gateway that cannot do it now, and may another time. 520 to 524 are Cloudflare's.
 * @see https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
 */
export const unavailableStatuses = [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524] as const;

/** Answers among them that prove that nothing was done: too many requests, or a service out of reach. */
const undone: ReadonlySet<number> = new Set([429, 503, 521, 523]);

/** Tells whether an answer leaves open whether the request was carried out. */
export const leavesOpen = (status: number): boolean =>
  unavailableStatuses.some((known) => known === status) && !undone.has(status);
