import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('NobodyNotified', () => {
  test('somebody is taken', () => {
    expect(ofEnvironment('NobodyNotified', {})).toMatchObject({ outcome: 'met' });
  });

  test('nobody is not', () => {
    expect(ofEnvironment('NobodyNotified', { notifies: false })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('no address'),
        fix: expect.stringContaining('environments.prod.notifications.emails'),
      },
    });
  });
});
