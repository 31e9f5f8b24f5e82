import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';
import { eventually } from '../../../local/tour/eventually.ts';

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
    const { Type } = resources[name] as { Type: string };
    if (withoutArn.has(Type) || Type.startsWith('Custom::')) continue;
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
        const reasons: string[] = [];
        for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName })) {
          reasons.push(
            ...StackEvents.flatMap(({ LogicalResourceId, ResourceStatusReason: reason }) =>
              reason ? [`${LogicalResourceId}: ${reason}`] : [],
            ),
          );
        }
        throw new Error(`${name}: ${JSON.stringify(reasons)}`);
      }
      return undefined;
    });
  await client.send(
    new CreateStackCommand({
      StackName: name,
      ...(await templateOf(cloud, name, body(resources))),
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

/**
 * How a template is handed over: as it is, or from a bucket where it is too long for that.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
async function templateOf(cloud: LocalCloud, name: string, body: string) {
  if (body.length <= 51_200) return { TemplateBody: body };
  const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
  const bucket = { Bucket: `${name}-template` };
  await s3.send(new CreateBucketCommand(bucket));
  await s3.send(new PutObjectCommand({ ...bucket, Key: 'template.json', Body: body }));
  return { TemplateURL: `${cloud.endpoint}/${bucket.Bucket}/template.json` };
}

const withoutArn = new Set([
  'AWS::IAM::AccessKey',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Url',
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

/** A function whose code is the text of a CommonJS module, under the role named `roleName` in the same stack. A call may take 30 s, as long as a queue hides a message by itself. */
export function nodeFunction(code: string, roleName: string, properties: object = {}): object {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: { 'Fn::GetAtt': [roleName, 'Arn'] },
      Code: { ZipFile: code },
      Timeout: 30,
      ...properties,
    },
  };
}

/** Describes a table whose items have a key `pk`. */
export const keyedTable = (more: object = {}): { readonly Type: string; readonly Properties: object } => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    ...more,
  },
});
