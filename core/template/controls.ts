import type { Control } from '../policy/control.ts';

/** Controls that ask for credentials to be changed at intervals. */
export const changedRegularly: readonly Control[] = [
  'PCI DSS 4.0.1 8.6.3',
  'PCI DSS 4.0.1 8.3.9',
  'SOC 2 CC6.1',
  'ISO 27001:2022 A.5.17',
  'NIST 800-53 r5 IA-5(1)',
  'NIST 800-53 r5 AC-2(1)',
  'OWASP NHI 2025 NHI7',
];

/** Controls that forbid credentials in code, scripts and settings. */
export const keptOutOfCode: readonly Control[] = [
  'PCI DSS 4.0.1 8.6.2',
  'SOC 2 CC6.1',
  'ISO 27001:2022 A.5.17',
  'NIST 800-53 r5 IA-5(7)',
  'OWASP NHI 2025 NHI2',
];

/** Controls that ask for least privilege. */
export const leastPrivilege: readonly Control[] = [
  'PCI DSS 4.0.1 7.2.5',
  'SOC 2 CC6.3',
  'ISO 27001:2022 A.5.15',
  'ISO 27001:2022 A.8.2',
  'NIST 800-53 r5 AC-6',
  'OWASP NHI 2025 NHI5',
];

/** Controls that ask for changes under control, so that no value is lost. */
export const changedUnderControl: readonly Control[] = [
  'SOC 2 CC8.1',
  'ISO 27001:2022 A.8.32',
  'NIST 800-53 r5 CM-3',
];
