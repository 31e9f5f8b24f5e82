import { secretRule } from '../define.ts';

export const definitionNotPromoted = secretRule({
  id: 'DefinitionNotPromoted',
  severity: 'warning',
  goesBy: 'promotion',
  demand: 'A definition was in the environment before this one on the promotion path.',
  reason: 'What nobody has rotated in a lesser environment fails first where it hurts most.',
  controls: ['SOC 2 CC8.1', 'ISO 27001:2022 A.8.31', 'ISO 27001:2022 A.8.32', 'NIST 800-53 r5 CM-3'],
  examine: ({ path, key }, { from }, { environments, demandedBy }) => {
    const before = environments.find(({ name }) => name === from);
    if (before === undefined) return undefined;
    const there = before.secrets.some((secret) => secret.key === key);
    return {
      setting: there ? `in ${from}` : `not in ${from}`,
      from: demandedBy,
      ...(!there && {
        broken: {
          message: `${before.path}.secrets has no ${key}`,
          fix: `Define ${key} in ${before.path}.secrets first, deploy it, and see it rotate; then define ${path}.`,
        },
      }),
    };
  },
});
