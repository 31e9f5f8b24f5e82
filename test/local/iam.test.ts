import { rm } from 'node:fs/promises';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type RotateSecretRequest,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusal } from './support/refusal.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { allow, deployStack } from './support/stack.ts';

const denied = 'AccessDeniedException';

describe('IAM condition keys', () => {
  let directory: string;
  let cloud: LocalCloud;
  let root: SecretsManagerClient;
  let tagged: string;
  let untagged: string;
  let users = 0;
  let rotation: RotationFunction;

  beforeAll(async () => {
    directory = await newFolder('iam');
    cloud = await startCloud({ directory });
    root = new SecretsManagerClient(cloud.clientOptions());
    const make = async (Name: string, environment: string) => {
      const Tags = [{ Key: 'environment', Value: environment }];
      return (await root.send(new CreateSecretCommand({ Name, SecretString: 'value', Tags }))).ARN ?? '';
    };
    rotation = await deployRotationFunction(cloud);
    tagged = await make('dev/secret', 'dev');
    untagged = await make('prod/secret', 'prod');
    await root.send(
      new PutSecretValueCommand({ SecretId: tagged, SecretString: 'next', VersionStages: ['AWSPENDING'] }),
    );
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  type Statement = Parameters<typeof createUser>[2][number];

  async function secretsAs(...statements: Exclude<Statement, string>[]): Promise<SecretsManagerClient> {
    users += 1;
    const user = await createUser(cloud, `user-${users}`, statements);
    return new SecretsManagerClient(cloud.clientOptions(user.credentials));
  }

  const read = (client: SecretsManagerClient, SecretId: string, VersionStage?: string) =>
    client.send(new GetSecretValueCommand({ SecretId, ...(VersionStage && { VersionStage }) }));

  test.each(['secretsmanager:ResourceTag/environment', 'aws:ResourceTag/environment'])(
    'an Allow with %s covers the secrets with the tag',
    async (key) => {
      const client = await secretsAs({
        ...allow('secretsmanager:GetSecretValue'),
        Condition: { StringEquals: { [key]: 'dev' } },
      });
      expect((await read(client, tagged)).SecretString).toBe('value');
      expect(await refusal(read(client, untagged))).toBe(denied);
    },
  );

  test('secretsmanager:SecretId is the ARN, however the secret was named', async () => {
    const client = await secretsAs({
      ...allow('secretsmanager:*'),
      Condition: { ArnEquals: { 'secretsmanager:SecretId': tagged } },
    });
    expect((await read(client, 'dev/secret')).ARN).toBe(tagged);
    expect(await refusal(client.send(new DescribeSecretCommand({ SecretId: untagged })))).toBe(denied);
  });

  test('a Deny with secretsmanager:VersionStage closes other stages', async () => {
    const client = await secretsAs(allow('secretsmanager:*'), {
      Effect: 'Deny',
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
      Condition: { 'ForAnyValue:StringNotEquals': { 'secretsmanager:VersionStage': ['AWSCURRENT'] } },
    });
    expect((await read(client, tagged)).SecretString).toBe('value');
    expect(await refusal(read(client, tagged, 'AWSPENDING'))).toBe(denied);
  });

  test("a secret's policy that denies by tag of the resource applies to an administrator", async () => {
    const ResourcePolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'secretsmanager:GetSecretValue',
          Resource: '*',
          Condition: { StringEquals: { 'aws:ResourceTag/environment': 'prod' } },
        },
      ],
    });
    const admin = await createUser(cloud, 'policy-admin', 'administrator');
    const client = new SecretsManagerClient(cloud.clientOptions(admin.credentials));
    expect((await read(client, untagged)).SecretString).toBe('value');
    await root.send(new PutResourcePolicyCommand({ SecretId: untagged, ResourcePolicy }));
    expect(await refusal(read(client, untagged))).toBe(denied);
  });

  test("secretsmanager:resource/AllowRotationLambdaArn is the secret's rotation function", async () => {
    const secret =
      (await root.send(new CreateSecretCommand({ Name: 'rotated', SecretString: 'v' }))).ARN ?? '';
    const client = await secretsAs({
      ...allow('secretsmanager:DescribeSecret'),
      Condition: { ArnEquals: { 'secretsmanager:resource/AllowRotationLambdaArn': rotation.arn } },
    });
    const describeSecret = () => client.send(new DescribeSecretCommand({ SecretId: secret }));
    expect(await refusal(describeSecret())).toBe(denied);
    await root.send(new RotateSecretCommand({ SecretId: secret, RotationLambdaARN: rotation.arn }));
    expect((await describeSecret()).ARN).toBe(secret);
  });

  /**
   * ModifyRotationRules: "whether the rotation rules of the secret are to be modified"; RotateImmediately: "whether the
   * rotation attempt should be attempted immediately"; RotationLambdaARN: "the ARN of the rotation Lambda function in
   * the request". That the two Bool keys are there when the request has not the field is not said: both readings.
   * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
   */
  test.each(['always', 'when-given'])(
    'RotateSecret without the right to reconfigure, with Bool keys that are there %s',
    async (reading) => {
      await cloud.read('rotate-condition-keys', reading);
      const Name = `starts-only/${reading}`;
      const SecretId = (await root.send(new CreateSecretCommand({ Name, SecretString: 'v' }))).ARN ?? '';
      await root.send(new RotateSecretCommand({ SecretId, RotationLambdaARN: rotation.arn }));
      await eventually('the rotation', async () => {
        return (await root.send(new DescribeSecretCommand({ SecretId }))).LastRotatedDate !== undefined;
      });
      const client = await secretsAs(allow('lambda:InvokeFunction', rotation.arn), {
        ...allow('secretsmanager:RotateSecret'),
        Condition: {
          BoolIfExists: { 'secretsmanager:ModifyRotationRules': 'false' },
          Null: {
            'secretsmanager:RotationLambdaARN': 'true',
            'secretsmanager:ExternalSecretRotationRoleArn': 'true',
          },
        },
      });
      const rotate = (more: Partial<RotateSecretRequest>) =>
        client.send(new RotateSecretCommand({ SecretId, ...more }));
      expect(await refusal(rotate({ RotationRules: { AutomaticallyAfterDays: 999 } }))).toBe(denied);
      expect(await refusal(rotate({ RotationLambdaARN: rotation.arn }))).toBe(denied);
      expect((await rotate({ RotateImmediately: true })).ARN).toBe(SecretId);
      const strict = await secretsAs(allow('lambda:InvokeFunction', rotation.arn), {
        ...allow('secretsmanager:RotateSecret'),
        Condition: { Bool: { 'secretsmanager:ModifyRotationRules': 'false' } },
      });
      const started = strict.send(new RotateSecretCommand({ SecretId })).then(
        () => 'started',
        (error: Error) => (error.name === denied ? denied : 'started'),
      );
      expect(await started).toBe(reading === 'always' ? 'started' : denied);
      const later = await secretsAs({
        ...allow('secretsmanager:RotateSecret'),
        Condition: { Bool: { 'secretsmanager:RotateImmediately': 'false' } },
      });
      expect(await refusal(later.send(new RotateSecretCommand({ SecretId, RotateImmediately: true })))).toBe(
        denied,
      );
    },
  );

  // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
  test('a batch of messages is permitted by the action of one message', async () => {
    const queue = await new SQSClient(cloud.clientOptions()).send(
      new CreateQueueCommand({ QueueName: 'batches' }),
    );
    const batch = async (action: string) => {
      users += 1;
      const user = await createUser(cloud, `user-${users}`, [allow(action)]);
      const client = new SQSClient(cloud.clientOptions(user.credentials));
      const Entries = [{ Id: '1', MessageBody: 'text' }];
      return client.send(new SendMessageBatchCommand({ QueueUrl: queue.QueueUrl, Entries }));
    };
    expect((await batch('sqs:SendMessage')).Successful).toHaveLength(1);
    expect(await refusal(batch('sqs:SendMessageBatch'))).toMatch(/AccessDenied/);
  });

  test('a log group is named with a trailing :* in a policy', async () => {
    const logs = new CloudWatchLogsClient(cloud.clientOptions());
    for (const logGroupName of ['mine', 'other']) {
      await logs.send(new CreateLogGroupCommand({ logGroupName }));
    }
    const group = 'arn:aws:logs:us-east-1:000000000000:log-group:mine';
    const filter = async (resource: string, logGroupName: string) => {
      users += 1;
      const statement = allow('logs:FilterLogEvents', resource);
      const user = await createUser(cloud, `user-${users}`, [statement]);
      const client = new CloudWatchLogsClient(cloud.clientOptions(user.credentials));
      return client.send(new FilterLogEventsCommand({ logGroupName }));
    };
    expect((await filter(`${group}:*`, 'mine')).events).toEqual([]);
    expect(await refusal(filter(`${group}:*`, 'other'))).toBe(denied);
    expect(await refusal(filter(group, 'mine'))).toBe(denied);
  });

  describe('of PutEvents', () => {
    const entry = (Source: string, DetailType: string) => ({
      EventBusName: 'custom',
      Source,
      DetailType,
      Detail: '{}',
    });

    async function sender(...statements: Exclude<Statement, string>[]) {
      users += 1;
      const user = await createUser(cloud, `sender-${users}`, statements);
      const client = new EventBridgeClient(cloud.clientOptions(user.credentials));
      return (...entries: ReturnType<typeof entry>[]) =>
        client.send(new PutEventsCommand({ Entries: entries }));
    }

    beforeAll(async () => {
      await new EventBridgeClient(cloud.clientOptions()).send(new CreateEventBusCommand({ Name: 'custom' }));
    });

    test('events:source and events:detail-type decide for each entry', async () => {
      const send = await sender({
        ...allow('events:PutEvents'),
        Condition: { StringEquals: { 'events:source': 'rekey.cli', 'events:detail-type': 'Wanted' } },
      });
      expect((await send(entry('rekey.cli', 'Wanted'))).FailedEntryCount).toBe(0);
      expect(await refusal(send(entry('other', 'Wanted')))).toBe(denied);
      expect(await refusal(send(entry('rekey.cli', 'Unwanted')))).toBe(denied);
      expect(await refusal(send(entry('rekey.cli', 'Wanted'), entry('other', 'Wanted')))).toBe(denied);
    });

    test("the bus's own policy denies an administrator", async () => {
      const admin = await createUser(cloud, 'bus-admin', 'administrator');
      const client = new EventBridgeClient(cloud.clientOptions(admin.credentials));
      const send = (source: string) => client.send(new PutEventsCommand({ Entries: [entry(source, 'Any')] }));
      expect((await send('forged')).FailedEntryCount).toBe(0);
      await deployStack(cloud, 'bus', {
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'guarded' } },
        Policy: {
          Type: 'AWS::Events::EventBusPolicy',
          Properties: {
            EventBusName: 'custom',
            StatementId: 'OnlyOurSource',
            Statement: {
              Effect: 'Deny',
              Principal: '*',
              Action: 'events:PutEvents',
              Resource: `arn:aws:events:us-east-1:${cloud.accountId}:event-bus/custom`,
              Condition: { StringNotEquals: { 'events:source': 'rekey.cli' } },
            },
          },
        },
      });
      expect(await refusal(send('forged'))).toBe(denied);
      expect((await send('rekey.cli')).FailedEntryCount).toBe(0);
    });
  });
});
