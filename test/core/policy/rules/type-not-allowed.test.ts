import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('TypeNotAllowed', () => {
  test('every type is taken where the policy names none', () => {
    expect(ofSecret('TypeNotAllowed', {})).toMatchObject({ outcome: 'not asked' });
  });

  test('a named type is taken', () => {
    expect(ofSecret('TypeNotAllowed', {}, { demands: { types: ['postgresql'] } })).toMatchObject({
      outcome: 'met',
    });
  });

  test('another one is not', () => {
    expect(
      ofSecret('TypeNotAllowed', { type: 'generic' }, { demands: { types: ['postgresql', 'redis'] } }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('generic is not among those of the policy: postgresql, redis'),
        fix: expect.stringContaining('Choose one'),
      },
    });
  });
});
