import { environmentRule } from '../define.ts';
import { dutiesNotSeparated as description, separateDuties } from '../separation-of-duties.ts';

export const dutiesNotSeparated = environmentRule({
  ...description,
  goesBy: 'require.separateDuties',
  examine: ({ path, access }) => {
    const both = separateDuties(access, `${path}.access`).filter(({ severity }) => severity === 'error');
    return {
      setting: both.length === 0 ? 'separate' : `${both.length} in two duties`,
      from: `${path}.access`,
      ...(both.length > 0 && {
        broken: {
          message: both.map(({ message }) => message).join('; '),
          fix: [...new Set(both.map(({ fix }) => fix))].join(' '),
        },
      }),
    };
  },
});
