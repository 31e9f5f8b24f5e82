import { decide } from '../../iam/evaluate.ts';
import { ownAccount, ownRegion } from '../concrete.ts';
import { leastPrivilege } from '../controls.ts';
import { allowingStatements, writtenPolicies } from '../policies.ts';
import type { TemplateRule } from '../rule.ts';

/** A key that no template knows. */
const stranger = `arn:aws:kms:${ownRegion}:${ownAccount}:key/\u0002a-key-of-somebody-else`;

const principal = {
  kind: 'role',
  arn: `arn:aws:iam::${ownAccount}:role/\u0002tried`,
  sessionArn: `arn:aws:sts::${ownAccount}:assumed-role/\u0002tried/session`,
} as const;

/** Key policy that leaves the decision to the account, as that of a key does by default. */
const keyPolicy = {
  Version: '2012-10-17' as const,
  Statement: [
    {
      Effect: 'Allow' as const,
      Principal: { AWS: [`arn:aws:iam::${ownAccount}:root`] },
      Action: ['kms:*'],
      Resource: ['*'],
    },
  ],
};

/** Refuses decryption with every key of the account. */
export const keyGrantTooBroad: TemplateRule<'KeyGrantTooBroad'> = {
  description: {
    id: 'KeyGrantTooBroad',
    severity: 'error',
    demand: 'A grant of kms:Decrypt names its keys, or the service through which they are used.',
    reason: 'A key is the second lock of a secret, and a grant on every key opens all of them.',
    controls: [...leastPrivilege, 'PCI DSS 4.0.1 3.6.1', 'ISO 27001:2022 A.8.24'],
  },
  *check(world) {
    for (const { on, property, document } of writtenPolicies(world)) {
      for (const { policy, index } of allowingStatements(world, document)) {
        const { outcome } = decide(
          { principal, action: 'kms:Decrypt', resource: stranger, resourceAccount: ownAccount },
          { identity: [policy], resource: keyPolicy },
        );
        if (outcome !== 'allowed') continue;
        yield {
          on,
          property: [...property, 'Statement', String(index)],
          message: 'a statement allows kms:Decrypt with every key of the account',
          fix: 'name the key in Resource (grantDecrypt of the CDK does so), or narrow it by kms:ViaService',
        };
      }
    }
  },
};
