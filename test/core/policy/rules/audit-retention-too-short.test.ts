import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('AuditRetentionTooShort', () => {
  test('a year is taken', () => {
    expect(ofEnvironment('AuditRetentionTooShort', {})).toMatchObject({ outcome: 'met' });
  });

  test('less is not', () => {
    expect(ofEnvironment('AuditRetentionTooShort', { auditRetentionDays: 364 })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'records are locked for 364 days; the policy asks for 365 days',
        fix: expect.stringContaining('environments.prod.audit.retentionDays'),
      },
    });
  });
});
