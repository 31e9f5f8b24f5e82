import { expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

/**
 * The longest that AWS takes of each property, by the pages of the resources in
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ and of the services' quotas.
 */
const longest: Readonly<Record<string, number>> = {
  'AWS::CloudWatch::Alarm.AlarmName': 255,
  'AWS::CloudWatch::Alarm.AlarmDescription': 1024,
  'AWS::EC2::SecurityGroup.GroupDescription': 255,
  'AWS::Events::EventBus.Name': 256,
  'AWS::Events::Rule.Name': 64,
  'AWS::Events::Rule.Description': 512,
  'AWS::IAM::ManagedPolicy.Description': 1000,
  'AWS::IAM::Role.Description': 1000,
  'AWS::IAM::Role.RoleName': 64,
  'AWS::KMS::Key.Description': 8192,
  'AWS::Lambda::Function.Description': 256,
  'AWS::Lambda::Function.FunctionName': 64,
  'AWS::Logs::LogGroup.LogGroupName': 512,
  'AWS::SNS::Topic.TopicName': 256,
  'AWS::SQS::Queue.QueueName': 80,
  'AWS::SSM::Parameter.Name': 1011,
  'AWS::SSM::Parameter.Description': 1024,
  'AWS::SSM::Parameter.Value': 4096,
  'AWS::SecretsManager::Secret.Name': 512,
  'AWS::StepFunctions::StateMachine.StateMachineName': 80,
};

const environment = 'e'.repeat(20);
const network = 'n'.repeat(32);
const { environments } = defineConfig({
  environments: {
    [environment]: {
      account: '111122223333',
      region: 'ap-southeast-1',
      audit: { retentionDays: 30 },
      access: { operators: ['111122223333'], responders: ['111122223333'], auditors: ['111122223333'] },
      networks: {
        [network]: { existing: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] } },
      },
      secrets: {
        ['s'.repeat(64)]: {
          type: 'mysql',
          strategy: 'dual-credential',
          create: { name: 'x'.repeat(400), fields: { engine: 'mysql', host: 'h', username: 'u' } },
          adminSecret: { adopt: 'a'.repeat(400) },
          network,
          owner: 'o'.repeat(128),
          // With 40 of them the definition would be too long, which is refused with a sentence.
          consumers: Array.from({ length: 35 }, (_, index) => `c${index}`.padEnd(64, 'c')),
          allowPlaintext: true,
          certificateAuthority: 'gov.pem',
        },
        oracle: {
          type: 'external',
          strategy: 'alternating-users',
          adopt: 'oracle',
          rotationFunction: `arn:aws:lambda:ap-southeast-1:111122223333:function:${'f'.repeat(64)}`,
          owner: 'dba',
        },
      },
    },
  },
});

test('the longest names that the configuration takes are none too long for AWS', () => {
  const configuration = environments[environment];
  if (configuration === undefined) throw new Error('no environment');
  const app = testApp({ rules: true });
  new RekeyEnvironment(app, environment, { configuration, directory: import.meta.dirname });
  const stacks = app.node.findAll().filter((each) => Stack.isStack(each));
  const seen = new Set<string>();
  const tooLong: string[] = [];
  for (const stack of stacks) {
    expect(stack.stackName.length).toBeLessThanOrEqual(128);
    const { Resources = {} } = Template.fromStack(stack).toJSON() as {
      Resources?: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
    };
    for (const [id, { Type, Properties = {} }] of Object.entries(Resources)) {
      for (const [name, value] of Object.entries(Properties)) {
        const limit = longest[`${Type}.${name}`];
        if (limit === undefined) continue;
        seen.add(`${Type}.${name}`);
        const length = lengthOf(value);
        if (length > limit) tooLong.push(`${id}: ${name} has ${length} characters, ${Type} takes ${limit}`);
      }
    }
  }
  expect(tooLong).toEqual([]);
  expect([...seen].length).toBeGreaterThan(10);
});

/** The length of a text; a reference in it counts as an ARN. */
const lengthOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length;
  const join = (value as { 'Fn::Join'?: [string, unknown[]] } | null)?.['Fn::Join'];
  return join === undefined ? 128 : join[1].reduce((sum: number, part) => sum + lengthOf(part), 0);
};
