import { secretRule } from '../define.ts';

export const rotationInterrupts = secretRule({
  id: 'RotationInterrupts',
  severity: 'warning',
  goesBy: 'require.uninterruptedRotation',
  demand: 'A secret that workloads read rotates without a moment in which neither value works.',
  reason: 'With one user, consumers fail from the change of its password until they read the new value.',
  controls: ['SOC 2 CC7.5', 'ISO 27001:2022 A.8.14'],
  examine: ({ path, strategy, consumers }) => ({
    setting: strategy,
    from: `${path}.strategy`,
    ...(strategy === 'single-user' &&
      consumers.length > 0 && {
        broken: {
          message: `single-user interrupts ${consumers.join(', ')} at each rotation`,
          fix: `Choose alternating-users or dual-credential in ${path}.strategy where the type has it.`,
        },
      }),
  }),
});
