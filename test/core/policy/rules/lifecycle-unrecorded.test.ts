import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('LifecycleUnrecorded', () => {
  test('a lifecycle is taken', () => {
    expect(ofEnvironment('LifecycleUnrecorded', {})).toMatchObject({ outcome: 'met' });
  });

  test('none is not', () => {
    expect(ofEnvironment('LifecycleUnrecorded', { hasLifecycle: false })).toMatchObject({
      outcome: 'broken',
      broken: { fix: 'Set environments.prod.lifecycle to {}.' },
    });
  });
});
