import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteStackCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { RequestContext } from '../../core/iam/request.ts';
import type { LocalCloud } from '../../local/emulator/cloud.ts';

/** A request that somebody tries on the local cloud. */
export interface Call {
  readonly action: string;
  /** ARN, or name where an ARN says nothing more: a bucket, a URL of a queue. */
  readonly on: string;
  /** Facts of the request that policies may ask for. */
  readonly context: RequestContext;
  /** Content of an event. */
  readonly detail: unknown;
}

type Options = ReturnType<LocalCloud['clientOptions']>;
type Send = (options: Options, call: Call) => Promise<unknown>;

const clients = new WeakMap<Options, Map<unknown, unknown>>();

/** Makes one client of a kind for the same options: a connection of its own for each call would be most of the time. */
function client<Client, More extends object>(
  Kind: new (options: Options & More) => Client,
  options: Options,
  more = {} as More,
): Client {
  const made = clients.get(options) ?? new Map();
  clients.set(options, made);
  const known = made.get(Kind) ?? new Kind({ ...options, ...more });
  made.set(Kind, known);
  return known as Client;
}

const text = (context: RequestContext, key: string): string => [context[key]].flat()[0] ?? '';
const lastOf = (arn: string): string => arn.split(/[:/]/).at(-1) ?? arn;
const secrets =
  (send: (to: SecretsManagerClient, call: Call) => Promise<unknown>): Send =>
  (options, call) =>
    send(client(SecretsManagerClient, options), call);
const Key = 'entries/1.ndjson';
const bucket =
  (send: (to: S3Client, Bucket: string, call: Call) => Promise<unknown>): Send =>
  (options, call) =>
    send(client(S3Client, options, { forcePathStyle: true }), lastOf(call.on), call);
const stack =
  (send: (to: CloudFormationClient, StackName: string, call: Call) => Promise<unknown>): Send =>
  (options, call) =>
    send(client(CloudFormationClient, options), call.on.split('/')[1] ?? '', call);

/**
 * The call of an API for each action that the matrix asks about. Whoever is allowed does no harm by it: it fails for another reason,
 * after IAM has let it pass, or changes what is there for it.
 */
const calls: Readonly<Record<string, Send>> = {
  'secretsmanager:GetSecretValue': secrets((to, { on }) =>
    to.send(new GetSecretValueCommand({ SecretId: on })),
  ),
  'secretsmanager:PutSecretValue': secrets((to, { on }) =>
    to.send(new PutSecretValueCommand({ SecretId: on, SecretString: '{}' })),
  ),
  // The secret has no function, so none begins.
  'secretsmanager:RotateSecret': secrets((to, { on, context }) => {
    const RotationLambdaARN = text(context, 'secretsmanager:RotationLambdaARN');
    return to.send(
      new RotateSecretCommand({ SecretId: on, ...(RotationLambdaARN !== '' && { RotationLambdaARN }) }),
    );
  }),
  'secretsmanager:UpdateSecretVersionStage': secrets((to, { on, context }) =>
    to.send(
      new UpdateSecretVersionStageCommand({
        SecretId: on,
        VersionStage: text(context, 'secretsmanager:VersionStage'),
        RemoveFromVersionId: '00000000-0000-0000-0000-000000000000',
      }),
    ),
  ),
  'secretsmanager:TagResource': secrets((to, { on, context }) =>
    to.send(
      new TagResourceCommand({
        SecretId: on,
        Tags: [{ Key: text(context, 'aws:TagKeys'), Value: '2000-01-01T00:00:00.000Z' }],
      }),
    ),
  ),
  'secretsmanager:PutResourcePolicy': secrets((to, { on }) =>
    to.send(new PutResourcePolicyCommand({ SecretId: on, ResourcePolicy: '{}' })),
  ),
  'secretsmanager:DeleteSecret': secrets((to, { on }) => to.send(new DeleteSecretCommand({ SecretId: on }))),
  'events:PutEvents': (options, { on, context, detail }) =>
    client(EventBridgeClient, options).send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: lastOf(on),
            Source: text(context, 'events:source'),
            DetailType: text(context, 'events:detail-type'),
            Detail: JSON.stringify(detail),
          },
        ],
      }),
    ),
  'lambda:InvokeFunction': (options, { on }) =>
    client(LambdaClient, options).send(new InvokeCommand({ FunctionName: on, InvocationType: 'DryRun' })),
  'lambda:UpdateFunctionCode': (options, { on }) =>
    client(LambdaClient, options).send(
      new UpdateFunctionCodeCommand({ FunctionName: on, ZipFile: new Uint8Array([0]), DryRun: true }),
    ),
  'states:StartExecution': (options, { on }) =>
    client(SFNClient, options).send(new StartExecutionCommand({ stateMachineArn: on, input: '{' })),
  'ssm:PutParameter': (options, { on }) =>
    client(SSMClient, options).send(
      new PutParameterCommand({ Name: on.replace(/^.*:parameter/, ''), Value: '{}', Type: 'String' }),
    ),
  'ssm:GetParametersByPath': (options, { on }) =>
    client(SSMClient, options).send(
      new GetParametersByPathCommand({ Path: on.replace(/^.*:parameter/, '') }),
    ),
  's3:GetObject': bucket((to, Bucket) => to.send(new GetObjectCommand({ Bucket, Key }))),
  's3:PutObject': bucket((to, Bucket, { context }) =>
    to.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: '{}',
        ...(context['s3:if-none-match'] !== undefined && { IfNoneMatch: '*' }),
      }),
    ),
  ),
  's3:DeleteObjectVersion': bucket((to, Bucket) =>
    to.send(new DeleteObjectCommand({ Bucket, Key, VersionId: 'one' })),
  ),
  's3:PutObjectRetention': bucket((to, Bucket) =>
    to.send(
      new PutObjectRetentionCommand({
        Bucket,
        Key,
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date('2100-01-01') },
      }),
    ),
  ),
  's3:PutObjectLegalHold': bucket((to, Bucket, { context }) =>
    to.send(
      new PutObjectLegalHoldCommand({
        Bucket,
        Key,
        LegalHold: { Status: text(context, 's3:object-lock-legal-hold') === 'ON' ? 'ON' : 'OFF' },
      }),
    ),
  ),
  'sqs:SendMessage': (options, { on }) =>
    client(SQSClient, options).send(
      new SendMessageCommand({
        QueueUrl: `${options.endpoint}/${on.split(':')[4]}/${lastOf(on)}`,
        MessageBody: '{}',
        MessageGroupId: 'one',
        MessageDeduplicationId: 'one',
      }),
    ),
  'cloudformation:GetTemplate': stack((to, StackName) => to.send(new GetTemplateCommand({ StackName }))),
  'cloudformation:CreateChangeSet': stack((to, StackName, { context }) => {
    const RoleARN = text(context, 'cloudformation:RoleArn');
    // No template at all, so that no change set is left.
    const set = { StackName, ChangeSetName: 'matrix', TemplateBody: '{' };
    return to.send(new CreateChangeSetCommand({ ...set, ...(RoleARN !== '' && { RoleARN }) }));
  }),
  'cloudformation:ExecuteChangeSet': stack((to, StackName) =>
    to.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: 'matrix' })),
  ),
  'cloudformation:DeleteStack': stack((to, StackName) => to.send(new DeleteStackCommand({ StackName }))),
  'iam:PutRolePolicy': (options, { on }) =>
    client(IAMClient, options).send(
      new PutRolePolicyCommand({ RoleName: lastOf(on), PolicyName: 'more', PolicyDocument: '{}' }),
    ),
  'sts:AssumeRole': (options, { on }) =>
    client(STSClient, options).send(new AssumeRoleCommand({ RoleArn: on, RoleSessionName: 'matrix' })),
};

/**
 * Tries a call as somebody.
 * @returns true if IAM let it pass, whatever came of it then
 * @throws Error for an action that no call is known for
 */
export async function passes(options: Options, call: Call): Promise<boolean> {
  const send = calls[call.action];
  if (send === undefined) throw new Error(`no call for ${call.action}`);
  try {
    await send(options, call);
    return true;
  } catch (error) {
    const { name, message } = error as Error;
    return !/AccessDenied|NotAuthorized|UnauthorizedOperation/.test(name) && !/not authorized/.test(message);
  }
}
