import { days, secretRule } from '../define.ts';

export const overdueTooLate = secretRule({
  id: 'OverdueTooLate',
  severity: 'error',
  goesBy: 'maximumAgeDays',
  demand: 'A secret that has not rotated counts as overdue within the days that the policy says.',
  reason: 'Until then nobody is told that its rotation does not happen.',
  controls: ['PCI DSS 4.0.1 8.6.3', 'NIST 800-53 r5 IA-5(1)', 'SOC 2 CC7.2', 'OWASP NHI 2025 NHI7'],
  examine: ({ path, maximumAgeDays }, most) => ({
    setting: days(maximumAgeDays.value),
    from: maximumAgeDays.from,
    ...(maximumAgeDays.value > most && {
      broken: {
        message: `it counts as overdue after ${days(maximumAgeDays.value)}; the policy allows ${days(most)}`,
        fix: `Set ${path}.maximumAgeDays, or the environment's rotation.maximumAgeDays, to ${most} or less.`,
      },
    }),
  }),
});
