import { describe, expect, test } from '@jest/globals';
import { ageAtIntake } from '../../bench/scale/intake-age.ts';
import { percentile } from '../../bench/statistics.ts';

const started = (time?: string, requestedAt?: string) => ({
  detailType: 'Secret Revocation Started',
  detail: { metadata: { time }, data: { requestedAt } },
});

describe('the age of a request at the intake', () => {
  test('is the time from the request to the start of its workflow', () => {
    const event = started('2026-03-01T12:00:02.500Z', '2026-03-01T12:00:00.000Z');
    expect(ageAtIntake(event)).toBe(2_500);
    expect(ageAtIntake({ ...event, detailType: 'Secret Revocation Succeeded' })).toBeUndefined();
    expect(ageAtIntake(started('2026-03-01T12:00:02.500Z'))).toBeUndefined();
  });
});

describe('a percentile', () => {
  test('is the measured value at the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile([7, 3], 0.99)).toBe(7);
    expect(percentile([7, 3], 0.5)).toBe(3);
    expect(percentile([], 0.5)).toBeNaN();
  });
});
