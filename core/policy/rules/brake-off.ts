import { environmentRule } from '../define.ts';

export const brakeOff = environmentRule({
  id: 'BrakeOff',
  severity: 'warning',
  goesBy: 'require.brake',
  demand: 'A rotation function that fails for several secrets in a row begins no more rotations.',
  reason: 'Without its brake a broken release or setting reaches every secret.',
  controls: ['SOC 2 CC7.5', 'ISO 27001:2022 A.8.32'],
  examine: ({ path, brakeAfter }) => ({
    setting: brakeAfter.value === 0 ? 'off' : `after ${brakeAfter.value} secrets`,
    from: brakeAfter.from,
    ...(brakeAfter.value === 0 && {
      broken: {
        message: 'rotation.brakeAfter is 0, so no brake engages',
        fix: `Remove ${path}.rotation.brakeAfter; 5 is the default.`,
      },
    }),
  }),
});
