import { secretRule } from '../define.ts';

export const strategyNotAllowed = secretRule({
  id: 'StrategyNotAllowed',
  severity: 'error',
  goesBy: 'strategies',
  demand: 'Secrets rotate by a strategy that the policy allows.',
  reason:
    'The strategy decides whether consumers fail during a rotation, and how many credentials work at a time.',
  controls: ['NIST 800-53 r5 CM-7', 'ISO 27001:2022 A.8.9', 'SOC 2 CC8.1'],
  examine: ({ path, strategy }, allowed) => ({
    setting: strategy,
    from: `${path}.strategy`,
    ...(!allowed.includes(strategy) && {
      broken: {
        message: `the strategy ${strategy} is not among those of the policy: ${allowed.join(', ') || 'none'}`,
        fix: 'Choose one of those, or have the policy allow the strategy.',
      },
    }),
  }),
});
