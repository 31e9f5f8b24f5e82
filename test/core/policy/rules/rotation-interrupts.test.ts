import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('RotationInterrupts', () => {
  test('users that take turns are taken', () => {
    expect(ofSecret('RotationInterrupts', {})).toMatchObject({ outcome: 'met' });
  });

  test('one user whom nobody reads is taken', () => {
    expect(ofSecret('RotationInterrupts', { strategy: 'single-user', consumers: [] })).toMatchObject({
      outcome: 'met',
    });
  });

  test('one user with consumers is not', () => {
    expect(ofSecret('RotationInterrupts', { strategy: 'single-user', consumers: ['a', 'b'] })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'single-user interrupts a, b at each rotation',
        fix: expect.stringContaining('alternating-users'),
      },
    });
  });
});
