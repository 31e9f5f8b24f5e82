import { days, environmentRule } from '../define.ts';
import { demandOf, stageDemands } from '../demands.ts';

export const cadenceUnreasoned = environmentRule({
  id: 'CadenceUnreasoned',
  severity: 'error',
  goesBy: 'require.reasons',
  demand: 'A policy that lets secrets rotate less often than its stage does says why.',
  reason: 'An assessor asks for the analysis behind a longer interval, and the next person for the same.',
  controls: ['PCI DSS 4.0.1 12.3.1', 'PCI DSS 4.0.1 8.6.3', 'ISO 27001:2022 A.5.1', 'SOC 2 CC3.2'],
  examine: ({ policy: { stage, layers } }) => {
    const most = demandOf('rotateWithinDays', layers);
    const reason = demandOf('cadenceReason', layers);
    const usual = stageDemands[stage.value].rotateWithinDays;
    const isLooser = usual !== undefined && (most === undefined || most.value > usual);
    return {
      setting: most === undefined ? 'no limit' : days(most.value),
      from: most?.from ?? 'default',
      ...(isLooser &&
        reason === undefined && {
          broken: {
            message: `it allows ${most === undefined ? 'any time' : days(most.value)} between two rotations, where ${stage.value} has ${days(usual)}, and has no cadenceReason`,
            fix: `Write the analysis behind it into cadenceReason, beside ${most?.from ?? 'rotateWithinDays'}, or go back to ${usual}.`,
          },
        }),
    };
  },
});
