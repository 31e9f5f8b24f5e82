/** Frameworks that controls are taken from, by the names that reports give them. */
export const frameworks = [
  'PCI DSS 4.0.1',
  'SOC 2',
  'ISO 27001:2022',
  'NIST 800-53 r5',
  'CIS AWS Foundations',
  'OWASP NHI 2025',
] as const;

export type Framework = (typeof frameworks)[number];

/** A control of a framework, such as `PCI DSS 4.0.1 8.6.3`. */
export type Control = `${Framework} ${string}`;
