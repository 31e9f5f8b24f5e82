import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays, dayOf, daysBetween, reminderAt } from '../../../core/lifecycle/dates.ts';
import { hasExpired, lifecycleTags, ownerMark, ownerOfMark } from '../../../core/lifecycle/marks.ts';

describe('dates', () => {
  test('days are counted in UTC, over the changes of clocks', () => {
    expect(dayOf(new Date('2026-11-28T23:59:59Z'))).toBe('2026-11-28');
    expect(daysBetween('2026-10-24', '2026-10-26')).toBe(2);
    expect(daysBetween('2027-03-01', '2027-02-27')).toBe(-2);
    expect(addDays('2028-02-28', 2)).toBe('2028-03-01');
  });

  test.each([
    [31, undefined],
    [30, '30'],
    [8, '30'],
    [7, '7'],
    [5, '7'],
    [1, '1'],
    [0, '1'],
    [-1, '0'],
    [-6, '0'],
    [-7, '-7'],
    [-20, '-14'],
  ])('%i days before a date the reminder is %s', (daysLeft, reminder) => {
    expect(reminderAt(daysLeft, [30, 7, 1])).toBe(reminder);
  });

  test('no reminder is sent twice on the way to a date, and none is left out', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }),
        (before) => {
          const sent = Array.from({ length: 50 }, (_, index) => reminderAt(45 - index, before));
          const first = sent.filter(
            (reminder, index) => reminder !== undefined && reminder !== sent[index - 1],
          );
          expect(first.filter((reminder) => reminder !== '0')).toEqual(
            before
              .toSorted((a, b) => b - a)
              .map(String)
              .filter((day) => day !== '0'),
          );
        },
      ),
    );
  });
});

describe('marks', () => {
  test('hold any owner as a value that a tag takes', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 128, unit: 'grapheme' }), (owner) => {
        const mark = ownerMark(owner);
        expect(mark).toMatch(/^[\p{L}\p{N} _.:/=+\-@]*$/u);
        expect(ownerOfMark(mark)).toBe(Buffer.from(owner).toString());
      }),
    );
  });

  test('say that a secret has expired', () => {
    expect(hasExpired({})).toBe(false);
    expect(hasExpired({ [lifecycleTags.expired]: '2027-03-31 version-1' })).toBe(true);
  });
});
