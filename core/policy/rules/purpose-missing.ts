import { secretRule } from '../define.ts';

export const purposeMissing = secretRule({
  id: 'PurposeMissing',
  severity: 'warning',
  goesBy: 'require.purpose',
  demand: 'Each secret says what it is for.',
  reason: 'In an incident somebody must know in seconds what a revocation stops.',
  controls: ['PCI DSS 4.0.1 12.3.1', 'ISO 27001:2022 A.5.9', 'NIST 800-53 r5 CM-8', 'SOC 2 CC6.1'],
  examine: ({ path, purpose }) => ({
    setting: purpose === undefined ? 'none' : 'stated',
    from: `${path}.purpose`,
    ...(purpose === undefined && {
      broken: { message: 'it has no purpose', fix: `Say in ${path}.purpose what it is for, in a sentence.` },
    }),
  }),
});
