import type { RecordedEvent } from '../../core/audit/recorded-event.ts';

/**
 * Computes how old a request was when its workflow was started: from the time that it says itself to the record of the start.
 * It is how long the bus and the intake took, whatever they waited for.
 * @returns milliseconds, or undefined for any other record
 */
export function ageAtIntake({ detailType, data, metadata }: RecordedEvent): number | undefined {
  if (detailType !== 'Secret Revocation Started') return undefined;
  const age = Date.parse(String(metadata.time)) - Date.parse(String(data.requestedAt));
  return Number.isFinite(age) ? age : undefined;
}
