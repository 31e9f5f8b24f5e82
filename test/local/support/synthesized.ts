import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly DependsOn?: unknown;
}

/**
 * The resources of a stack as it would be deployed, with the code of every function replaced by a CommonJS module.
 *
 * @param build makes the constructs in the stack
 * @param code the module, by the description of the function
 */
export function synthesize(
  cloud: LocalCloud,
  build: (stack: Stack) => void,
  code: (description: string) => string,
): Record<string, Resource> {
  const outdir = mkdtempSync(join(cloud.directory, 'assembly-'));
  const app = new App({
    context: { 'aws:cdk:bundling-stacks': [] },
    outdir,
    builtinCloudFormationValidation: false,
  });
  const stack = new Stack(app, 'stack', { env: { account: cloud.accountId, region: cloud.region } });
  build(stack);
  const { Resources } = Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource> };
  return Object.fromEntries(
    Object.entries(Resources)
      .filter(([, { Type }]) => Type !== 'AWS::CDK::Metadata')
      .map(([id, resource]) => {
        if (resource.Type !== 'AWS::Lambda::Function') return [id, resource];
        const Properties = {
          ...resource.Properties,
          Code: { ZipFile: code(String(resource.Properties?.Description)) },
        };
        return [id, { ...resource, Properties }];
      }),
  );
}
