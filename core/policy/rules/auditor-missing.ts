import { environmentRule } from '../define.ts';

export const auditorMissing = environmentRule({
  id: 'AuditorMissing',
  severity: 'warning',
  goesBy: 'require.auditors',
  demand: 'Somebody may read the audit log who does nothing else.',
  reason: 'Records that only administrators can read are reviewed by those whom they are about.',
  controls: [
    'PCI DSS 4.0.1 10.4.1',
    'NIST 800-53 r5 AU-6',
    'NIST 800-53 r5 AC-5',
    'ISO 27001:2022 A.5.28',
    'SOC 2 CC4.1',
  ],
  examine: ({ path, access }) => {
    const auditors = access.auditors ?? [];
    return {
      setting: auditors.length === 0 ? 'nobody' : auditors.join(', '),
      from: `${path}.access.auditors`,
      ...(auditors.length === 0 && {
        broken: {
          message: 'access.auditors names nobody',
          fix: `Name the account or the roles of the auditors in ${path}.access.auditors.`,
        },
      }),
    };
  },
});
