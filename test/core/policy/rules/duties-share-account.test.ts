import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('DutiesShareAccount', () => {
  test('accounts of their own are taken', () => {
    expect(ofEnvironment('DutiesShareAccount', {})).toMatchObject({ outcome: 'met' });
  });

  test('one account for two duties is not', () => {
    expect(
      ofEnvironment('DutiesShareAccount', {
        access: { auditors: ['111122223333'], operators: ['arn:aws:iam::111122223333:role/engineer'] },
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('let in the same account'),
        fix: expect.stringContaining('Name roles'),
      },
    });
  });
});
