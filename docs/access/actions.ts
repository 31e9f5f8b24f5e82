import {
  brakesPath,
  busName,
  deploymentPath,
  environmentTag,
  pauseTag,
  serviceTag,
} from '../../core/deployed/names.ts';
import type { RequestContext } from '../../core/iam/request.ts';
import { account, type Environment, region } from './deployment.ts';

/** A resource of a stack, by its type and logical id. */
export interface Sought {
  readonly stack: string;
  readonly type: string;
  readonly id: RegExp;
}

/** A request to AWS that somebody may try in an environment. */
export interface Attempt {
  readonly group: string;
  /** Words of the table for it. */
  readonly what: string;
  readonly action: string;
  /** Names what it is tried on: an ARN, or a resource of a stack. */
  readonly on: (environment: Environment) => string | Sought;
  readonly context?: (environment: Environment) => RequestContext;
  /** Policy of the resource that decides as well. `trust` is that of a role that lets everybody of the account in. */
  readonly guardedBy?: 'secret' | 'bucket' | 'queue' | 'trust';
}

const arn = (service: string, rest: string): string => `arn:aws:${service}:${region}:${account}:${rest}`;
const secret = (environment: Environment) => arn('secretsmanager', `secret:/${environment}/orders/db-AbCdEf`);
const adopted = (environment: Environment) =>
  arn('secretsmanager', `secret:${environment}/billing-database-AbCdEf`);
const bus = (environment: Environment) => arn('events', `event-bus/${busName(environment)}`);
const ofEnvironment = (environment: Environment): RequestContext => ({
  [`aws:ResourceTag/${environmentTag}`]: environment,
  'secretsmanager:ModifyRotationRules': 'false',
});
const functionOf =
  (service: string) =>
  (environment: Environment): RequestContext => ({
    [`aws:ResourceTag/${environmentTag}`]: environment,
    [`aws:ResourceTag/${serviceTag}`]: service,
  });
const event = (source: string, detailType: string) => () => ({
  'events:source': source,
  'events:detail-type': detailType,
});
const inStack = (stack: string, type: string, id: RegExp) => (environment: Environment) => ({
  stack: `rekey-${environment}-${stack}`,
  type,
  id,
});
const records = inStack('audit', 'AWS::S3::Bucket', /^AuditLogBucket/);
const rotationFunction = inStack('rotation', 'AWS::Lambda::Function', /^Rotationpostgresql/);
const containmentFunction = inStack('rotation', 'AWS::Lambda::Function', /^Containmentpostgresql/);

const ofStack = (environment: Environment): RequestContext => ({
  [`aws:ResourceTag/${environmentTag}`]: environment,
});
const stacks = {
  group: 'Deployment',
  on: (environment: Environment) =>
    arn('cloudformation', `stack/rekey-${environment}-rotation/11111111-2222-3333-4444-555555555555`),
  context: ofStack,
} as const;

const secrets = { group: 'Secrets', on: secret, context: ofEnvironment, guardedBy: 'secret' } as const;

/** Everything that the matrix asks. */
export const attempts: readonly Attempt[] = [
  { ...secrets, what: 'read a value', action: 'secretsmanager:GetSecretValue' },
  {
    ...secrets,
    what: 'read the value of an adopted one',
    action: 'secretsmanager:GetSecretValue',
    on: adopted,
  },
  { ...secrets, what: 'write a value', action: 'secretsmanager:PutSecretValue' },
  { ...secrets, what: 'start a rotation', action: 'secretsmanager:RotateSecret' },
  {
    ...secrets,
    what: 'have another function rotate it',
    action: 'secretsmanager:RotateSecret',
    context: (environment) => ({
      ...ofEnvironment(environment),
      'secretsmanager:RotationLambdaARN': arn('lambda', 'function:mine'),
    }),
  },
  {
    ...secrets,
    what: 'move AWSCURRENT',
    action: 'secretsmanager:UpdateSecretVersionStage',
    context: (environment) => ({
      ...ofEnvironment(environment),
      'secretsmanager:VersionStage': 'AWSCURRENT',
    }),
  },
  {
    ...secrets,
    what: 'give up a rotation (take AWSPENDING off)',
    action: 'secretsmanager:UpdateSecretVersionStage',
    context: (environment) => ({
      ...ofEnvironment(environment),
      'secretsmanager:VersionStage': 'AWSPENDING',
    }),
  },
  {
    ...secrets,
    what: 'pause its rotations',
    action: 'secretsmanager:TagResource',
    context: (environment) => ({ ...ofEnvironment(environment), 'aws:TagKeys': [pauseTag] }),
  },
  {
    ...secrets,
    what: 'take it into another environment (tag)',
    action: 'secretsmanager:TagResource',
    context: (environment) => ({ ...ofEnvironment(environment), 'aws:TagKeys': [environmentTag] }),
  },
  { ...secrets, what: 'change its policy', action: 'secretsmanager:PutResourcePolicy' },
  { ...secrets, what: 'delete it', action: 'secretsmanager:DeleteSecret' },
  {
    group: 'Revocation',
    what: 'ask for one as the CLI does',
    action: 'events:PutEvents',
    on: bus,
    context: event('rekey.cli', 'Secret Revocation Requested'),
  },
  {
    group: 'Revocation',
    what: 'say that one succeeded',
    action: 'events:PutEvents',
    on: bus,
    context: event('rekey.revocation', 'Secret Revocation Succeeded'),
  },
  {
    group: 'Revocation',
    what: 'cut off a credential',
    action: 'lambda:InvokeFunction',
    on: containmentFunction,
    context: functionOf('containment'),
  },
  {
    group: 'Revocation',
    what: 'start the workflow past the intake',
    action: 'states:StartExecution',
    on: inStack('revocation', 'AWS::StepFunctions::StateMachine', /^Workflow[0-9A-F]{8}$/),
  },
  {
    group: 'Revocation',
    what: 'start the workflow of several secrets past the intake',
    action: 'states:StartExecution',
    on: inStack('revocation', 'AWS::StepFunctions::StateMachine', /^WorkflowPlanWorkflow[0-9A-F]{8}$/),
  },
  {
    group: 'Rotation functions',
    what: 'invoke one',
    action: 'lambda:InvokeFunction',
    on: rotationFunction,
    context: functionOf('rotation'),
  },
  {
    group: 'Rotation functions',
    what: 'change the code of one',
    action: 'lambda:UpdateFunctionCode',
    on: rotationFunction,
    context: functionOf('rotation'),
  },
  {
    group: 'Rotation functions',
    what: 'release a brake',
    action: 'ssm:PutParameter',
    on: (environment) => arn('ssm', `parameter${brakesPath(environment)}/one`),
  },
  { group: 'Audit log', what: 'read records', action: 's3:GetObject', on: records, guardedBy: 'bucket' },
  {
    group: 'Audit log',
    what: 'write records where nothing is',
    action: 's3:PutObject',
    on: records,
    context: () => ({ 's3:if-none-match': '*' }),
    guardedBy: 'bucket',
  },
  {
    group: 'Audit log',
    what: 'write over a record',
    action: 's3:PutObject',
    on: records,
    guardedBy: 'bucket',
  },
  {
    group: 'Audit log',
    what: 'delete a record',
    action: 's3:DeleteObjectVersion',
    on: records,
    guardedBy: 'bucket',
  },
  {
    group: 'Audit log',
    what: 'end its lock early',
    action: 's3:PutObjectRetention',
    on: records,
    guardedBy: 'bucket',
  },
  {
    group: 'Audit log',
    what: 'keep a record beyond its lock (legal hold)',
    action: 's3:PutObjectLegalHold',
    on: records,
    context: () => ({ 's3:object-lock-legal-hold': 'ON' }),
    guardedBy: 'bucket',
  },
  {
    group: 'Audit log',
    what: 'take a legal hold off',
    action: 's3:PutObjectLegalHold',
    on: records,
    context: () => ({ 's3:object-lock-legal-hold': 'OFF' }),
    guardedBy: 'bucket',
  },
  {
    group: 'Audit log',
    what: 'say that a legal hold was placed',
    action: 'events:PutEvents',
    on: bus,
    context: event('rekey.cli', 'Legal Hold Placed'),
  },
  {
    group: 'Audit log',
    what: 'append past the bus',
    action: 'sqs:SendMessage',
    on: inStack('audit', 'AWS::SQS::Queue', /^AuditLogQueue/),
    guardedBy: 'queue',
  },
  {
    group: 'Deployment',
    what: 'read facts and definitions',
    action: 'ssm:GetParametersByPath',
    on: (environment) => arn('ssm', `parameter${deploymentPath(environment)}`),
  },
  { ...stacks, what: 'read a template', action: 'cloudformation:GetTemplate' },
  { ...stacks, what: 'open a change set', action: 'cloudformation:CreateChangeSet' },
  {
    ...stacks,
    what: 'open one with a role of its own',
    action: 'cloudformation:CreateChangeSet',
    context: (environment) => ({
      ...ofStack(environment),
      'cloudformation:RoleArn': `arn:aws:iam::${account}:role/one`,
    }),
  },
  { ...stacks, what: 'execute a change set', action: 'cloudformation:ExecuteChangeSet' },
  { ...stacks, what: 'delete a stack', action: 'cloudformation:DeleteStack' },
  {
    group: 'Permissions',
    what: 'assume another role',
    action: 'sts:AssumeRole',
    on: () => `arn:aws:iam::${account}:role/one`,
    guardedBy: 'trust',
  },
  {
    group: 'Permissions',
    what: 'give a role more',
    action: 'iam:PutRolePolicy',
    on: () => `arn:aws:iam::${account}:role/one`,
  },
];
