import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CronProblem, gapsOf, parseCron } from '../../../core/secret/cron.ts';

const dayMs = 86_400_000;

/** The days of some years on which an expression runs, as `YYYY-MM-DD`. */
function runsOf(expression: string, from: number, to: number): string[] {
  const { runsOn } = parseCron(expression);
  return calendar(from, to)
    .filter((date) =>
      runsOn({
        month: date.getUTCMonth() + 1,
        dayOfMonth: date.getUTCDate(),
        daysInMonth: lastDay(date),
        dayOfWeek: date.getUTCDay() + 1,
      }),
    )
    .map((date) => date.toISOString().slice(0, 10));
}
const lastDay = (date: Date) =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
function calendar(from: number, to: number): Date[] {
  const dates: Date[] = [];
  for (let time = Date.UTC(from, 0, 1); time < Date.UTC(to + 1, 0, 1); time += dayMs)
    dates.push(new Date(time));
  return dates;
}

describe('a cron of Secrets Manager', () => {
  test.each([
    ['cron(0 8 1 * ? *)', ['2026-01-01', '2026-02-01', '2026-03-01']],
    ['cron(0 17 L 2,4 ? *)', ['2026-02-28', '2026-04-30']],
    // The 1st of August 2026 is a Saturday, the 31st of May a Sunday.
    ['cron(0 0 1W AUG ? *)', ['2026-08-03']],
    ['cron(0 0 31W 5,6 ? *)', ['2026-05-29']],
    ['cron(0 0 15W 2 ? *)', ['2026-02-16']],
    ['cron(0 1 ? 1/3 SUN#1 *)', ['2026-01-04', '2026-04-05', '2026-07-05', '2026-10-04']],
    ['cron(0 1 ? JAN-APR THU#5 *)', ['2026-01-29', '2026-04-30']],
    ['cron(0 0 ? 6 6L *)', ['2026-06-26']],
    ['cron(0 0 ? 6 FRIL *)', ['2026-06-26']],
    ['cron(0 0 ? 6 L *)', ['2026-06-06', '2026-06-13', '2026-06-20', '2026-06-27']],
    ['cron(0 0 1,15 MAR,NOV ? *)', ['2026-03-01', '2026-03-15', '2026-11-01', '2026-11-15']],
    ['cron(0 0 10/10 12 ? *)', ['2026-12-10', '2026-12-20', '2026-12-30']],
    ['cron(0 0 29 FEB ? *)', []],
    // The last Sunday and every second day of the week, as AWS's page of schedules has them.
    ['cron(0 0 SUNL 3 ? *)', ['2026-03-29']],
    [
      'cron(0 0 ? 2 1/3 *)',
      ['2026-02-01', '2026-02-04', '2026-02-07', '2026-02-08'].concat([
        '2026-02-11',
        '2026-02-14',
        '2026-02-15',
        '2026-02-18',
        '2026-02-21',
        '2026-02-22',
        '2026-02-25',
        '2026-02-28',
      ]),
    ],
  ])('%s runs on its days', (expression, days) => {
    const runs = runsOf(expression, 2026, 2026);
    expect(expression.startsWith('cron(0 8') ? runs.slice(0, 3) : runs).toEqual(days);
  });

  test.each([
    ['cron(0 10 * * ? *)', { shortest: 24, longest: 24 }],
    ['cron(0 0/6 * * ? *)', { shortest: 6, longest: 6 }],
    ['cron(0 /8 * * ? *)', { shortest: 8, longest: 8 }],
    ['cron(0 2/10 * * ? *)', { shortest: 4, longest: 10 }],
    ['cron(0 8/10 * * ? *)', { shortest: 10, longest: 14 }],
    ['cron(0 2/7 * * ? *)', { shortest: 3, longest: 7 }],
    ['cron(0 * * * ? *)', { shortest: 1, longest: 1 }],
    ['cron(0 18 ? * SAT *)', { shortest: 168, longest: 168 }],
    ['cron(0 8 ? * MON-FRI *)', { shortest: 24, longest: 72 }],
    ['cron(0 8 1 * ? *)', { shortest: 28 * 24, longest: 31 * 24 }],
    ['cron(0 0/12 1 * ? *)', { shortest: 12, longest: 31 * 24 - 12 }],
    ['cron(0 8 1 1 ? *)', { shortest: 365 * 24, longest: 366 * 24 }],
    ['cron(0 8 29 2 ? *)', { shortest: 1461 * 24, longest: 1461 * 24 }],
    ['cron(0 8 30 2 ? *)', undefined],
    ['cron(0 8 31 APR,JUN,SEP,NOV ? *)', undefined],
  ])('%s has gaps of %j', (expression, gaps) => {
    expect(gapsOf(expression)).toEqual(gaps);
  });

  test.each([
    ['cron(0 99 * * ? *)', 'hours 99 must be from 0 to 23'],
    ['cron(0 8,20 * * ? *)', 'hours 8,20 must be one hour from 0 to 23, or <first>/<step>'],
    ['cron(0 */6 * * ? *)', 'for example 0/6'],
    ['cron(0 8 0 * ? *)', 'day-of-month 0 must be from 1 to 31'],
    ['cron(0 8 32 * ? *)', 'day-of-month 32'],
    ['cron(0 8 LW * ? *)', 'day-of-month LW'],
    ['cron(0 8 40W * ? *)', 'day-of-month 40 must be'],
    ['cron(0 8 1/0 * ? *)', 'the step must be at least 1'],
    ['cron(0 8 20-10 * ? *)', 'a range must end after it begins'],
    ['cron(0 8 1,,3 * ? *)', 'day-of-month nothing must be'],
    ['cron(0 8 1 13 ? *)', 'month 13 must be from 1 to 12 or JAN to DEC'],
    ['cron(0 8 1 jan ? *)', 'month jan must be'],
    ['cron(0 8 1 ? ? *)', 'month ? must be'],
    ['cron(0 8 1 * 1 *)', 'exactly one of day-of-month and day-of-week'],
    ['cron(0 8 ? * 8 *)', 'day-of-week 8 must be from 1 to 7 or SUN to SAT'],
    ['cron(0 8 ? * 0 *)', 'day-of-week 0'],
    ['cron(0 8 ? * MON/0 *)', 'the step must be at least 1'],
    ['cron(0 8 SUNDAYL * ? *)', 'day-of-month SUNDAYL'],
    ['cron(0 8 ? * MON#6 *)', 'the week after # 6 must be from 1 to 5'],
    ['cron(0 8 ? * MON,FRIL *)', 'day-of-week FRIL'],
  ])('%s is none', (expression, message) => {
    expect(() => parseCron(expression)).toThrow(CronProblem);
    expect(() => parseCron(expression)).toThrow(message);
  });
});

describe('whatever the fields are', () => {
  const list = (lowest: number, highest: number) =>
    fc.uniqueArray(fc.integer({ min: lowest, max: highest }), { minLength: 1, maxLength: 4 });
  const hours = fc.oneof(
    fc.integer({ min: 0, max: 23 }).map((hour) => ({ text: String(hour), hours: [hour] })),
    fc
      .record({ first: fc.integer({ min: 0, max: 23 }), step: fc.integer({ min: 1, max: 23 }) })
      .map(({ first, step }) => {
        const own: number[] = [];
        for (let hour = first; hour < 24; hour += step) own.push(hour);
        return { text: `${first}/${step}`, hours: own };
      }),
  );

  test('the gaps are those between the runs, hour by hour through 28 years', () => {
    fc.assert(
      fc.property(
        hours,
        list(1, 31),
        list(1, 12),
        list(1, 7),
        fc.boolean(),
        (at, days, ofMonths, weekdays, byWeek) => {
          const expression = byWeek
            ? `cron(0 ${at.text} ? ${ofMonths.join()} ${weekdays.join()} *)`
            : `cron(0 ${at.text} ${days.join()} ${ofMonths.join()} ? *)`;
          const runs = calendar(2001, 2028)
            .filter((date) => ofMonths.includes(date.getUTCMonth() + 1))
            .filter((date) =>
              byWeek ? weekdays.includes(date.getUTCDay() + 1) : days.includes(date.getUTCDate()),
            )
            .flatMap((date) => at.hours.map((hour) => date.getTime() / 3_600_000 + hour));
          const first = runs[0];
          if (first === undefined) {
            expect(gapsOf(expression)).toBeUndefined();
            return;
          }
          const after = [...runs.slice(1), first + (Date.UTC(2029, 0, 1) - Date.UTC(2001, 0, 1)) / 3_600_000];
          const gaps = runs.map((run, index) => (after[index] ?? 0) - run);
          const shortest = gaps.reduce((least, gap) => Math.min(least, gap));
          const longest = gaps.reduce((most, gap) => Math.max(most, gap));
          expect(gapsOf(expression)).toEqual({ shortest, longest });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('an expression is read, or refused with a reason, and nothing else happens', () => {
    const field = fc.string({
      unit: fc.constantFrom(...'0123456789*?/,-#LWSUNJAF'),
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(field, field, field, field, (hour, day, month, week) => {
        try {
          const { hours: own } = parseCron(`cron(0 ${hour} ${day} ${month} ${week} *)`);
          expect(own.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CronProblem);
        }
      }),
      { numRuns: 500 },
    );
  });
});
