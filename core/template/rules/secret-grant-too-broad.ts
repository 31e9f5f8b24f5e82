import { decide } from '../../iam/evaluate.ts';
import { ownAccount, ownRegion } from '../concrete.ts';
import { leastPrivilege } from '../controls.ts';
import { allowingStatements, writtenPolicies } from '../policies.ts';
import type { TemplateRule } from '../rule.ts';

/** A secret that no template knows. Whoever may read it may read all of them. */
const stranger = `arn:aws:secretsmanager:${ownRegion}:${ownAccount}:secret:\u0002a-secret-of-somebody-else-Zz9Zz9`;

const principal = {
  kind: 'role',
  arn: `arn:aws:iam::${ownAccount}:role/\u0002tried`,
  sessionArn: `arn:aws:sts::${ownAccount}:assumed-role/\u0002tried/session`,
} as const;

/** Actions that read, replace or give away a value. */
const tried = [
  'secretsmanager:GetSecretValue',
  'secretsmanager:PutSecretValue',
  'secretsmanager:UpdateSecret',
  'secretsmanager:PutResourcePolicy',
  'secretsmanager:DeleteSecret',
] as const;

/** Refuses grants that reach secrets which nobody has named. */
export const secretGrantTooBroad: TemplateRule<'SecretGrantTooBroad'> = {
  description: {
    id: 'SecretGrantTooBroad',
    severity: 'error',
    demand:
      'A grant on secrets names them, by ARN, by a prefix of their names, or by a condition on their tags.',
    reason: 'Whoever takes over the principal reads every secret of the account.',
    controls: leastPrivilege,
  },
  *check(world) {
    for (const { on, property, document } of writtenPolicies(world)) {
      for (const { policy, index } of allowingStatements(world, document)) {
        const allowed = tried.filter(
          (action) =>
            decide(
              { principal, action, resource: stranger, resourceAccount: ownAccount },
              { identity: [policy] },
            ).outcome === 'allowed',
        );
        if (allowed.length === 0) continue;
        yield {
          on,
          property: [...property, 'Statement', String(index)],
          message: `a statement allows ${allowed.length === 1 ? allowed[0] : `${allowed[0]} and ${allowed.length - 1} more actions`} on every secret of the account`,
          fix: 'name the secrets in Resource (grantRead of the CDK does so), or narrow it by secretsmanager:ResourceTag',
        };
      }
    }
  },
};
