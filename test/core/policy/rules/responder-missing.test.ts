import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('ResponderMissing', () => {
  test('a responder is taken', () => {
    expect(ofEnvironment('ResponderMissing', {})).toMatchObject({ outcome: 'met' });
  });

  test('nobody is not', () => {
    expect(ofEnvironment('ResponderMissing', { access: {} })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'access.responders names nobody',
        fix: expect.stringContaining('environments.prod.access.responders'),
      },
    });
  });
});
