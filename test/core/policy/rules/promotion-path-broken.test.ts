import { describe, expect, test } from '@jest/globals';
import { environmentOf, ofEnvironment } from '../facts.ts';

describe('PromotionPathBroken', () => {
  test('a path from another environment is taken', () => {
    expect(
      ofEnvironment('PromotionPathBroken', { demands: { promotion: { from: 'staging' } } }, [
        environmentOf({ name: 'staging' }),
      ]),
    ).toMatchObject({ outcome: 'met' });
  });

  test('one from nowhere is not', () => {
    expect(ofEnvironment('PromotionPathBroken', { demands: { promotion: { from: 'test' } } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'there is no environment test; there are: prod',
        fix: expect.stringContaining('environments.prod.policy.promotion.from'),
      },
    });
  });

  test('one from itself is not', () => {
    expect(ofEnvironment('PromotionPathBroken', { demands: { promotion: { from: 'prod' } } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'it leads from the environment to itself',
        fix: expect.stringContaining('another environment'),
      },
    });
  });
});
