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

/** Writes facts of the deployment where the CLI finds them: `/rekey/<environment>/deployment/<name>`. */
export function writeDeploymentParameters(
  scope: Construct,
  environment: string,
  facts: Readonly<Partial<Record<Segment, string>>>,
): void {
  for (const [segment, stringValue] of Object.entries(facts)) {
    if (stringValue === undefined) continue;
    new StringParameter(scope, `Deployment-${segment}`, {
      parameterName: `${deploymentPath(environment)}/${segment}`,
      description: `Rekey ${environment}: ${segment.replaceAll('-', ' ')}`,
      stringValue,
    });
  }
}
