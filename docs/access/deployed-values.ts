import { account, type Resource, region, type Stack } from './deployment.ts';

/** The property that names a resource of a type, and its ARN. */
const types: Readonly<Record<string, { readonly name?: string; readonly arn: (name: string) => string }>> = {
  'AWS::IAM::ManagedPolicy': {
    name: 'ManagedPolicyName',
    arn: (name) => `arn:aws:iam::${account}:policy/${name}`,
  },
  'AWS::IAM::Role': { name: 'RoleName', arn: (name) => `arn:aws:iam::${account}:role/${name}` },
  'AWS::Events::EventBus': { name: 'Name', arn: (name) => regional('events', `event-bus/${name}`) },
  'AWS::KMS::Key': { arn: (name) => regional('kms', `key/${name}`) },
  'AWS::Lambda::Function': { name: 'FunctionName', arn: (name) => regional('lambda', `function:${name}`) },
  'AWS::Logs::LogGroup': { name: 'LogGroupName', arn: (name) => regional('logs', `log-group:${name}:*`) },
  'AWS::S3::Bucket': { name: 'BucketName', arn: (name) => `arn:aws:s3:::${name}` },
  'AWS::SNS::Topic': { name: 'TopicName', arn: (name) => regional('sns', name) },
  'AWS::SQS::Queue': { name: 'QueueName', arn: (name) => regional('sqs', name) },
  'AWS::SSM::Parameter': { name: 'Name', arn: (name) => regional('ssm', `parameter${name}`) },
  'AWS::SecretsManager::Secret': {
    name: 'Name',
    arn: (name) => regional('secretsmanager', `secret:${name}-AbCdEf`),
  },
  'AWS::StepFunctions::StateMachine': {
    name: 'StateMachineName',
    arn: (name) => regional('states', `stateMachine:${name}`),
  },
};

/** Types of which `Ref` gives the ARN. */
const refIsArn = new Set([
  'AWS::SNS::Topic',
  'AWS::SecretsManager::Secret',
  'AWS::StepFunctions::StateMachine',
  'AWS::IAM::ManagedPolicy',
]);

const regional = (service: string, rest: string): string => `arn:aws:${service}:${region}:${account}:${rest}`;

const pseudo: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Gives the values that CloudFormation would put in the places of functions, in all stacks of a deployment. */
export class DeployedValues {
  readonly #stacks: readonly Stack[];

  constructor(stacks: readonly Stack[]) {
    this.#stacks = stacks;
  }

  /** Gives a value with every function in it worked out. */
  of(value: unknown, stack: Stack): unknown {
    if (Array.isArray(value)) return value.map((one) => this.of(one, stack));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, argument] = ['', undefined], ...others] = entries;
    if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) {
      return this.#call(name, argument, stack);
    }
    return Object.fromEntries(entries.map(([key, one]) => [key, this.of(one, stack)]));
  }

  /** Gives the ARN of a resource. */
  arnOf(id: string, stack: Stack): string {
    const { Type, Properties = {} }: Partial<Resource> = stack.resources[id] ?? {};
    const type = types[Type ?? ''];
    if (type === undefined) return `${stack.name}.${id}.Arn`;
    const given = type.name === undefined ? undefined : Properties[type.name];
    return type.arn(given === undefined ? `${stack.name}-${id}` : String(this.of(given, stack)));
  }

  #call(name: string, argument: unknown, stack: Stack): unknown {
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument), stack);
      case 'Fn::GetAtt': {
        const [id = '', attribute = ''] = argument as string[];
        return attribute === 'Arn' ? this.arnOf(id, stack) : `${stack.name}.${id}.${attribute}`;
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown];
        return [this.of(parts, stack)].flat().map(String).join(separator);
      }
      case 'Fn::Split': {
        const [separator, text] = argument as [string, unknown];
        return String(this.of(text, stack)).split(separator);
      }
      case 'Fn::Select': {
        const [index, list] = argument as [unknown, unknown];
        return (this.of(list, stack) as unknown[])[Number(index)];
      }
      case 'Fn::ImportValue':
        return this.#exported(String(this.of(argument, stack)));
      case 'Fn::GetStackOutput': {
        const { StackName, OutputName } = argument as { StackName: unknown; OutputName: string };
        const named = this.#stacks.find((one) => one.name === String(this.of(StackName, stack)));
        if (named === undefined) throw new Error(`${stack.name}: no stack ${JSON.stringify(StackName)}`);
        return this.of(named.outputs[OutputName]?.Value, named);
      }
      default:
        throw new Error(`${stack.name}: the function ${name} is not worked out here`);
    }
  }

  #ref(id: string, stack: Stack): string {
    const known = pseudo[id];
    if (known !== undefined) return known;
    const arn = this.arnOf(id, stack);
    return refIsArn.has(stack.resources[id]?.Type ?? '') ? arn : (arn.split(/[:/]/).at(-1) ?? arn);
  }

  #exported(name: string): unknown {
    for (const stack of this.#stacks) {
      const output = Object.values(stack.outputs).find(({ Export }) => Export?.Name === name);
      if (output !== undefined) return this.of(output.Value, stack);
    }
    throw new Error(`no stack exports ${name}`);
  }
}
