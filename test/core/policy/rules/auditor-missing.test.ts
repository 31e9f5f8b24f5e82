import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('AuditorMissing', () => {
  test('an auditor is taken', () => {
    expect(ofEnvironment('AuditorMissing', {})).toMatchObject({ outcome: 'met' });
  });

  test('nobody is not', () => {
    expect(ofEnvironment('AuditorMissing', { access: { auditors: [] } })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'access.auditors names nobody',
        fix: expect.stringContaining('environments.prod.access.auditors'),
      },
    });
  });
});
