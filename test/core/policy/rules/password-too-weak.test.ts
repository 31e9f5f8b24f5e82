import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('PasswordTooWeak', () => {
  test('a credential that the target makes is not asked about', () => {
    expect(ofSecret('PasswordTooWeak', { passwordBits: undefined })).toBeUndefined();
  });

  test('enough bits are taken', () => {
    expect(ofSecret('PasswordTooWeak', { passwordBits: { value: 96, from: 'default' } })).toMatchObject({
      outcome: 'met',
    });
  });

  test('fewer are not', () => {
    expect(
      ofSecret('PasswordTooWeak', { passwordBits: { value: 47.6, from: 'environments.prod.passwords' } }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('47 bits of entropy; the policy asks for 96'),
        fix: expect.stringContaining('environments.prod.passwords longer'),
      },
    });
  });
});
