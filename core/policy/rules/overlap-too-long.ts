import { secretRule } from '../define.ts';

export const overlapTooLong = secretRule({
  id: 'OverlapTooLong',
  severity: 'error',
  goesBy: 'overlapHours',
  demand: 'A replaced credential works on no longer than the policy says.',
  reason: 'Two credentials that work are two that can leak, and the older one is in more places.',
  controls: [
    'PCI DSS 4.0.1 8.6.3',
    'NIST 800-53 r5 AC-2(1)',
    'CIS AWS Foundations 1.13',
    'OWASP NHI 2025 NHI7',
  ],
  examine: ({ overlapHours }, most, { environment }) =>
    overlapHours && {
      setting: `${overlapHours.value} hours`,
      from: overlapHours.from,
      ...(overlapHours.value > most && {
        broken: {
          message: `the credential before the current one works on for ${overlapHours.value} hours; the policy allows ${most}`,
          fix: `Set ${environment.path}.rotation.overlapHours to ${most} or less.`,
        },
      }),
    },
});
