import { secretRule } from '../define.ts';
import { isSecretLike } from '../detect.ts';

export const valueInConfiguration = secretRule({
  id: 'ValueInConfiguration',
  severity: 'error',
  goesBy: 'detection',
  demand: 'The configuration holds no value of a secret.',
  reason: 'It stands in version control and in the template, where nobody can revoke it.',
  controls: ['PCI DSS 4.0.1 8.6.2', 'NIST 800-53 r5 IA-5(7)', 'ISO 27001:2022 A.5.17', 'OWASP NHI 2025 NHI2'],
  examine: ({ path, origin, fields }, detection) => {
    if (origin === 'adopted') return undefined;
    const found = Object.keys(fields).filter((name) => {
      const value = fields[name];
      return typeof value === 'string' && isSecretLike({ name, value }, detection);
    });
    return {
      setting: found.length === 0 ? 'no value' : found.join(', '),
      from: `${path}.create.fields`,
      ...(found.length > 0 && {
        broken: {
          message: `create.fields holds what looks like the value of a secret: ${found.join(', ')}`,
          fix: `Remove ${found.map((name) => `${path}.create.fields.${name}`).join(' and ')}, replace that credential at its service, and store the new one in a secret of its own.`,
        },
      }),
    };
  },
});
