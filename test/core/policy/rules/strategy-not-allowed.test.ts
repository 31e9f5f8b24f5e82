import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('StrategyNotAllowed', () => {
  test('a named strategy is taken', () => {
    expect(
      ofSecret('StrategyNotAllowed', {}, { demands: { strategies: ['alternating-users'] } }),
    ).toMatchObject({ outcome: 'met' });
  });

  test('another one is not', () => {
    expect(
      ofSecret(
        'StrategyNotAllowed',
        { strategy: 'single-user' },
        { demands: { strategies: ['alternating-users'] } },
      ),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('single-user is not among those of the policy: alternating-users'),
        fix: expect.stringContaining('Choose one'),
      },
    });
  });
});
