import { isAbsolute, join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  type FunctionProps,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { z } from 'zod';
import type { FunctionEnvironment } from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { bundledCode, packageRoot } from './bundle.ts';

/** The network that a function is attached to, to reach a target in private subnets. */
export interface NetworkAttachment {
  readonly vpc: IVpc | Vpc;
  /** Subnets of the function. @default - the VPC's private subnets with a way out */
  readonly vpcSubnets?: SubnetSelection;
  /** Security groups of the function. @default - one of its own, which lets everything out; see `connections` */
  readonly securityGroups?: readonly ISecurityGroup[];
}

/** Props of {@link StandardFunction}. */
export interface StandardFunctionProps<Schema extends z.ZodObject> {
  /** Name of one of Rekey's functions, such as `audit-writer`, or the absolute path of a module that exports `handler`. */
  readonly entry: string;
  /** Name in logs, metrics and traces (`POWERTOOLS_SERVICE_NAME`), for example `rotation`. */
  readonly service: string;
  /** One sentence, shown in the console. */
  readonly description: string;
  /** Schema of the function's environment variables; see `core/deployed/variables.ts`. */
  readonly environmentSchema: Schema;
  /** Values for {@link environmentSchema}; values that are known at synth are checked there. */
  readonly environment: FunctionEnvironment<Schema>;
  /**
   * Variables that the function reads by another way than the schema. They are not checked. The password rules of a rotation
   * function are such: their names and values are those of AWS's own functions.
   * @default - none
   */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
  /** Time after which Lambda ends a call. @default Duration.seconds(30) */
  readonly timeout?: Duration;
  /**
   * Memory of the function, in MiB. CPU grows with it.
   * @default 512
   */
  readonly memorySize?: number;
  /**
   * Time for which logs are kept. The audit log is not among them; it has its own retention.
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
  /**
   * Customer managed key for the log group; its policy is extended to let CloudWatch Logs use it.
   * @default - the log group is encrypted with a key that CloudWatch Logs owns
   */
  readonly logEncryptionKey?: IKey;
  /**
   * Files copied beside the bundle under their own names: absolute, or relative to this package's folder.
   * @default - none
   */
  readonly files?: readonly string[];
  /** Network that the function is attached to. @default - not attached to a VPC */
  readonly network?: NetworkAttachment;
  /** Name of the role, where another account trusts it by that. @default - one that CloudFormation makes */
  readonly roleName?: string;
  /** Executions that Lambda keeps free for the function. @default - shares the account's unreserved concurrency */
  readonly reservedConcurrency?: number;
}

/**
 * The Lambda function that every service of Rekey runs on. It runs on Node.js 24 on Arm, as a minified ES module that brings
 * its own AWS SDK. Its environment is typed by the schema that the function reads it with. It has its own log group, tracing,
 * and a role that holds only what logging, tracing and its network need. Grants come from the constructs that use it.
 *
 * @example
 * new StandardFunction(this, 'Reports', {
 *   entry: join(import.meta.dirname, 'reports.ts'),
 *   service: 'reports',
 *   description: 'Writes a report into a bucket',
 *   environmentSchema: z.object({ REPORTS_BUCKET: z.string().min(1) }),
 *   environment: { REPORTS_BUCKET: bucket.bucketName },
 * });
 */
export class StandardFunction<Schema extends z.ZodObject = z.ZodObject> extends LambdaFunction {
  /** The function's role; always one of its own. */
  override readonly role: Role;
  private readonly environmentSchema: Schema;

  constructor(scope: Construct, id: string, props: StandardFunctionProps<Schema>) {
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: props.logRetention ?? RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(props.logEncryptionKey !== undefined && { encryptionKey: props.logEncryptionKey }),
    });
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.description,
      ...(props.roleName !== undefined && { roleName: props.roleName }),
    });
    super(scope, id, {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: bundledCode({
        entry: props.entry,
        files: (props.files ?? []).map(fromPackage),
      }),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      timeout: props.timeout ?? Duration.seconds(30),
      memorySize: props.memorySize ?? 512,
      environment: {
        ...checkEnvironment(`${scope.node.path}/${id}`, props.environmentSchema, props.environment),
        ...props.extraEnvironment,
        POWERTOOLS_SERVICE_NAME: props.service,
        // Where many secrets are revoked at once, APIs turn calls away for a while: three seconds more before the step is
        // given back. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
        AWS_MAX_ATTEMPTS: '6',
        // A response may hold what a function read; traces must not.
        POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
      },
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
      ...(props.network !== undefined && networkOf(props.network)),
    });
    this.role = role;
    this.environmentSchema = props.environmentSchema;
    logGroup.grantWrite(role);
    if (props.logEncryptionKey !== undefined) {
      permitLogEncryption(this, props.logEncryptionKey);
    }
    if (props.network !== undefined) {
      permitNetwork(this, role);
    }
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        props.network === undefined
          ? 'X-Ray trace actions do not support resource-level permissions.'
          : 'X-Ray trace actions and the EC2 actions with which Lambda manages network interfaces do not support ' +
            'resource-level permissions; the EC2 actions are denied to the function itself.',
    });
  }

  /**
   * Sets a variable of the schema that is known only when the function is there. Its value is checked like those in the props.
   * @throws RekeyError `ConstructInvalid` when the function would refuse the value
   */
  setVariable(name: keyof Schema['shape'] & string, value: string): void {
    checkVariable(this.node.path, this.environmentSchema, name, value);
    this.addEnvironment(name, value);
  }
}

/**
 * Hands the network on as the CDK takes it. Its list of security groups may be changed, and its declarations do not keep to
 * exactOptionalPropertyTypes.
 */
function networkOf({
  vpc,
  securityGroups,
  ...rest
}: NetworkAttachment): Pick<FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'> {
  return {
    vpc: vpc as IVpc,
    ...rest,
    ...(securityGroups !== undefined && { securityGroups: [...securityGroups] }),
  };
}

const fromPackage = (path: string): string => (isAbsolute(path) ? path : join(packageRoot, path));

/** Checks the values of a function's variables; those that are left out are missing in the result. */
function checkEnvironment<Schema extends z.ZodObject>(
  path: string,
  schema: Schema,
  environment: FunctionEnvironment<Schema>,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries<string | undefined>(environment)) {
    checkVariable(path, schema, name, value);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** Checks a value that is known at synth, so that a typo fails there and not at the first invocation. */
function checkVariable(path: string, schema: z.ZodObject, name: string, value: string | undefined): void {
  const field = schema.shape[name] as z.ZodType | undefined;
  if (field === undefined) {
    throw new RekeyError(
      'ConstructInvalid',
      `${path}: the function does not read the environment variable ${name}; remove it`,
    );
  }
  if (value === undefined || Token.isUnresolved(value)) return;
  const { error } = field.safeParse(value);
  if (error !== undefined) {
    const limits = error.issues.map(({ message }) => message).join('; ');
    throw new RekeyError(
      'ConstructInvalid',
      `${path}: the function would refuse ${name}=${JSON.stringify(value)}: ${limits}`,
    );
  }
}

/**
 * Lets CloudWatch Logs encrypt log groups of the account with a key.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
function permitLogEncryption(scope: Construct, key: IKey): void {
  const { partition, region, account } = Stack.of(scope);
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CloudWatchLogs',
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:*` },
      },
    }),
  );
}

/**
 * Lets Lambda manage the function's network interfaces, and denies that to the function's own code. Lambda does it under the
 * function's role, so the same actions are denied to calls that come from a function.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security
 */
function permitNetwork(scope: Construct, role: Role): void {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ];
  const { partition, region, account } = Stack.of(scope);
  role.addToPolicy(new PolicyStatement({ sid: 'NetworkInterfaces', actions, resources: ['*'] }));
  role.addToPolicy(
    new PolicyStatement({
      sid: 'NoNetworkInterfacesFromCode',
      effect: Effect.DENY,
      actions,
      resources: ['*'],
      conditions: {
        ArnLike: { 'lambda:SourceFunctionArn': `arn:${partition}:lambda:${region}:${account}:function:*` },
      },
    }),
  );
}
