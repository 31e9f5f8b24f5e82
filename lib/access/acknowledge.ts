import { Stack, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/**
 * Acknowledges cdk-nag's finding on wildcards for exactly these resources of a role's or function's policy. Any other wildcard
 * is still found. The reason says why they are needed.
 *
 * cdk-nag names a finding after the resource as it stands in the template. So the name is made after references between stacks
 * are settled: during validation, which the CDK runs after that and before its plugins.
 */
export function acknowledgeWildcards(scope: Construct, resources: readonly string[], reason: string): void {
  scope.node.addValidation({
    validate: () => {
      for (const resource of resources) {
        const finding = `Resource::${flatten(Stack.of(scope).resolve(resource))}`;
        Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[${finding}]`, reason });
      }
      return [];
    },
  });
}

/** Writes a reference as cdk-nag does: `<LogicalId.Arn>/*`. */
function flatten(value: unknown): string {
  if (typeof value === 'string') {
    return value.replaceAll('${', '<').replaceAll('}', '>');
  }
  if (typeof value !== 'object' || value === null) {
    return '';
  }
  const [[key, content] = ['', undefined]] = Object.entries(value);
  if (key === 'Fn::Join') {
    const [delimiter, items] = content as [string, unknown[]];
    return items.map(flatten).join(delimiter);
  }
  if (key === 'Fn::GetAtt') {
    const [resource, attribute] = content as [string, string];
    return `<${resource}.${attribute}>`;
  }
  if (key === 'Fn::ImportValue' || key === 'Fn::Sub') {
    return flatten(content);
  }
  if (key === 'Ref') {
    return `<${flatten(content)}>`;
  }
  return JSON.stringify(value);
}
