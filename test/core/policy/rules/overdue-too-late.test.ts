import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('OverdueTooLate', () => {
  test('an age within the limit is taken', () => {
    expect(ofSecret('OverdueTooLate', {})).toMatchObject({ outcome: 'met' });
  });

  test('an age above it is not', () => {
    expect(ofSecret('OverdueTooLate', { maximumAgeDays: { value: 101, from: 'default' } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('overdue after 101 days; the policy allows 100 days'),
        fix: expect.stringContaining('maximumAgeDays'),
      },
    });
  });
});
