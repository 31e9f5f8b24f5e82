import { type QuietHours, type QuietPeriod, weekdays } from './settings.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Periods that may follow each other without a gap: seven days and some. */
const mostInARow = 20;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Reads the local time of an instant, as milliseconds that count as if it were UTC. */
function localOf(instant: number, timeZone: string): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  formats.set(timeZone, format);
  const part = Object.fromEntries(
    format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * Finds the instant of a local time. Of a time that comes twice it is the first; one that the clock skips counts by the offset
 * before the change, as in iCalendar.
 * @see https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5
 */
function instantOf(local: number, timeZone: string): number {
  const before = localOf(local - dayMs, timeZone) - (local - dayMs);
  const after = localOf(local + dayMs, timeZone) - (local + dayMs);
  const found = [local - before, local - after]
    .toSorted((one, other) => one - other)
    .find((instant) => localOf(instant, timeZone) === local);
  return found ?? local - before;
}

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
};

/** Gives the period that began on a local day, as instants; undefined when none begins on it. */
function periodOn(day: number, { from, to, days }: QuietPeriod, timeZone: string) {
  const weekday = weekdays[(new Date(day).getUTCDay() + 6) % 7];
  if (weekday === undefined || !days.includes(weekday)) return undefined;
  const overnight = minutesOf(to) <= minutesOf(from) ? dayMs : 0;
  return {
    start: instantOf(day + minutesOf(from) * minuteMs, timeZone),
    end: instantOf(day + overnight + minutesOf(to) * minuteMs, timeZone),
  };
}

/**
 * Gives the end of the quiet hours that an instant lies in. Periods that touch are one.
 * @returns undefined when it lies in none
 */
export function quietUntil(now: Date, quiet: QuietHours | undefined): Date | undefined {
  if (quiet === undefined) return undefined;
  const { timeZone, periods } = quiet;
  let until = now.getTime();
  for (let count = 0; count < mostInARow; count += 1) {
    const today = Math.floor(localOf(until, timeZone) / dayMs) * dayMs;
    const ends = periods.flatMap((period) =>
      [today - dayMs, today].flatMap((day) => {
        const found = periodOn(day, period, timeZone);
        return found !== undefined && found.start <= until && until < found.end ? [found.end] : [];
      }),
    );
    if (ends.length === 0) break;
    until = Math.max(...ends);
  }
  return until === now.getTime() ? undefined : new Date(until);
}
