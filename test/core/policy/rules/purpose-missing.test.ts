import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('PurposeMissing', () => {
  test('a purpose is taken', () => {
    expect(ofSecret('PurposeMissing', {})).toMatchObject({ outcome: 'met' });
  });

  test('none is not', () => {
    expect(ofSecret('PurposeMissing', { purpose: undefined })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'it has no purpose',
        fix: expect.stringContaining('environments.prod.secrets.orders.purpose'),
      },
    });
  });
});
