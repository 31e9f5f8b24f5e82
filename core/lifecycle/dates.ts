const dayMs = 86_400_000;

/** Gives the day of a time in UTC, as `2027-03-31`. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** Counts the days from one day to another; negative where the other is earlier. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / dayMs);

/** Adds days to a day. */
export const addDays = (day: string, days: number): string => dayOf(new Date(Date.parse(day) + days * dayMs));

/** Days between two reminders of what is overdue. */
const remindAgainDays = 7;

/**
 * Names the reminder that is due some days before a date, or after it. It is `undefined` where it is too early. Each reminder is
 * sent once, so a day on which nothing ran is made up for on the next.
 *
 * @param daysLeft - days until the date; negative when it has passed
 * @param daysBefore - numbers of days before it at which somebody is reminded
 * @example
 * reminderAt(5, [30, 7, 1]); // '7'
 * reminderAt(-9, [30, 7, 1]); // '-7'
 */
export function reminderAt(daysLeft: number, daysBefore: readonly number[]): string | undefined {
  if (daysLeft < 0) return String(-Math.floor(-daysLeft / remindAgainDays) * remindAgainDays);
  const reached = daysBefore.filter((days) => daysLeft <= days);
  return reached.length === 0 ? undefined : String(Math.min(...reached));
}
