import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('BrakeOff', () => {
  test('a brake is taken', () => {
    expect(ofEnvironment('BrakeOff', {})).toMatchObject({ outcome: 'met' });
  });

  test('none is not', () => {
    expect(
      ofEnvironment('BrakeOff', { brakeAfter: { value: 0, from: 'environments.prod.rotation.brakeAfter' } }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('brakeAfter is 0'),
        fix: expect.stringContaining('environments.prod.rotation.brakeAfter'),
      },
    });
  });
});
