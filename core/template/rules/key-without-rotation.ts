import { named, type TemplateRule } from '../rule.ts';
import { isAbsent, literalSwitch, literalText } from '../value.ts';

/** Asks for the yearly rotation of KMS keys. Only symmetric keys whose material is made by KMS can rotate. */
export const keyWithoutRotation: TemplateRule<'KeyWithoutRotation'> = {
  description: {
    id: 'KeyWithoutRotation',
    severity: 'error',
    demand: 'A symmetric KMS key for encryption rotates by itself.',
    reason: 'All that was ever encrypted with one key material falls with it.',
    controls: [
      'PCI DSS 4.0.1 3.7.4',
      'SOC 2 CC6.1',
      'ISO 27001:2022 A.8.24',
      'NIST 800-53 r5 SC-12',
      'CIS AWS Foundations 3.6',
    ],
  },
  *check(world) {
    for (const key of world.ofType('AWS::KMS::Key')) {
      const { KeySpec, KeyUsage, Origin, EnableKeyRotation } = key.properties;
      const rotates = !isAbsent(EnableKeyRotation) && literalSwitch(EnableKeyRotation) !== false;
      const canRotate =
        isOr(KeySpec, 'SYMMETRIC_DEFAULT') && isOr(KeyUsage, 'ENCRYPT_DECRYPT') && isOr(Origin, 'AWS_KMS');
      if (rotates || !canRotate) continue;
      yield {
        on: key,
        property: isAbsent(EnableKeyRotation) ? [] : ['EnableKeyRotation'],
        message: 'the key does not rotate',
        fix: `set ${named(key, 'EnableKeyRotation')} to true; what is encrypted stays readable`,
      };
    }
  },
};

/** Tells whether a property is left out, or has the value that it has by default. */
const isOr = (value: Parameters<typeof literalText>[0], usual: string): boolean =>
  isAbsent(value) || literalText(value) === usual;
