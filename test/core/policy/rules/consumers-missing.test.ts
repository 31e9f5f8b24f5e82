import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('ConsumersMissing', () => {
  test('a consumer is taken', () => {
    expect(ofSecret('ConsumersMissing', {})).toMatchObject({ outcome: 'met' });
  });

  test('none is not', () => {
    expect(ofSecret('ConsumersMissing', { consumers: [] })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'it names no consumer',
        fix: expect.stringContaining('environments.prod.secrets.orders.consumers'),
      },
    });
  });
});
