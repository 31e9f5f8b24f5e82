import { beforeAll, describe, expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { ForeignRotationFunction } from '../../lib/rotation/foreign-rotation-function.ts';
import { allowedActions, statements, testApp } from './support/app.ts';

const functionArn = (name: string) => `arn:aws:lambda:eu-central-1:111122223333:function:${name}`;
const foreign = (name: string, settings: { adopt: string; schedule?: string; rotateOnDeploy?: boolean }) => ({
  type: 'external' as const,
  strategy: 'single-user' as const,
  rotationFunction: functionArn(name),
  owner: 'dba',
  ...settings,
});
const configuration = defineConfig({
  environments: {
    prod: {
      account: '111122223333',
      region: 'eu-central-1',
      audit: { retentionDays: 30 },
      access: { operators: ['111122223333'] },
      secrets: {
        oracle: foreign('oracle', {
          adopt: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:billing/oracle-AbCdEf',
          schedule: 'rate(10 days)',
        }),
        db2: foreign('db2', { adopt: 'db2', rotateOnDeploy: true }),
        token: {
          type: 'generic',
          strategy: 'single-user',
          create: { name: 'token', fields: {} },
          owner: 'team-orders',
        },
      },
    },
  },
});

function build(): RekeyEnvironment {
  const { prod } = configuration.environments;
  if (prod === undefined) throw new Error('no environment');
  return new RekeyEnvironment(testApp(), 'prod', { configuration: prod, directory: import.meta.dirname });
}

describe('secrets whose rotation function is not Rekey’s', () => {
  let foundation: Template;
  let rotation: Template;
  let revocation: Template;
  let access: Template;
  let environment: RekeyEnvironment;
  beforeAll(() => {
    environment = build();
    foundation = Template.fromStack(environment.foundation);
    rotation = Template.fromStack(environment.rotations[0] as Stack);
    revocation = Template.fromStack(environment.revocation);
    access = Template.fromStack(environment.access as Stack);
  });

  test('are scheduled with that function', () => {
    rotation.hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
      SecretId: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:billing/oracle',
      RotationLambdaARN: functionArn('oracle'),
      RotationRules: { ScheduleExpression: 'rate(10 days)' },
      RotateImmediatelyOnUpdate: false,
    });
    rotation.hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
      RotationLambdaARN: functionArn('db2'),
      RotateImmediatelyOnUpdate: false,
    });
  });

  test('do not rotate before it is seen to', () => {
    foundation.resourceCountIs('AWS::Events::Rule', 1);
    expect(environment.rotations[0]?.dependencies).toContain(environment.foundation);
  });

  test('bring no rotation function, and no permission for theirs', () => {
    const functions = [foundation, rotation].flatMap((template) =>
      Object.values(template.findResources('AWS::Lambda::Function')),
    );
    expect(functions.map(({ Properties }) => Properties.Description).sort()).toEqual([
      'Rekey prod: cuts off leaked external credentials, single-user',
      'Rekey prod: cuts off leaked generic credentials, single-user',
      'Rekey prod: records what rotation functions of others do',
      'Rekey prod: rotates generic secrets, single-user',
      'Rekey prod: starts the first rotation of secrets that a deploy creates',
    ]);
    const permissions = JSON.stringify(rotation.findResources('AWS::Lambda::Permission'));
    expect(permissions).not.toContain(functionArn('oracle'));
  });

  test('are defined with its name', () => {
    const definition = Object.values(
      rotation.findResources('AWS::SSM::Parameter', {
        Properties: { Name: '/rekey/prod/secrets/billing.2foracle' },
      }),
    ).map(({ Properties }) => Properties.Value['Fn::Join'][1][0]);
    expect(definition).toEqual([expect.stringContaining('"type":"external","strategy":"single-user"')]);
    expect(definition[0]).toContain('"rotationFunction":"oracle"');
  });

  test('their containment function reads their versions and nothing else', () => {
    const all = statements(rotation, /^Containmentexternalsingleuser[0-9a-f]{16}FunctionRole/);
    expect(allowedActions(all)).toEqual([
      'events:PutEvents',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'sqs:SendMessage',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('a revocation may have that function rotate, which Secrets Manager asks of whoever starts it', () => {
    const rotate = statements(revocation, /Rotate/);
    expect(JSON.stringify(rotate)).toContain(functionArn('oracle'));
  });

  test('operators may rotate them and see that the functions are there, not read their logs', () => {
    const operator = JSON.stringify(statements(access, /^Operator/));
    expect(operator.match(/function:oracle/g)).toHaveLength(2);
    expect(operator).not.toContain('/aws/lambda/oracle');
  });

  test('their rotations are recorded from what Secrets Manager tells on the default bus', () => {
    foundation.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: Match.absent(),
      EventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['AWS Service Event via CloudTrail'],
        detail: {
          eventSource: ['secretsmanager.amazonaws.com'],
          eventName: [
            'RotationStarted',
            'RotationSucceeded',
            'RotationFailed',
            'RotationAbandoned',
            'TestRotationFailed',
          ],
        },
      },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
    });
    const all = statements(foundation, /^Observer/);
    expect(allowedActions(all)).toEqual([
      'events:PutEvents',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
      'ssm:GetParameter',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    const publish = all.find(({ Action }) => Action === 'events:PutEvents');
    expect(publish?.Condition).toEqual({
      StringEquals: {
        'events:source': 'rekey.observation',
        'events:detail-type': [
          'Secret Rotation Started',
          'Secret Rotation Succeeded',
          'Secret Rotation Failed',
        ],
      },
    });
    const describing = all.find(({ Sid }) => Sid === 'Describe');
    expect(JSON.stringify(describing?.Resource)).not.toMatch(/token/i);
  });

  test('their failures raise the alarm of a failed rotation', () => {
    for (const name of [
      'rekey-prod-rotation-failed-observation',
      'rekey-prod-audit-publish-failed-observation',
      'rekey-prod-observation-dead-letters',
    ]) {
      foundation.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: name });
    }
    foundation.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'rekey-prod-rotation-failed-observation',
      MetricName: 'RotationFailed',
      Dimensions: Match.arrayWith([{ Name: 'service', Value: 'observation' }]),
    });
  });

  test('a revocation that could not be proven raises an alarm of its own', () => {
    revocation.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'rekey-prod-revocation-unproven',
      MetricName: 'RevocationUnproven',
      AlarmDescription: Match.stringLikeRegexp('docs/runbooks/revocation-unproven.md'),
    });
  });

  test('the first value of a generic secret is replaced at once, by one of the environment’s rules and with its fields', () => {
    const created = Object.keys(rotation.findResources('AWS::SecretsManager::Secret'));
    const first = Object.values(rotation.findResources('Custom::RekeyFirstRotation'));
    expect(created.length).toBeGreaterThan(0);
    expect(first.map(({ Properties }) => Properties)).toEqual(
      expect.arrayContaining(
        created.map((id) => ({ ServiceToken: expect.anything(), SecretId: { Ref: id } })),
      ),
    );
  });
});

test('a function of another account or region is refused, since Secrets Manager could not invoke it', () => {
  const stack = new Stack(testApp(), 'test', { env: { account: '111122223333', region: 'eu-central-1' } });
  const of = (id: string, arn: string) => () =>
    new ForeignRotationFunction(stack, id, { functionArn: arn, strategy: 'single-user' });
  expect(of('A', functionArn('oracle').replace('111122223333', '999988887777'))).toThrow(
    'is in account 999988887777, the secret in 111122223333',
  );
  expect(of('B', functionArn('oracle').replace('eu-central-1', 'us-east-1'))).toThrow(
    'is in region us-east-1',
  );
  expect(of('C', functionArn('oracle'))).not.toThrow();
});
