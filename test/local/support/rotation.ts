import { fileURLToPath } from 'node:url';
import {
  LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { build } from 'esbuild';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';
import { logLines } from './logs.ts';
import { allow, deployStack, nodeFunction, role } from './stack.ts';
import { zipOf } from './zip.ts';

/** A deployed rotation function, under a role that may use every secret of the account. */
export interface RotationFunction {
  readonly arn: string;
  readonly name: string;
  /** Makes it throw in one step, or take a second and a half in one, from the next invocation on. */
  misbehave(environment: { FAIL_AT?: string; SLOW_AT?: string }): Promise<void>;
  /** The events it was invoked with for one secret, oldest first. */
  events(secretArn: string): Promise<readonly Record<string, string>[]>;
}

const functions = {
  plain: import.meta.resolve('./rotation-function.ts'),
  /** Written after AWS's template, for a secret whose value is JSON. */
  foreign: import.meta.resolve('./foreign-function.ts'),
};

/** Deploys a rotation function of this folder with the permission that Secrets Manager needs to invoke it. */
export async function deployRotationFunction(
  cloud: LocalCloud,
  permitted = true,
  code: keyof typeof functions = 'plain',
): Promise<RotationFunction> {
  const bundle = await build({
    entryPoints: [fileURLToPath(functions[code])],
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
  });
  const stackName = permitted ? 'rotation' : 'unpermitted';
  const permission = {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: { Ref: 'Function' },
      Principal: 'secretsmanager.amazonaws.com',
    },
  };
  const { outputs } = await deployStack(cloud, stackName, {
    Role: role('lambda.amazonaws.com', [allow('secretsmanager:*')]),
    Function: nodeFunction('exports.handler = async () => {};', 'Role'),
    ...(permitted && { Permission: permission }),
  });
  const lambda = new LambdaClient(cloud.clientOptions());
  const name = outputs.FunctionRef ?? '';
  // A template's inline code has no room for a bundled SDK.
  const ZipFile = zipOf('index.js', bundle.outputFiles[0]?.text ?? '');
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile }));
  return {
    arn: outputs.FunctionArn ?? '',
    name,
    misbehave: async (Variables) => {
      await lambda.send(
        new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables } }),
      );
    },
    events: async (secretArn) => {
      const lines = await logLines(cloud, `/aws/lambda/${name}`, 'rotation-event');
      return lines
        .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, string>)
        .filter((event) => event.SecretId === secretArn);
    },
  };
}
