import { environmentRule } from '../define.ts';

export const lifecycleUnrecorded = environmentRule({
  id: 'LifecycleUnrecorded',
  severity: 'warning',
  goesBy: 'require.lifecycle',
  demand: 'The audit log says when a secret came, whose it was and is, and when it ended.',
  reason: 'Without it an assessor asks version control who answered for a secret on a day.',
  controls: [
    'PCI DSS 4.0.1 7.2.5.1',
    'NIST 800-53 r5 AC-2(1)',
    'ISO 27001:2022 A.5.18',
    'SOC 2 CC6.2',
    'OWASP NHI 2025 NHI1',
  ],
  examine: ({ path, hasLifecycle }) => ({
    setting: hasLifecycle ? 'recorded' : 'not recorded',
    from: `${path}.lifecycle`,
    ...(!hasLifecycle && {
      broken: {
        message: 'lifecycle is not there, so new secrets, new owners and ends are not recorded',
        fix: `Set ${path}.lifecycle to {}.`,
      },
    }),
  }),
});
