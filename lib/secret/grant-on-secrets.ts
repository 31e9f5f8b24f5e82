import { createHash } from 'node:crypto';
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { environmentTag, ownerTag } from '../../core/deployed/names.ts';
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
    byOwner = false,
  }: {
    readonly environment: string;
    readonly secrets: readonly RotatedSecret[];
    readonly grants: readonly PagedStatement[];
    /** True for the secrets of the owner alone whose tag the caller has. @default false */
    readonly byOwner?: boolean;
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
            ...(byOwner && { [`aws:ResourceTag/${ownerTag}`]: ownerOfCaller }),
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
  for (const { identity, owner } of secrets.filter((secret) => !secret.inNamespace)) {
    for (const grant of grants) {
      pages.add(byOwner ? ofCallersOwner(grant, owner) : grant, sizedArn(identity.arnPattern, identity.name));
    }
  }
}

/**
 * The caller's tag of an owner, which IAM fills in. A caller without the tag matches no secret.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export const ownerOfCaller = `\${aws:PrincipalTag/${ownerTag}}`;

/** Narrows a grant to callers with the tag of one owner. An adopted secret keeps its own tags, so the owner stands here. */
const ofCallersOwner = (grant: PagedStatement, owner: string): PagedStatement => ({
  ...grant,
  sid: `${grant.sid}By${createHash('sha256').update(owner).digest('hex').slice(0, 12)}`,
  conditions: {
    ...grant.conditions,
    StringEquals: { ...grant.conditions?.StringEquals, [`aws:PrincipalTag/${ownerTag}`]: owner },
  },
});
