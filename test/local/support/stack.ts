import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';
import { eventually } from './eventually.ts';

type Resources = Readonly<Record<string, unknown>>;

/** A stack of the contract tests: plain CloudFormation, as little of it as a test needs. */
export interface TestStack {
  /** The stack's outputs by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Replaces the resources. */
  update(resources: Resources): Promise<void>;
  /** Deletes the stack; an error names why it could not be. */
  destroy(): Promise<void>;
}

function outputsOf(resources: Resources): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  for (const name of Object.keys(resources)) {
    outputs[`${name}Ref`] = { Value: { Ref: name } };
    if (withoutArn.has((resources[name] as { Type: string }).Type)) continue;
    outputs[`${name}Arn`] = { Value: { 'Fn::GetAtt': [name, 'Arn'] } };
  }
  return outputs;
}

/** Deploys resources; outputs are `<name>Ref` of each, and `<name>Arn` of those that have the attribute. */
export async function deployStack(cloud: LocalCloud, name: string, resources: Resources): Promise<TestStack> {
  const client = new CloudFormationClient(cloud.clientOptions());
  const body = (of: Resources) => JSON.stringify({ Resources: of, Outputs: outputsOf(of) });
  const settled = async (wanted: string, StackName = name) =>
    await eventually(`stack ${name} to reach ${wanted}`, async () => {
      const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
      const status = Stacks?.[0]?.StackStatus ?? '';
      if (status === wanted) return Stacks?.[0];
      if (/FAILED|ROLLBACK/.test(status)) {
        const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName }));
        throw new Error(
          `${name}: ${JSON.stringify(StackEvents?.map((event) => event.ResourceStatusReason))}`,
        );
      }
      return undefined;
    });
  await client.send(
    new CreateStackCommand({
      StackName: name,
      TemplateBody: body(resources),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  const stack = await settled('CREATE_COMPLETE');
  const outputs = Object.fromEntries(
    (stack.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? '']),
  );
  return {
    outputs,
    update: async (next) => {
      await client.send(
        new UpdateStackCommand({
          StackName: name,
          TemplateBody: body(next),
          Capabilities: ['CAPABILITY_NAMED_IAM'],
        }),
      );
      await settled('UPDATE_COMPLETE');
    },
    destroy: async () => {
      await client.send(new DeleteStackCommand({ StackName: stack.StackId }));
      await settled('DELETE_COMPLETE', stack.StackId);
    },
  };
}

const withoutArn = new Set([
  'AWS::IAM::Policy',
  'AWS::Lambda::Permission',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::SQS::QueuePolicy',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SNS::Subscription',
  'AWS::Events::EventBusPolicy',
  'AWS::Logs::QueryDefinition',
  'AWS::S3::BucketPolicy',
  'AWS::SSM::Parameter',
  'AWS::SecretsManager::ResourcePolicy',
  'AWS::SecretsManager::RotationSchedule',
  'AWS::SecretsManager::Secret',
]);

type Statement = Readonly<Record<string, unknown>>;

/** A role that `service` may assume, with what `statements` allow. */
export function role(service: string, statements: readonly Statement[] = []): object {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
      },
      Policies:
        statements.length === 0
          ? []
          : [{ PolicyName: 'allowed', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

/** An Allow statement. */
export function allow(actions: string | readonly string[], resource: unknown = '*'): Statement {
  return { Effect: 'Allow', Action: actions, Resource: resource };
}

/** A function whose code is the text of a CommonJS module, under the role named `roleName` in the same stack. */
export function nodeFunction(code: string, roleName: string, properties: object = {}): object {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: { 'Fn::GetAtt': [roleName, 'Arn'] },
      Code: { ZipFile: code },
      Timeout: 10,
      ...properties,
    },
  };
}
