import type { Statement } from '../../iam/document.ts';
import { leastPrivilege } from '../controls.ts';
import { allowingStatements } from '../policies.ts';
import { inDialect, type TemplateRule } from '../rule.ts';
import { nameOfSecret, secretOf, secretType } from '../secrets.ts';
import { isAbsent } from '../value.ts';

/** Refuses a secret's own policy that lets everybody in. */
export const secretPolicyOpen: TemplateRule<'SecretPolicyOpen'> = {
  description: {
    id: 'SecretPolicyOpen',
    severity: 'error',
    demand:
      'The policy of a secret names its principals, or narrows everybody by an organization, an account or a network.',
    reason: 'Anybody with an account of AWS can read the secret.',
    controls: [...leastPrivilege, 'NIST 800-53 r5 AC-3', 'OWASP NHI 2025 NHI6'],
  },
  *check(world) {
    for (const on of world.ofType('AWS::SecretsManager::ResourcePolicy', secretType)) {
      const document = on.properties.ResourcePolicy;
      if (isAbsent(document) || document === undefined) continue;
      const secret = on.type === secretType ? on : secretOf(world, on.properties.SecretId);
      for (const { policy, index } of allowingStatements(world, document)) {
        if (!policy.Statement.some(isOpenToAll)) continue;
        yield {
          on,
          property: ['ResourcePolicy', 'Statement', String(index)],
          message: `the policy of ${secret === undefined ? 'a secret' : `secret ${nameOfSecret(secret)}`} allows every principal of AWS`,
          fix: inDialect(on, {
            cloudformation:
              'name the principals, or add a condition on aws:PrincipalOrgID; BlockPublicPolicy: true has Secrets Manager refuse such a policy',
            terraform:
              'name the principals, or add a condition on aws:PrincipalOrgID; block_public_policy = true has Secrets Manager refuse such a policy',
          }),
        };
      }
    }
  },
};

/** Keys of a condition that narrow everybody down to known ones. @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html */
const narrowing =
  /^(?:aws:(?:principal(?:arn|account|orgid|orgpaths)|principaltag\/.+|source(?:arn|account|ip|owner|vpc|vpce|vpcarn|orgid|orgpaths)|userid|vpcsourceip|federatedprovider))$/i;

function isOpenToAll({ Effect, Principal, NotPrincipal, Condition }: Statement): boolean {
  if (Effect !== 'Allow') return false;
  if (NotPrincipal === undefined && !(Principal?.AWS ?? []).includes('*')) return false;
  return !Object.entries(Condition ?? {}).some(
    ([operator, keys]) =>
      // What must differ, or may be absent, leaves the rest of the world in.
      !/Not|IfExists$|^Null$|^ForAllValues:/.test(operator) &&
      Object.keys(keys).some((key) => narrowing.test(key)),
  );
}
