import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('RotationTooSeldom', () => {
  test('a schedule within the limit is taken', () => {
    expect(ofSecret('RotationTooSeldom', { rotatesWithinDays: 90 })).toMatchObject({ outcome: 'met' });
  });

  test('a schedule with a longer gap is not', () => {
    expect(
      ofSecret('RotationTooSeldom', {
        schedule: { value: 'cron(0 4 1 */6 ? *)', from: 'environments.prod.secrets.orders.schedule' },
        rotatesWithinDays: 184,
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining(
          'leaves up to 184 days between two rotations; the policy allows 90 days',
        ),
        fix: expect.stringContaining('environments.prod.secrets.orders.schedule'),
      },
    });
  });

  test('the limit is that of the innermost policy', () => {
    expect(ofSecret('RotationTooSeldom', {}, { demands: { rotateWithinDays: 7 } })).toMatchObject({
      outcome: 'broken',
      demand: { value: '7 days at most', from: 'environments.prod.policy.rotateWithinDays' },
    });
  });
});
