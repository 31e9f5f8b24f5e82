import { secretRule } from '../define.ts';

export const customerKeyMissing = secretRule({
  id: 'CustomerKeyMissing',
  severity: 'error',
  goesBy: 'require.customerKeys',
  demand: 'A customer managed key encrypts each secret.',
  reason: 'With the key that AWS manages, nobody can say who may decrypt, or take that back in an incident.',
  controls: ['PCI DSS 4.0.1 3.6.1', 'NIST 800-53 r5 SC-12', 'ISO 27001:2022 A.8.24', 'SOC 2 CC6.1'],
  examine: ({ path, origin, hasCustomerKey }) => ({
    setting: hasCustomerKey ? 'customer managed key' : 'key managed by AWS',
    from: origin === 'created' ? 'default' : `${path}.encryptionKey`,
    ...(!hasCustomerKey && {
      broken: {
        message: 'no encryptionKey is named, so the key that AWS manages encrypts it',
        fix: `Encrypt it with a key of your own (aws secretsmanager update-secret --kms-key-id), then name that in ${path}.encryptionKey.`,
      },
    }),
  }),
});
