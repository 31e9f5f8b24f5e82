import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('CustomerKeyMissing', () => {
  test('a key of the own is taken', () => {
    expect(ofSecret('CustomerKeyMissing', { origin: 'adopted' })).toMatchObject({ outcome: 'met' });
  });

  test('the key that AWS manages is not', () => {
    expect(ofSecret('CustomerKeyMissing', { origin: 'adopted', hasCustomerKey: false })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('the key that AWS manages'),
        fix: expect.stringContaining('update-secret --kms-key-id'),
      },
    });
  });
});
