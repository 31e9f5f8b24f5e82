import { rm } from 'node:fs/promises';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  DescribeArchiveCommand,
  DescribeEventBusCommand,
  EventBridgeClient,
} from '@aws-sdk/client-eventbridge';
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusalText } from './support/refusal.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { deployStack } from './support/stack.ts';

describe('CloudFormation', () => {
  let directory: string;
  let cloud: LocalCloud;
  let secrets: SecretsManagerClient;
  let rotation: RotationFunction;

  beforeAll(async () => {
    directory = await newFolder('cloudformation');
    cloud = await startCloud({ directory });
    secrets = new SecretsManagerClient(cloud.clientOptions());
    rotation = await deployRotationFunction(cloud);
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const describeSecret = async (SecretId: string) =>
    await secrets.send(new DescribeSecretCommand({ SecretId }));
  const generated = (options: object = {}) => ({
    SecretStringTemplate: '{"username":"app","engine":"postgres"}',
    GenerateStringKey: 'password',
    ...options,
  });
  const secret = (Name: string, properties: object = { GenerateSecretString: generated() }) => ({
    Type: 'AWS::SecretsManager::Secret',
    Properties: { Name, ...properties },
  });

  describe('AWS::SecretsManager::Secret', () => {
    test('has its ARN as Ref, also where another resource takes it, and keeps it on update', async () => {
      const resources = (Description: string) => ({
        Secret: secret('stack/secret', { Description, SecretString: 'value' }),
        Parameter: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { Ref: 'Secret' } } },
      });
      const stack = await deployStack(cloud, 'secret', resources('first'));
      const arn = stack.outputs.SecretRef ?? '';
      expect(arn).toMatch(
        /^arn:aws:secretsmanager:us-east-1:000000000000:secret:stack\/secret-[A-Za-z0-9]{6}$/,
      );
      const parameter = new GetParameterCommand({ Name: stack.outputs.ParameterRef });
      expect((await new SSMClient(cloud.clientOptions()).send(parameter)).Parameter?.Value).toBe(arn);
      await stack.update(resources('second'));
      expect(await describeSecret('stack/secret')).toMatchObject({ ARN: arn, Description: 'second' });
      expect((await secrets.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString).toBe('value');
      await stack.destroy();
      expect(await refusalText(describeSecret(arn))).toContain('ResourceNotFoundException');
    });

    test('generates a password within the options of the template', async () => {
      const options = {
        PasswordLength: 40,
        ExcludePunctuation: true,
        ExcludeUppercase: true,
        ExcludeNumbers: true,
      };
      await deployStack(cloud, 'generated', {
        Secret: secret('stack/generated', { GenerateSecretString: generated(options) }),
      });
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'stack/generated' }));
      const value = JSON.parse(SecretString ?? '{}');
      expect(value).toMatchObject({ username: 'app', engine: 'postgres' });
      expect(value.password).toMatch(/^[a-z]{40}$/);
    });

    test('fails on a name that is taken', async () => {
      const stack = deployStack(cloud, 'taken', { Secret: secret('stack/generated') });
      expect(await refusalText(stack)).toContain('already exists');
    });
  });

  describe('AWS::SecretsManager::RotationSchedule', () => {
    const schedule = (properties: object = {}) => ({
      Type: 'AWS::SecretsManager::RotationSchedule',
      Properties: {
        SecretId: { Ref: 'Secret' },
        RotationLambdaARN: rotation.arn,
        RotationRules: { ScheduleExpression: 'rate(30 days)' },
        ...properties,
      },
    });

    test('rotates at once on create and on update, and cancels on delete', async () => {
      const resources = (properties: object = {}) => ({
        Secret: { ...secret('stack/rotated'), DeletionPolicy: 'Retain' },
        Schedule: schedule(properties),
      });
      const stack = await deployStack(cloud, 'rotated', resources());
      const arn = stack.outputs.SecretRef ?? '';
      expect(stack.outputs.ScheduleRef).toBe(arn);
      const lastRotated = async (after: number) =>
        await eventually('the rotation', async () => {
          const last = (await describeSecret(arn)).LastRotatedDate?.getTime() ?? 0;
          return last > after ? last : undefined;
        });
      const first = await lastRotated(0);
      await stack.update(resources({ RotationRules: { ScheduleExpression: 'rate(10 days)' } }));
      await lastRotated(first);
      expect((await describeSecret(arn)).RotationRules).toMatchObject({ AutomaticallyAfterDays: 10 });
      await stack.destroy();
      expect((await describeSecret(arn)).RotationEnabled).toBe(false);
    });

    test('with RotateImmediatelyOnUpdate false waits for the schedule', async () => {
      const stack = await deployStack(cloud, 'waiting', {
        Secret: secret('stack/waiting'),
        Schedule: schedule({ RotateImmediatelyOnUpdate: false }),
      });
      const arn = stack.outputs.SecretRef ?? '';
      await eventually('the test of the function', async () => (await rotation.events(arn)).length > 0);
      const description = await describeSecret(arn);
      expect(description.RotationEnabled).toBe(true);
      expect(description.LastRotatedDate).toBeUndefined();
      expect((await rotation.events(arn)).map((event) => event.Step)).toEqual(['testSecret']);
    });

    test('fails without a rotation function', async () => {
      const stack = deployStack(cloud, 'functionless', {
        Secret: secret('stack/functionless'),
        Schedule: schedule({ RotationLambdaARN: undefined }),
      });
      expect(await refusalText(stack)).toContain(
        'No Lambda rotation function ARN is associated with this secret.',
      );
    });
  });

  test('AWS::SecretsManager::ResourcePolicy puts and removes the policy', async () => {
    const ResourcePolicy = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 'secretsmanager:DeleteSecret', Resource: '*' }],
    };
    const Policy = {
      Type: 'AWS::SecretsManager::ResourcePolicy',
      Properties: { SecretId: { Ref: 'Secret' }, ResourcePolicy },
    };
    const stack = await deployStack(cloud, 'guarded', { Secret: secret('stack/guarded'), Policy });
    const policy = async () =>
      (await secrets.send(new GetResourcePolicyCommand({ SecretId: 'stack/guarded' }))).ResourcePolicy;
    expect(JSON.parse((await policy()) ?? '{}')).toEqual(ResourcePolicy);
    await stack.update({ Secret: secret('stack/guarded') });
    await eventually('the policy to go', async () => (await policy()) === undefined);
  });

  test('AWS::S3::Bucket has Object Lock with its default retention, and is not deleted with objects in it', async () => {
    const s3 = new S3Client(cloud.clientOptions());
    const DefaultRetention = { Mode: 'COMPLIANCE', Days: 3 };
    const stack = await deployStack(cloud, 'locked', {
      Bucket: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          ObjectLockEnabled: true,
          ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } },
        },
      },
    });
    const Bucket = stack.outputs.BucketRef ?? '';
    const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
    expect(ObjectLockConfiguration).toMatchObject({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention },
    });
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'record', Body: 'x' }));
    const remove = s3.send(new DeleteObjectCommand({ Bucket, Key: 'record', VersionId }));
    expect(await refusalText(remove)).toContain('AccessDenied');
    expect(await refusalText(stack.destroy())).toContain('not empty');
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
  });

  test('AWS::Events::Archive and ::EventBusPolicy belong to their bus', async () => {
    const events = new EventBridgeClient(cloud.clientOptions());
    const Statement = {
      Effect: 'Deny',
      Principal: '*',
      Action: 'events:PutEvents',
      Resource: { 'Fn::GetAtt': ['Bus', 'Arn'] },
      Condition: { StringNotEquals: { 'events:source': 'rekey.cli' } },
    };
    const resources = (RetentionDays: number) => ({
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'stack-bus' } },
      Archive: {
        Type: 'AWS::Events::Archive',
        Properties: { SourceArn: { 'Fn::GetAtt': ['Bus', 'Arn'] }, RetentionDays },
      },
      Policy: {
        Type: 'AWS::Events::EventBusPolicy',
        Properties: { EventBusName: { Ref: 'Bus' }, StatementId: 'OnlyOurs', Statement },
      },
    });
    const stack = await deployStack(cloud, 'bus', resources(7));
    const archive = () => events.send(new DescribeArchiveCommand({ ArchiveName: stack.outputs.ArchiveRef }));
    expect(await archive()).toMatchObject({ EventSourceArn: stack.outputs.BusArn, RetentionDays: 7 });
    const { Policy } = await events.send(new DescribeEventBusCommand({ Name: 'stack-bus' }));
    expect(JSON.parse(Policy ?? '{}').Statement).toMatchObject([{ Sid: 'OnlyOurs', Effect: 'Deny' }]);
    await stack.update(resources(9));
    expect((await archive()).RetentionDays).toBe(9);
  });

  test('AWS::CloudWatch::CompositeAlarm and alarms on metric math exist', async () => {
    const alarm = (properties: object) => ({
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        ComparisonOperator: 'GreaterThanThreshold',
        EvaluationPeriods: 1,
        Threshold: 1,
        ...properties,
      },
    });
    const stat = { Metric: { Namespace: 'rekey', MetricName: 'Failed' }, Period: 60, Stat: 'Sum' };
    const Metrics = [
      { Id: 'failed', MetricStat: stat, ReturnData: false },
      { Id: 'twice', Expression: 'failed * 2' },
    ];
    await deployStack(cloud, 'alarms', {
      Plain: alarm({
        AlarmName: 'plain',
        Namespace: 'rekey',
        MetricName: 'Failed',
        Period: 60,
        Statistic: 'Sum',
      }),
      Math: alarm({ AlarmName: 'math', Metrics }),
      Both: {
        Type: 'AWS::CloudWatch::CompositeAlarm',
        DependsOn: ['Plain', 'Math'],
        Properties: { AlarmName: 'both', AlarmRule: 'ALARM("plain") OR ALARM("math")' },
      },
      Query: {
        Type: 'AWS::Logs::QueryDefinition',
        Properties: { Name: 'errors', QueryString: 'fields @message' },
      },
    });
    const cloudwatch = new CloudWatchClient(cloud.clientOptions());
    const described = await cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmTypes: ['CompositeAlarm', 'MetricAlarm'] }),
    );
    expect(described.CompositeAlarms).toMatchObject([
      { AlarmName: 'both', AlarmRule: 'ALARM("plain") OR ALARM("math")', ActionsEnabled: true },
    ]);
    expect(described.MetricAlarms?.map((one) => one.AlarmName).sort()).toEqual(['math', 'plain']);
    expect(
      described.MetricAlarms?.find((one) => one.AlarmName === 'math')?.MetricName || undefined,
    ).toBeUndefined();
  });
});
