import { secretRule } from '../define.ts';

export const typeNotAllowed = secretRule({
  id: 'TypeNotAllowed',
  severity: 'error',
  goesBy: 'types',
  demand: 'Secrets are of a type that the policy allows.',
  reason: 'A type that nobody has looked at may need access that nobody has agreed to.',
  controls: ['NIST 800-53 r5 CM-7', 'ISO 27001:2022 A.8.9', 'SOC 2 CC8.1'],
  examine: ({ path, type }, allowed) => ({
    setting: type,
    from: `${path}.type`,
    ...(!allowed.includes(type) && {
      broken: {
        message: `the type ${type} is not among those of the policy: ${allowed.join(', ') || 'none'}`,
        fix: 'Choose one of those, or have the policy allow the type.',
      },
    }),
  }),
});
