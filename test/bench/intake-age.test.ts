import { describe, expect, test } from '@jest/globals';
import { ageAtIntake } from '../../bench/scale/intake-age.ts';
import { percentile } from '../../bench/statistics.ts';
import { RecordedEvent } from '../../core/audit/recorded-event.ts';

const recorded = (detailType: string, time?: string, requestedAt?: string) =>
  new RecordedEvent({
    id: 'one',
    source: 'rekey',
    time: '',
    account: '',
    region: '',
    detailType,
    detail: { metadata: { time }, data: { requestedAt } },
  });

describe('the age of a request at the intake', () => {
  test('is the time from the request to the start of its workflow', () => {
    const [start, times] = [
      'Secret Revocation Started',
      ['2026-03-01T12:00:02.500Z', '2026-03-01T12:00:00.000Z'],
    ];
    expect(ageAtIntake(recorded(start, ...times))).toBe(2_500);
    expect(ageAtIntake(recorded('Secret Revocation Succeeded', ...times))).toBeUndefined();
    expect(ageAtIntake(recorded(start, '2026-03-01T12:00:02.500Z'))).toBeUndefined();
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
