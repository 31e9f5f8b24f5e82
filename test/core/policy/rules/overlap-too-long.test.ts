import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('OverlapTooLong', () => {
  test('a secret without overlap is not asked about', () => {
    expect(ofSecret('OverlapTooLong', {})).toBeUndefined();
  });

  test('an overlap within the limit is taken', () => {
    expect(ofSecret('OverlapTooLong', { overlapHours: { value: 72, from: 'default' } })).toMatchObject({
      outcome: 'met',
    });
  });

  test('a longer one is not', () => {
    expect(
      ofSecret('OverlapTooLong', {
        overlapHours: { value: 73, from: 'environments.prod.rotation.overlapHours' },
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('for 73 hours; the policy allows 72'),
        fix: expect.stringContaining('environments.prod.rotation.overlapHours to 72'),
      },
    });
  });
});
