import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { environmentTag, ownerTag, services, serviceTag } from '../../core/deployed/names.ts';
import { invokeRotation } from '../rotation/rotation-start.ts';
import { ownerOfCaller } from '../secret/grant-on-secrets.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { PagedStatement } from './policy-pages.ts';

/**
 * Writes the part of an operator's boundary for secrets, functions and log groups, told by their tags.
 *
 * A boundary has no room for the names of a thousand, so it lets pass whatever is not tagged for another environment. That is
 * needed for adopted secrets, foreign functions and constructs outside an environment, which have no tag; the role's own
 * policies name those.
 */
export function operatorBoundary(
  role: Role,
  {
    environment,
    secrets,
    grants,
    byOwner,
  }: {
    readonly environment: string;
    readonly secrets: readonly RotatedSecret[];
    readonly grants: readonly PagedStatement[];
    readonly byOwner: boolean;
  },
): PolicyStatement[] {
  const every = (service: string, resource: string) =>
    Stack.of(role).formatArn({
      service,
      resource,
      resourceName: '*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  const [secret, target, logs] = [
    every('secretsmanager', 'secret'),
    every('lambda', 'function'),
    every('logs', 'log-group'),
  ];
  const ofEnvironment = { [`aws:ResourceTag/${environmentTag}`]: environment };
  const allow = (
    { sid, actions, conditions }: PagedStatement,
    resource: string,
    operator: 'StringEquals' | 'StringEqualsIfExists',
    tags: Readonly<Record<string, string>> = ofEnvironment,
  ) =>
    new PolicyStatement({
      sid,
      actions: [...actions],
      resources: [resource],
      conditions: { ...conditions, [operator]: { ...conditions?.[operator], ...tags } },
    });
  acknowledgeWildcards(
    role,
    [secret, target, logs],
    'A boundary grants nothing; it leaves out what is tagged for another environment.',
  );
  return [
    ...grants.map((grant) =>
      allow(grant, secret, 'StringEqualsIfExists', {
        ...ofEnvironment,
        ...(byOwner && { [`aws:ResourceTag/${ownerTag}`]: ownerOfCaller }),
      }),
    ),
    allow(
      invokeRotation,
      target,
      secrets.some(({ foreign }) => foreign) ? 'StringEqualsIfExists' : 'StringEquals',
      {
        ...ofEnvironment,
        [`aws:ResourceTag/${serviceTag}`]: services.rotation,
      },
    ),
    allow({ sid: 'RotationLogs', actions: ['logs:FilterLogEvents'] }, logs, 'StringEqualsIfExists'),
    allow(
      { sid: 'FunctionStates', actions: ['lambda:GetFunctionConfiguration'] },
      target,
      'StringEqualsIfExists',
    ),
  ];
}
