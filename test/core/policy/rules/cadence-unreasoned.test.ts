import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('CadenceUnreasoned', () => {
  test('the limit of the stage is taken', () => {
    expect(ofEnvironment('CadenceUnreasoned', {})).toMatchObject({ outcome: 'met' });
  });

  test('a longer one without a reason is not', () => {
    expect(ofEnvironment('CadenceUnreasoned', { demands: { rotateWithinDays: 120 } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('120 days between two rotations, where production has 90 days'),
        fix: expect.stringContaining('environments.prod.policy.rotateWithinDays'),
      },
    });
  });

  test('a longer one with a reason is taken', () => {
    expect(
      ofEnvironment('CadenceUnreasoned', {
        demands: {
          rotateWithinDays: 120,
          cadenceReason: 'risk analysis of 2026: no interactive use, rotated on suspicion',
        },
      }),
    ).toMatchObject({ outcome: 'met' });
  });
});
