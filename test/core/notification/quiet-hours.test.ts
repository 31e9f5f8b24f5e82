import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quietUntil } from '../../../core/notification/quiet-hours.ts';
import { quietHoursSchema } from '../../../core/notification/settings.ts';
import { propertyRuns } from '../../property-runs.ts';

const berlin = (...periods: readonly object[]) =>
  quietHoursSchema.parse({ timeZone: 'Europe/Berlin', periods });
const nights = berlin({ from: '22:00', to: '07:00' });
const until = (now: string, quiet = nights) => quietUntil(new Date(now), quiet)?.toISOString();

describe('quiet hours across midnight', () => {
  test.each([
    ['before they begin', '2026-01-13T20:59:59.999Z', undefined],
    ['at their beginning', '2026-01-13T21:00:00.000Z', '2026-01-14T06:00:00.000Z'],
    ['after midnight', '2026-01-14T03:00:00.000Z', '2026-01-14T06:00:00.000Z'],
    ['in their last moment', '2026-01-14T05:59:59.999Z', '2026-01-14T06:00:00.000Z'],
    ['at their end', '2026-01-14T06:00:00.000Z', undefined],
    ['in summer an hour earlier in UTC', '2026-07-14T20:00:00.000Z', '2026-07-15T05:00:00.000Z'],
  ])('%s', (_when, now, expected) => expect(until(now)).toBe(expected));
});

describe('a change of the clock', () => {
  // Europe/Berlin: 2026-03-29 02:00 becomes 03:00 (01:00Z), 2026-10-25 03:00 becomes 02:00 (01:00Z).
  test('forward makes the night an hour shorter', () => {
    expect(until('2026-03-28T21:00:00Z')).toBe('2026-03-29T05:00:00.000Z');
  });

  test('back makes it an hour longer', () => {
    expect(until('2026-10-24T20:00:00Z')).toBe('2026-10-25T06:00:00.000Z');
    expect(until('2026-10-25T05:59:59Z')).toBe('2026-10-25T06:00:00.000Z');
  });

  test('skips a time: an end within counts as much later as the clock jumps', () => {
    const quiet = berlin({ from: '01:00', to: '02:30' });
    expect(until('2026-03-29T00:30:00Z', quiet)).toBe('2026-03-29T01:30:00.000Z');
  });

  test('repeats a time: the first one ends them, and the second does not begin them again', () => {
    const quiet = berlin({ from: '01:00', to: '02:30' });
    expect(until('2026-10-25T00:29:59Z', quiet)).toBe('2026-10-25T00:30:00.000Z');
    expect(until('2026-10-25T01:10:00Z', quiet)).toBeUndefined();
  });

  test('repeats a time at which they begin: they begin at the first', () => {
    const quiet = berlin({ from: '02:30', to: '06:00' });
    expect(until('2026-10-25T00:30:00Z', quiet)).toBe('2026-10-25T05:00:00.000Z');
  });
});

describe('days', () => {
  const weekend = berlin(
    { from: '18:00', to: '24:00', days: ['fri'] },
    { from: '00:00', to: '24:00', days: ['sat', 'sun'] },
    { from: '00:00', to: '08:00', days: ['mon'] },
  );

  test('are those on which a period begins', () => {
    const quiet = berlin({ from: '22:00', to: '06:00', days: ['fri'] });
    expect(until('2026-01-16T23:00:00Z', quiet)).toBe('2026-01-17T05:00:00.000Z');
    expect(until('2026-01-17T21:30:00Z', quiet)).toBeUndefined();
    expect(until('2026-01-16T02:00:00Z', quiet)).toBeUndefined();
  });

  test('periods that touch are one, over a whole weekend', () => {
    expect(until('2026-01-16T17:00:00Z', weekend)).toBe('2026-01-19T07:00:00.000Z');
    expect(until('2026-01-18T12:00:00Z', weekend)).toBe('2026-01-19T07:00:00.000Z');
    expect(until('2026-01-19T07:00:00Z', weekend)).toBeUndefined();
  });

  test('quiet hours without an end come to an end all the same', () => {
    const always = berlin({ from: '00:00', to: '24:00' });
    expect(Date.parse(until('2026-01-16T17:00:00Z', always) ?? '')).toBeGreaterThan(Date.parse('2026-01-17'));
  });
});

test.each(['Pacific/Apia', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe', 'UTC'])(
  'in %s the end is the local time of the configuration, and nothing is quiet then',
  (timeZone) => {
    const quiet = quietHoursSchema.parse({ timeZone, periods: [{ from: '22:15', to: '06:45' }] });
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' });
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
        (now) => {
          const end = quietUntil(now, quiet);
          const minutes = clock.format(now);
          expect(end !== undefined).toBe(minutes >= '22:15' || minutes < '06:45');
          if (end === undefined) return;
          expect(clock.format(end)).toBe('06:45');
          expect(end.getTime()).toBeGreaterThan(now.getTime());
          expect(quietUntil(end, quiet)).toBeUndefined();
        },
      ),
      { numRuns: propertyRuns(200) },
    );
  },
);

test('without quiet hours nothing is quiet, and a time zone that there is not is refused', () => {
  expect(quietUntil(new Date(), undefined)).toBeUndefined();
  expect(
    quietHoursSchema.safeParse({ timeZone: 'Europe/Nowhere', periods: [{ from: '22:00', to: '07:00' }] })
      .success,
  ).toBe(false);
});
