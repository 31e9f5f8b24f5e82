import { usageError } from './errors.ts';

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const isUnit = (text: string | undefined): text is keyof typeof units => text !== undefined && text in units;

/**
 * Reads a duration: a whole number and one of `s`, `m`, `h`, `d`, `w`.
 * @returns milliseconds
 * @throws CliError `DurationInvalid`
 */
export function parseDuration(text: string, option: string): number {
  const [, number, unit] = /^(\d{1,6})([smhdw])$/.exec(text.trim()) ?? [];
  if (!isUnit(unit) || Number(number) === 0) {
    throw usageError(
      'DurationInvalid',
      `${option} ${JSON.stringify(text)} is not a duration; write for example 90s, 15m, 1h or 7d`,
    );
  }
  return Number(number) * units[unit];
}

/**
 * Reads a point in time: a duration before now, or an ISO 8601 date or date and time.
 * @throws CliError `TimeInvalid`
 */
export function parseSince(text: string, now: Date): Date {
  if (/^\d{1,6}[smhdw]$/.test(text.trim())) {
    return new Date(now.getTime() - parseDuration(text, '--since'));
  }
  const time = /^\d{4}-\d{2}-\d{2}(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw usageError(
      'TimeInvalid',
      `--since ${JSON.stringify(text)} is neither a duration (15m, 1h, 7d) nor an ISO 8601 time (2026-01-31T12:00:00Z)`,
    );
  }
  return new Date(time);
}

/** Writes a length of time for a reader: `850 ms`, `4.2 s`, `3 min`, `5 h`, `12 d`. */
export function formatDuration(ms: number): string {
  const size = Math.max(0, ms);
  if (size < 1_000) return `${Math.round(size)} ms`;
  if (size < 99_950) return `${(size / 1_000).toFixed(1)} s`;
  if (size < 99.5 * units.m) return `${Math.round(size / units.m)} min`;
  if (size < 47.5 * units.h) return `${Math.round(size / units.h)} h`;
  return `${Math.round(size / units.d)} d`;
}

/** Writes an age in whole seconds and up: `12 s`, `3 min`. */
function coarse(ms: number): string {
  return ms < 99_500 ? `${Math.round(ms / 1_000)} s` : formatDuration(ms);
}

/** Writes how far a time is from now: `3 d ago`, `in 27 d`, `-` when there is none. */
export function formatRelative(time: Date | undefined, now: Date): string {
  if (time === undefined) return '-';
  const ms = now.getTime() - time.getTime();
  return ms >= 0 ? `${coarse(ms)} ago` : `in ${coarse(-ms)}`;
}
