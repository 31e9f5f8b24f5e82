import { days, secretRule } from '../define.ts';

export const rotationTooSeldom = secretRule({
  id: 'RotationTooSeldom',
  severity: 'error',
  goesBy: 'rotateWithinDays',
  demand: 'A secret rotates at least as often as the policy says.',
  reason: 'A credential that leaked unnoticed goes on working until the next rotation.',
  controls: [
    'PCI DSS 4.0.1 8.6.3',
    'NIST 800-53 r5 IA-5(1)',
    'ISO 27001:2022 A.5.17',
    'SOC 2 CC6.1',
    'CIS AWS Foundations 1.14',
    'OWASP NHI 2025 NHI7',
  ],
  examine: ({ path, schedule, rotatesWithinDays }, most) => ({
    setting: schedule.value,
    from: schedule.from,
    ...(rotatesWithinDays > most && {
      broken: {
        message: `${schedule.value} leaves up to ${days(rotatesWithinDays)} between two rotations; the policy allows ${days(most)}`,
        fix: `Set ${path}.schedule, or the environment's rotation.schedule, to rate(${days(Math.floor(most))}) or more often.`,
      },
    }),
  }),
});
