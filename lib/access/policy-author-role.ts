import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AccessRole, type AccessRoleProps } from './access-role.ts';
import { acknowledgeWildcards } from './acknowledge.ts';

/** Props of {@link PolicyAuthorRole}. */
export interface PolicyAuthorRoleProps extends AccessRoleProps {
  /**
   * Names of the stacks that the author reads and opens change sets of; `*` stands for any ending.
   * @default - the stacks of the environment, `rekey-<environment>-…`
   */
  readonly stackNames?: readonly string[];
}

/** Last parts of the names of an environment's stacks. One that begins like another environment's is not among them. */
const stackParts = [
  'access',
  'audit',
  'events',
  'fingerprints',
  'foundation',
  'network-*',
  'notification',
  'revocation',
  'rotation',
  'rotation-*',
] as const;

/**
 * A role that prepares changes of an environment's policy: it compares them with what is deployed and opens change sets. It
 * executes none, reads no value, and cannot approve, rotate or revoke.
 *
 * Whoever may assume the deployment role of the CDK's bootstrap can execute change sets, since that role does both. So the
 * author works with this role alone: `cdk diff --method=template`, or a change set of a template that a pipeline has published.
 *
 * @example
 * new PolicyAuthorRole(this, 'PolicyAuthor', { environment: 'prod', principals: ['111122223333'] });
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
 * @see https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
 */
export class PolicyAuthorRole extends AccessRole {
  constructor(scope: Construct, id: string, props: PolicyAuthorRoleProps) {
    super(scope, id, props, 'prepares changes of policy');
    const { environment, stackNames = stackParts.map((part) => `rekey-${environment}-${part}`) } = props;
    const stacks = stackNames.map((name) =>
      Stack.of(this).formatArn({
        service: 'cloudformation',
        resource: 'stack',
        resourceName: `${name}/*`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    );
    this.allow(
      'ReadStacks',
      [
        'cloudformation:DescribeChangeSet',
        'cloudformation:DescribeStackEvents',
        'cloudformation:DescribeStackResources',
        'cloudformation:DescribeStacks',
        'cloudformation:GetTemplate',
        'cloudformation:ListChangeSets',
        'cloudformation:ListStackResources',
      ],
      stacks,
    );
    // Without a role of the request's own, the stack's is used, when somebody else executes the change set.
    this.allow('OpenChangeSets', ['cloudformation:CreateChangeSet'], stacks, {
      Null: { 'cloudformation:RoleArn': 'true' },
    });
    acknowledgeWildcards(
      this.role,
      stacks,
      'The ids of stacks, which CloudFormation makes; networks and further rotation stacks come and go with the configuration.',
    );
  }
}
