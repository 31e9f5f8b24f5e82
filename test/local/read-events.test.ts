import { rm } from 'node:fs/promises';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { deployStack, type TestStack } from './support/stack.ts';

/** Calls that only read, through CloudTrail: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html */

let directory: string;
let cloud: LocalCloud;
let stack: TestStack;

const name = 'read/bait';
const arn = (resource: string) => ({ 'Fn::GetAtt': [resource, 'Arn'] });
const rule = (queue: string, state: string, pattern: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: { State: state, EventPattern: pattern, Targets: [{ Id: 'target', Arn: arn(queue) }] },
});
const calls = {
  source: ['aws.secretsmanager'],
  'detail-type': ['AWS API Call via CloudTrail'],
  detail: {
    eventName: ['GetSecretValue', 'BatchGetSecretValue'],
    $or: [{ requestParameters: { secretId: [name] } }, { requestParameters: { secretIdList: [name] } }],
  },
};
const withReads = 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS';

beforeAll(async () => {
  directory = await newFolder('reads');
  cloud = await startCloud({ directory });
  stack = await deployStack(cloud, 'reads', {
    All: { Type: 'AWS::SQS::Queue' },
    Enabled: { Type: 'AWS::SQS::Queue' },
    Disabled: { Type: 'AWS::SQS::Queue' },
    Admit: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: ['All', 'Enabled', 'Disabled'].map((queue) => ({ Ref: queue })),
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: '*',
            },
          ],
        },
      },
    },
    AllRule: rule('All', withReads, calls),
    EnabledRule: rule('Enabled', 'ENABLED', calls),
    DisabledRule: rule('Disabled', 'DISABLED', calls),
    FindingRule: rule('Enabled', 'ENABLED', { source: ['aws.guardduty'] }),
    FindingRuleOfAll: rule('All', withReads, { source: ['aws.guardduty'] }),
  });
});
afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function received(queue: string): Promise<readonly Message[]> {
  const sqs = new SQSClient(cloud.clientOptions());
  const QueueUrl = stack.outputs[`${queue}Ref`];
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
  );
  return Messages;
}
const bodies = async (queue: string) => (await received(queue)).map(({ Body = '{}' }) => JSON.parse(Body));

describe('a call that only reads', () => {
  test('reaches a rule for all management events, and no rule that is merely enabled', async () => {
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString: 'opens nothing' }));
    await secrets.send(new GetSecretValueCommand({ SecretId: name }));
    const [call] = await eventually('the call is told', async () => {
      const told = await bodies('All');
      return told.length > 0 ? told : undefined;
    });
    expect(call).toMatchObject({
      source: 'aws.secretsmanager',
      'detail-type': 'AWS API Call via CloudTrail',
      detail: {
        eventName: 'GetSecretValue',
        requestParameters: { secretId: name },
        readOnly: true,
        userIdentity: { accountId: cloud.accountId },
      },
    });
    expect(JSON.stringify(call)).not.toContain('opens nothing');
    // An event that both get comes later, so what is not there by then does not come.
    await cloud.serviceEvent({
      source: 'aws.guardduty',
      detailType: 'GuardDuty Finding',
      detail: { id: '1' },
    });
    await eventually('both rules have the later event', async () => {
      const [all, enabled] = [await bodies('All'), await bodies('Enabled')];
      return all.length >= 2 && enabled.length >= 1 ? true : undefined;
    });
    expect((await bodies('Enabled')).map(({ source }) => source)).toEqual(['aws.guardduty']);
    expect(await bodies('Disabled')).toEqual([]);
  });

  test('is told with its refusal', async () => {
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    const read = secrets.send(new GetSecretValueCommand({ SecretId: name, VersionStage: 'NONE' }));
    await expect(read).rejects.toThrow();
    await eventually('the refused call is told', async () =>
      (await bodies('All')).find(({ detail }) => detail.errorCode === 'ResourceNotFoundException'),
    );
  });
});

describe('an access key that a stack makes', () => {
  test('lies in a secret, and its user may do nothing', async () => {
    const made = await deployStack(cloud, 'honey', {
      User: { Type: 'AWS::IAM::User', Properties: {} },
      Nothing: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          PolicyName: 'nothing',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
          },
          Users: [{ Ref: 'User' }],
        },
      },
      Key: { Type: 'AWS::IAM::AccessKey', Properties: { UserName: { Ref: 'User' } } },
      Bait: {
        Type: 'AWS::SecretsManager::Secret',
        Properties: {
          Name: 'honey/key',
          SecretString: {
            'Fn::Join': [
              '"',
              [
                '{',
                'accessKeyId',
                ':',
                { Ref: 'Key' },
                ',',
                'secretAccessKey',
                ':',
                { 'Fn::GetAtt': ['Key', 'SecretAccessKey'] },
                '}',
              ],
            ],
          },
        },
      },
    });
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: 'honey/key' }));
    const key = JSON.parse(SecretString);
    expect(key).toEqual({
      accessKeyId: expect.stringMatching(/^AKIA/),
      secretAccessKey: expect.stringMatching(/^.{40}$/),
    });
    const signed = new SecretsManagerClient(cloud.clientOptions(key));
    await expect(signed.send(new GetSecretValueCommand({ SecretId: 'honey/key' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await made.destroy();
    await expect(signed.send(new GetSecretValueCommand({ SecretId: 'honey/key' }))).rejects.toThrow();
  });
});
