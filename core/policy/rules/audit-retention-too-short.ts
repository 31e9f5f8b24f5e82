import { days, environmentRule } from '../define.ts';

export const auditRetentionTooShort = environmentRule({
  id: 'AuditRetentionTooShort',
  severity: 'error',
  goesBy: 'auditRetentionDays',
  demand: 'Records of the audit log are locked for at least the days that the policy says.',
  reason: 'Incidents are found months after they began; what is gone by then proves nothing.',
  controls: ['PCI DSS 4.0.1 10.5.1', 'NIST 800-53 r5 AU-11', 'ISO 27001:2022 A.8.15', 'SOC 2 CC7.2'],
  examine: ({ path, auditRetentionDays }, least) => ({
    setting: days(auditRetentionDays),
    from: `${path}.audit.retentionDays`,
    ...(auditRetentionDays < least && {
      broken: {
        message: `records are locked for ${days(auditRetentionDays)}; the policy asks for ${days(least)}`,
        fix: `Set ${path}.audit.retentionDays to ${least} or more. It counts for records that come later.`,
      },
    }),
  }),
});
