import type { ReportedError } from '../errors/rekey-error.ts';

type Line = Readonly<Record<string, unknown>>;

/** Finds the reason why the intake rejected a request, in lines of its log; undefined while they hold none. */
export const rejectionIn = (lines: readonly string[], requestId: string): ReportedError | undefined =>
  lines
    .map(logLine)
    .filter((line) => line?.message === 'revocation request rejected' && line.requestId === requestId)
    .map((line) => line && errorOfLine(line))
    .find((error) => error !== undefined);

/** Parses a line of a function's log, which is one JSON object. Lines of the Lambda service itself have other members. */
export function logLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the error that a line tells of; undefined where it tells of none. */
export function errorOfLine({ level, code, reason, retryable }: Line): ReportedError | undefined {
  return level === 'ERROR' && typeof code === 'string' && typeof reason === 'string'
    ? { code, message: reason, retryable: retryable === true }
    : undefined;
}
