/** The part of a recorded event that tells when a request was taken. */
export interface Recorded {
  readonly detailType: string;
  readonly detail: { readonly metadata?: unknown; readonly data?: unknown };
}

/**
 * Computes how old a request was when its workflow was started: from the time that it says itself to the record of the start.
 * It is how long the bus and the intake took, whatever they waited for.
 * @returns milliseconds, or undefined for any other record
 */
export function ageAtIntake({ detailType, detail }: Recorded): number | undefined {
  if (detailType !== 'Secret Revocation Started') return undefined;
  const { time } = (detail.metadata ?? {}) as { readonly time?: unknown };
  const { requestedAt } = (detail.data ?? {}) as { readonly requestedAt?: unknown };
  const age = Date.parse(String(time)) - Date.parse(String(requestedAt));
  return Number.isFinite(age) ? age : undefined;
}
