import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type CfnRole, Effect, ManagedPolicy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { busName, environmentTag } from '../../core/deployed/names.ts';

/** Actions that no role of people is ever allowed, whatever is attached to it, by the name of the statement. */
const never: Readonly<Record<string, readonly string[]>> = {
  NoSecretValues: ['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue'],
  NoChangeOfSecrets: [
    'secretsmanager:CreateSecret',
    'secretsmanager:DeleteResourcePolicy',
    'secretsmanager:DeleteSecret',
    'secretsmanager:PutResourcePolicy',
    'secretsmanager:PutSecretValue',
    'secretsmanager:ReplicateSecretToRegions',
    'secretsmanager:UpdateSecret',
  ],
  NoOtherIdentity: [
    'iam:*',
    'organizations:*',
    'sso:*',
    'sts:AssumeRole',
    'sts:AssumeRoot',
    'sts:GetFederationToken',
  ],
  // The bucket, its key, and the queue that leads there.
  NoChangeOfRecords: [
    's3:BypassGovernanceRetention',
    's3:Delete*',
    's3:Put*',
    's3:Replicate*',
    'kms:CreateGrant',
    'kms:DisableKey',
    'kms:PutKeyPolicy',
    'kms:ScheduleKeyDeletion',
    'sqs:DeleteMessage',
    'sqs:DeleteQueue',
    'sqs:PurgeQueue',
    'sqs:ReceiveMessage',
    'sqs:SendMessage',
    'sqs:SetQueueAttributes',
  ],
};

const deny = (sid: string, actions: readonly string[], where: object = { resources: ['*'] }) =>
  new PolicyStatement({ sid, effect: Effect.DENY, actions: [...actions], ...where });

/** The exceptions from the limits of a role. */
interface Exceptions {
  /** ARNs of the roles that the role may assume. @default - none */
  readonly mayAssume?: readonly string[];
}

/** Writes the statements that keep a role of people to its environment, and away from values, records and identities. */
function limitsOf(role: Role, environment: string, { mayAssume = [] }: Exceptions): PolicyStatement[] {
  const arn = (service: string, resource: string, resourceName: string) =>
    Stack.of(role).formatArn({ service, resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
  const parameters = arn('ssm', 'parameter', `rekey/${environment}`);
  return [
    ...Object.entries(never).map(([sid, actions]) =>
      deny(sid, mayAssume.length === 0 ? actions : actions.filter((action) => action !== 'sts:AssumeRole')),
    ),
    ...(mayAssume.length === 0
      ? []
      : [deny('NoOtherRole', ['sts:AssumeRole'], { notResources: [...mayAssume] })]),
    deny('NoTaggedForOthers', ['*'], {
      resources: ['*'],
      conditions: {
        StringNotEquals: { [`aws:ResourceTag/${environmentTag}`]: environment },
        Null: { [`aws:ResourceTag/${environmentTag}`]: 'false' },
      },
    }),
    deny('NoParametersOfOthers', ['ssm:*'], { notResources: [parameters, `${parameters}/*`] }),
    deny('NoEventsForOthers', ['events:PutEvents'], {
      notResources: [arn('events', 'event-bus', busName(environment))],
    }),
  ];
}

/**
 * The permissions boundary of a role of people: what it may do at all, whatever is attached to it later.
 *
 * It allows what the role's own duty needs, and denies what no such role may do. The denials stand in the role's own policy as
 * well. They hold where a boundary of the app's owner takes this one's place, as a role has one only:
 * `PermissionsBoundary.of(scope).apply(policy)`.
 *
 * A managed policy has room for 6,144 characters, so a boundary names no secret and no function of many by itself.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export class RoleBoundary {
  readonly policy: ManagedPolicy;

  constructor(role: Role, environment: string, exceptions: Exceptions = {}) {
    const limits = limitsOf(role, environment, exceptions);
    this.policy = new ManagedPolicy(role, 'Boundary', {
      description: `Rekey ${environment}: the most that the role ${role.node.path} may do`.slice(0, 1000),
      statements: limits,
    });
    for (const limit of limits) role.addToPolicy(limit.copy());
    // The property and not an aspect, so that a boundary of the app's owner, which is one, comes after it.
    (role.node.defaultChild as CfnRole).permissionsBoundary = this.policy.managedPolicyArn;
  }

  /** Adds what the role may do, if a policy of its own allows it too, or may never do. */
  add(...statements: readonly PolicyStatement[]): void {
    this.policy.addStatements(...statements);
  }
}
