import { environmentRule } from '../define.ts';

export const promotionPathBroken = environmentRule({
  id: 'PromotionPathBroken',
  severity: 'error',
  goesBy: 'promotion',
  demand: 'The promotion path leads from one environment of the configuration to the next.',
  reason: 'A gate at an environment that does not exist holds nothing back.',
  controls: ['SOC 2 CC8.1', 'ISO 27001:2022 A.8.31', 'NIST 800-53 r5 CM-3'],
  examine: ({ name }, { from }, { environments, demandedBy }) => {
    const known = environments.map((one) => one.name);
    const problem =
      from === name
        ? 'it leads from the environment to itself'
        : known.includes(from)
          ? undefined
          : `there is no environment ${from}; there are: ${known.join(', ')}`;
    return {
      setting: `from ${from}`,
      from: demandedBy,
      ...(problem !== undefined && {
        broken: { message: problem, fix: `Name another environment in ${demandedBy}.from.` },
      }),
    };
  },
});
