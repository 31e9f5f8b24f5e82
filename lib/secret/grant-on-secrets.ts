import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { environmentTag } from '../../core/deployed/names.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { type PagedStatement, type PolicyPages, sizedArn } from '../access/policy-pages.ts';
import type { RotatedSecret } from './rotated-secret.ts';

/**
 * Lets a role act on all secrets of an environment.
 *
 * Those that Rekey created are named by their prefix and their tag, since no role has room for the names of a thousand, and
 * other apps may bring some. A secret of somebody else that is named like them lacks the tag. Adopted ones are named one by one.
 * @throws Error when the adopted ones are more than IAM has room for
 */
export function grantOnSecrets(
  role: Role,
  pages: PolicyPages,
  {
    environment,
    secrets,
    grants,
  }: {
    readonly environment: string;
    readonly secrets: readonly RotatedSecret[];
    readonly grants: readonly PagedStatement[];
  },
): void {
  const created = Stack.of(role).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `/${environment}/*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  for (const { sid, actions, conditions } of grants) {
    role.addToPolicy(
      new PolicyStatement({
        sid: `${sid}OfEnvironment`,
        actions: [...actions],
        resources: [created],
        conditions: {
          ...conditions,
          StringEquals: {
            ...conditions?.StringEquals,
            [`aws:ResourceTag/${environmentTag}`]: environment,
          },
        },
      }),
    );
  }
  acknowledgeWildcards(
    role,
    [created],
    'The secrets that Rekey created in this environment, which a condition tells by their tag.',
  );
  for (const { identity } of secrets.filter((secret) => !secret.inNamespace)) {
    for (const grant of grants) {
      pages.add(grant, sizedArn(identity.arnPattern, identity.name));
    }
  }
}
