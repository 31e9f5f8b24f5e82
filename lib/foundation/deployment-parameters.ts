import { Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import {
  type auditKeyParameter,
  type deploymentParameters,
  deploymentPath,
  type networkParameter,
} from '../../core/deployed/names.ts';

type Segment =
  | typeof auditKeyParameter
  | (typeof deploymentParameters)[keyof typeof deploymentParameters]
  | ReturnType<typeof networkParameter>;

/**
 * Writes facts of the deployment where the CLI finds them: `/rekey/<environment>/deployment/<name>`.
 *
 * They are resources of the stack itself, whichever construct writes them, so that their logical ids stay when constructs move.
 */
export function writeDeploymentParameters(
  scope: Construct,
  environment: string,
  facts: Readonly<Partial<Record<Segment, string>>>,
): void {
  const stack = Stack.of(scope);
  for (const [segment, stringValue] of Object.entries(facts)) {
    if (stringValue === undefined) continue;
    const id = `Deployment-${segment}`;
    // A stack may hold more than one environment.
    const known = stack.node.tryFindChild(id) !== undefined;
    new StringParameter(stack, known ? `${id}-${environment}` : id, {
      parameterName: `${deploymentPath(environment)}/${segment}`,
      description: `Rekey ${environment}: ${segment.replaceAll('-', ' ')}`,
      stringValue,
    });
  }
}
