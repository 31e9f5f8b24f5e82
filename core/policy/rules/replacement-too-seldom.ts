import { days, environmentRule } from '../define.ts';

export const replacementTooSeldom = environmentRule({
  id: 'ReplacementTooSeldom',
  severity: 'error',
  goesBy: 'replaceWithinDays',
  demand: 'People replace a secret that nothing rotates at least as often as the policy says.',
  reason: 'It is in more hands than any other, and nothing but this date has anybody think of it.',
  controls: ['PCI DSS 4.0.1 8.6.3', 'NIST 800-53 r5 IA-5(1)', 'ISO 27001:2022 A.5.17', 'OWASP NHI 2025 NHI7'],
  examine: ({ path, manualSecrets }, most) => {
    const seldom = Object.entries(manualSecrets).filter(
      ([, { replaceEveryDays }]) => replaceEveryDays > most,
    );
    return {
      setting: `${Object.keys(manualSecrets).length} replaced by people`,
      from: `${path}.manualSecrets`,
      ...(seldom.length > 0 && {
        broken: {
          message: `${seldom.map(([key, { replaceEveryDays }]) => `manualSecrets.${key} every ${days(replaceEveryDays)}`).join(', ')}; the policy allows ${days(most)}`,
          fix: `Set replaceEveryDays to ${most} or less, or find a type that rotates it.`,
        },
      }),
    };
  },
});
