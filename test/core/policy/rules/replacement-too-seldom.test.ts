import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('ReplacementTooSeldom', () => {
  test('a year is taken', () => {
    expect(ofEnvironment('ReplacementTooSeldom', {})).toMatchObject({ outcome: 'met' });
  });

  test('longer is not', () => {
    expect(
      ofEnvironment('ReplacementTooSeldom', { manualSecrets: { licence: { replaceEveryDays: 366 } } }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'manualSecrets.licence every 366 days; the policy allows 365 days',
        fix: expect.stringContaining('replaceEveryDays to 365'),
      },
    });
  });
});
