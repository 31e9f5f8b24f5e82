import { named, type TemplateRule } from '../rule.ts';
import { nameOfSecret, secretType } from '../secrets.ts';
import { isAbsent, literalText } from '../value.ts';

/** Warns of secrets under the key of AWS, `alias/aws/secretsmanager`. */
export const secretWithoutCustomerKey: TemplateRule<'SecretWithoutCustomerKey'> = {
  description: {
    id: 'SecretWithoutCustomerKey',
    severity: 'warning',
    demand: 'A secret is encrypted with a KMS key of yours.',
    reason:
      'Everyone in the account who may read the secret may use the key of AWS; only a key of yours can refuse them, and cross accounts.',
    controls: [
      'PCI DSS 4.0.1 3.6.1',
      'SOC 2 CC6.1',
      'ISO 27001:2022 A.8.24',
      'NIST 800-53 r5 SC-12',
      'NIST 800-53 r5 SC-28(1)',
    ],
  },
  *check(world) {
    for (const secret of world.ofType(secretType)) {
      const key = secret.properties.KmsKeyId;
      const isOfAws = /(?:^|:)alias\/aws\/secretsmanager$/.test(literalText(key) ?? '');
      if (!isAbsent(key) && !isOfAws) continue;
      yield {
        on: secret,
        message: `secret ${nameOfSecret(secret)} is encrypted with the key of AWS`,
        fix: `set ${named(secret, 'KmsKeyId')} to a KMS key of yours that rotates`,
      };
    }
  },
};
