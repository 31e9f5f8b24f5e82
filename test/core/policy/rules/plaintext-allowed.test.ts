import { describe, expect, test } from '@jest/globals';
import { ofSecret } from '../facts.ts';

describe('PlaintextAllowed', () => {
  test('TLS is taken', () => {
    expect(ofSecret('PlaintextAllowed', {})).toMatchObject({ outcome: 'met' });
  });

  test('permitted plaintext is not', () => {
    expect(
      ofSecret('PlaintextAllowed', {
        allowPlaintext: { value: true, from: 'environments.prod.secrets.orders.allowPlaintext' },
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('may log in over plaintext'),
        fix: expect.stringContaining('environments.prod.secrets.orders.allowPlaintext'),
      },
    });
  });

  test('TLS turned off in the fields is not', () => {
    expect(ofSecret('PlaintextAllowed', { fields: { ssl: false } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('ssl: false'),
        fix: expect.stringContaining('environments.prod.secrets.orders.create.fields.ssl'),
      },
    });
  });
});
