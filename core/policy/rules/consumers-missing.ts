import { secretRule } from '../define.ts';

export const consumersMissing = secretRule({
  id: 'ConsumersMissing',
  severity: 'warning',
  goesBy: 'require.consumers',
  demand: 'Each secret names the workloads that read it.',
  reason: 'Without them nobody knows whom a revocation interrupts, and what must read the new value.',
  controls: ['ISO 27001:2022 A.5.9', 'NIST 800-53 r5 CM-8', 'PCI DSS 4.0.1 7.2.5.1', 'OWASP NHI 2025 NHI1'],
  examine: ({ path, consumers }) => ({
    setting: consumers.length === 0 ? 'none' : consumers.join(', '),
    from: `${path}.consumers`,
    ...(consumers.length === 0 && {
      broken: {
        message: 'it names no consumer',
        fix: `Name the workloads that read it in ${path}.consumers; retire it if nobody does.`,
      },
    }),
  }),
});
