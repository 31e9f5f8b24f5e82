/**
 * The cron of Secrets Manager's rotation schedules: which fields it takes, and how far apart its days are.
 *
 * It is EventBridge's with narrower fields: minutes are 0, the year is `*`, hours are one hour, `<first>/<step>` or
 * `/<step>`. No library knows that dialect, in which 1 is Sunday and `?`, `L`, `W` and `#` have meanings of their own.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
 */

/** The shortest and the longest time between two runs, in hours. */
export interface Gaps {
  readonly shortest: number;
  readonly longest: number;
}

/** A day, as the fields of a cron see it. */
export interface Day {
  readonly month: number;
  readonly dayOfMonth: number;
  readonly daysInMonth: number;
  /** 1 is Sunday, 7 is Saturday. */
  readonly dayOfWeek: number;
}

/** The hours and days at which a cron expression runs. */
export interface Cron {
  readonly hours: readonly number[];
  readonly runsOn: (day: Day) => boolean;
}

/** The reason for which Secrets Manager does not take an expression. */
export class CronProblem extends Error {}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Field {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  /** Names of the values from `lowest` on. */
  readonly names?: readonly string[];
}

const hourField: Field = { name: 'hours', lowest: 0, highest: 23 };
const dayOfMonthField: Field = { name: 'day-of-month', lowest: 1, highest: 31 };
const monthField: Field = { name: 'month', lowest: 1, highest: 12, names: months };
const dayOfWeekField: Field = { name: 'day-of-week', lowest: 1, highest: 7, names: weekdays };

/**
 * Reads `cron(0 <hours> <day-of-month> <month> <day-of-week> *)`.
 * @throws CronProblem
 */
export function parseCron(expression: string): Cron {
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/) ?? [];
  const [minutes, hours = '', dayOfMonth = '', month = '', dayOfWeek = '', year] = fields;
  if (fields.length !== 6) throw new CronProblem(`cron takes 6 fields, this has ${fields.length}`);
  if (minutes !== '0') throw new CronProblem('the minutes of a rotation cron must be 0');
  if (year !== '*') throw new CronProblem('the year of a rotation cron must be *');
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new CronProblem('exactly one of day-of-month and day-of-week must be ?');
  }
  const inMonth = valuesOf(month, monthField);
  const onDay = dayOfWeek === '?' ? onDayOfMonth(dayOfMonth) : onDayOfWeek(dayOfWeek);
  return {
    hours: hoursOf(hours),
    runsOn: (day) => inMonth.has(day.month) && onDay(day),
  };
}

function hoursOf(text: string): readonly number[] {
  if (!/^(?:\*|\d{1,2}|\d{0,2}\/\d{1,2})$/.test(text)) {
    throw new CronProblem(
      `hours ${text} must be one hour from 0 to 23, or <first>/<step>, for example 0/6 for every 6 hours`,
    );
  }
  return [...valuesOf(text, hourField)].toSorted((one, other) => one - other);
}

function onDayOfMonth(text: string): Cron['runsOn'] {
  if (text === 'L') return ({ dayOfMonth, daysInMonth }) => dayOfMonth === daysInMonth;
  const weekday = /^(\d{1,2})W$/.exec(text);
  if (weekday !== null) {
    const wanted = numberOf(weekday[1] ?? '', dayOfMonthField);
    return (day) => day.dayOfMonth === nearestWeekday(wanted, day);
  }
  // AWS names the last Sunday of the month in this field; EventBridge has it in the other one.
  if (/^[A-Z]{3}L$/.test(text)) return onDayOfWeek(text);
  const days = valuesOf(text, dayOfMonthField);
  return ({ dayOfMonth }) => days.has(dayOfMonth);
}

/** Finds the weekday nearest to a day of the same month. It gives 0 in months that do not have the day. */
function nearestWeekday(wanted: number, { dayOfMonth, dayOfWeek, daysInMonth }: Day): number {
  if (wanted > daysInMonth) return 0;
  const itsWeekday = (((dayOfWeek - 1 + (wanted - dayOfMonth)) % 7) + 7) % 7;
  if (itsWeekday === 6) return wanted === 1 ? 3 : wanted - 1;
  if (itsWeekday === 0) return wanted === daysInMonth ? wanted - 2 : wanted + 1;
  return wanted;
}

function onDayOfWeek(text: string): Cron['runsOn'] {
  // The last day of the week; with a day before it, the last such day of the month.
  if (text === 'L') return ({ dayOfWeek }) => dayOfWeek === 7;
  const last = /^(\w+)L$/.exec(text);
  if (last !== null) {
    const wanted = numberOf(last[1] ?? '', dayOfWeekField);
    return (day) => day.dayOfWeek === wanted && day.dayOfMonth + 7 > day.daysInMonth;
  }
  const nth = /^(\w+)#(\w+)$/.exec(text);
  if (nth !== null) {
    const wanted = numberOf(nth[1] ?? '', dayOfWeekField);
    const which = numberOf(nth[2] ?? '', { name: 'the week after #', lowest: 1, highest: 5 });
    return (day) => day.dayOfWeek === wanted && Math.ceil(day.dayOfMonth / 7) === which;
  }
  const days = valuesOf(text, dayOfWeekField);
  return ({ dayOfWeek }) => days.has(dayOfWeek);
}

/**
 * Lists the values that a field of a cron expression names. It takes `*`, values and ranges with commas between them,
 * `<first>/<step>`, and `/<step>`, which begins with the lowest.
 */
function valuesOf(text: string, field: Field): ReadonlySet<number> {
  const step = /^([^/]*)\/(\d{1,3})$/.exec(text);
  if (step !== null) {
    const [, from = ''] = step;
    const first = from === '' || from === '*' ? field.lowest : numberOf(from, field);
    const by = Number(step[2]);
    if (by < 1) throw new CronProblem(`${field.name} ${text}: the step must be at least 1`);
    return new Set(span(first, field.highest).filter((value) => (value - first) % by === 0));
  }
  if (text === '*') return new Set(span(field.lowest, field.highest));
  return new Set(
    text.split(',').flatMap((part) => {
      const [from = '', to, ...more] = part.split('-');
      const first = numberOf(from, field);
      if (to === undefined) return [first];
      const end = numberOf(to, field);
      if (more.length > 0 || end < first) {
        throw new CronProblem(`${field.name} ${part}: a range must end after it begins`);
      }
      return span(first, end);
    }),
  );
}

function numberOf(text: string, { name, lowest, highest, names }: Field): number {
  const named = names?.indexOf(text) ?? -1;
  const value = named === -1 ? Number(/^\d{1,2}$/.exec(text)?.[0] ?? Number.NaN) : named + lowest;
  if (value >= lowest && value <= highest) return value;
  const also = names === undefined ? '' : ` or ${names[0]} to ${names.at(-1)}`;
  throw new CronProblem(
    `${name} ${text === '' ? 'nothing' : text} must be from ${lowest} to ${highest}${also}`,
  );
}

const span = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Every 28 years the days of the week fall on the same days of the months, leap days included. */
const firstYear = 2024;
const years = 28;
const dayMs = 86_400_000;

const known = new Map<string, Gaps | undefined>();

/**
 * Measures how far apart the runs of a cron expression are. It gives `undefined` for one that never runs, as on the 31st of
 * February.
 * @throws CronProblem
 */
export function gapsOf(expression: string): Gaps | undefined {
  if (!known.has(expression)) known.set(expression, measure(parseCron(expression)));
  return known.get(expression);
}

function measure({ hours, runsOn }: Cron): Gaps | undefined {
  const begin = Date.UTC(firstYear, 0, 1);
  const end = Date.UTC(firstYear + years, 0, 1);
  const days: number[] = [];
  for (let time = begin; time < end; time += dayMs) {
    if (runsOn(dayOf(new Date(time)))) days.push((time - begin) / dayMs);
  }
  const first = days[0];
  const [firstHour, lastHour] = [hours[0], hours.at(-1)];
  if (first === undefined || firstHour === undefined || lastHour === undefined) return undefined;
  // The run after the last one is the first one, 28 years on.
  days.push(first + (end - begin) / dayMs);
  const gaps = new Set<number>();
  for (const [index, hour] of hours.entries()) {
    const next = hours[index + 1];
    if (next !== undefined) gaps.add(next - hour);
  }
  for (const [index, day] of days.entries()) {
    const next = days[index + 1];
    if (next !== undefined) gaps.add((next - day) * 24 + firstHour - lastHour);
  }
  return { shortest: Math.min(...gaps), longest: Math.max(...gaps) };
}

function dayOf(date: Date): Day {
  return {
    month: date.getUTCMonth() + 1,
    dayOfMonth: date.getUTCDate(),
    daysInMonth: new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
    dayOfWeek: date.getUTCDay() + 1,
  };
}
