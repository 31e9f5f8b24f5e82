import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { auditKeyParameter, deploymentParameters } from '../../core/deployed/names.ts';
import { OrdersStack } from '../../examples/own-cdk-app/app.ts';
import { runbooks } from '../../lib/observation/runbooks.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import example from '../../rekey.config.ts';
import { allowedActions, statements, testApp } from './support/app.ts';
import { ofEveryType } from './support/every-type.ts';
import { everything } from './support/everything.ts';

function build(configuration: typeof everything, name: string): RekeyEnvironment {
  const settings = configuration.environments[name];
  if (settings === undefined) {
    throw new Error(`no environment ${name}`);
  }
  return new RekeyEnvironment(testApp(), name, { configuration: settings, directory: import.meta.dirname });
}

describe('cdk-nag, AwsSolutions, and the rules of CloudFormation', () => {
  test.each([
    ['the example, dev', example, 'dev'],
    ['the example, prod', example, 'prod'],
    ['everything at once', everything, 'full'],
    ['one of every type', ofEveryType, 'types'],
  ])('finds nothing that is not acknowledged: %s', (_, configuration, name) => {
    const app = testApp({ rules: true });
    const settings = configuration.environments[name];
    if (settings === undefined) {
      throw new Error(`no environment ${name}`);
    }
    new RekeyEnvironment(app, name, { configuration: settings, directory: import.meta.dirname });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });

  test('fails the synth when something is found', () => {
    const app = testApp();
    const environment = new RekeyEnvironment(app, 'full', {
      configuration: everything.environments.full as never,
      directory: import.meta.dirname,
    });
    environment.audit.auditLog.writer.role.addToPolicy(
      new PolicyStatement({ actions: ['s3:*'], resources: [environment.audit.auditLog.bucket.bucketArn] }),
    );
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow('AwsSolutions-IAM5[Action::s3:*]');
  });
});

test('a template that CloudFormation would refuse fails the synth', () => {
  const app = testApp({ rules: true });
  new CfnResource(new Stack(app, 'test'), 'Queue', {
    type: 'AWS::SQS::Queue',
    properties: { VisibilityTimeout: 'soon' },
  });
  expect(() => app.synth()).toThrow('VisibilityTimeout');
});

describe('an environment', () => {
  let environment: RekeyEnvironment;
  const templates: Record<string, Template> = {};
  const stacks = () => environment.node.children.filter((child) => Stack.isStack(child));
  beforeAll(() => {
    environment = build(everything, 'full');
    for (const stack of stacks()) {
      templates[stack.stackName.replace('rekey-full-', '')] = Template.fromStack(stack);
    }
  });
  const template = (part: string): Template => templates[part] as Template;
  const network = 'network-new-a9bde6d84b8fe3a9';

  test('is one stack per lifetime, of which only the audit log is protected', () => {
    const parts = [
      'events',
      'audit',
      'foundation',
      'trail',
      network,
      'rotation',
      'revocation',
      'fingerprints',
      'notification',
      'signals',
      'access',
    ];
    expect(stacks().map(({ stackName }) => stackName)).toEqual(parts.map((part) => `rekey-full-${part}`));
    expect(stacks().filter((stack) => stack.terminationProtection)).toEqual([environment.audit]);
  });

  test('locks its audit log for as long as configured', () => {
    template('audit').hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } },
        },
      },
    });
  });

  test('writes down every fact that the CLI and joining apps look for', () => {
    const names = Object.values(templates).flatMap((part) =>
      Object.values(part.findResources('AWS::SSM::Parameter')).map(({ Properties }) => Properties.Name),
    );
    expect(names.filter((name) => name.includes('/deployment/')).sort()).toEqual(
      [...Object.values(deploymentParameters), auditKeyParameter, network]
        .map((name) => `/rekey/full/deployment/${name}`)
        .sort(),
    );
  });

  test('reads the bus by its agreed name, and lets a named account ask for revocations only', () => {
    template('events').hasResourceProperties('AWS::Events::EventBus', { Name: 'rekey-full' });
    template('events').hasResourceProperties('AWS::Events::EventBusPolicy', {
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::999988887777:root' },
        Action: 'events:PutEvents',
        Condition: { StringEquals: { 'events:detail-type': 'Secret Revocation Requested' } },
      },
    });
  });

  test('tags every role with its environment', () => {
    for (const part of Object.values(templates)) {
      for (const role of Object.values(part.findResources('AWS::IAM::Role'))) {
        expect(role.Properties.Tags).toContainEqual({ Key: 'rekey:environment', Value: 'full' });
      }
    }
  });

  test('shares functions only between secrets of one type, strategy, network and trust', () => {
    expect(environment.rotations[0]?.functions).toHaveLength(4);
    const functions = [template('foundation'), template('rotation')].flatMap((part) =>
      Object.values(part.findResources('AWS::Lambda::Function')),
    );
    const plaintext = functions.map(
      ({ Properties }) => Properties.Environment.Variables.REKEY_ALLOW_PLAINTEXT,
    );
    // Two pairs for databases, one for the random value, one that contains for the foreign function; the
    // observer and what starts first rotations have none.
    expect(plaintext.filter((value) => value === 'true')).toHaveLength(2);
    expect(plaintext.filter((value) => value === 'false')).toHaveLength(5);
    expect(plaintext.filter((value) => value === undefined)).toHaveLength(2);
  });

  test('keeps functions in a created network off the internet', () => {
    template(network).resourceCountIs('AWS::EC2::InternetGateway', 0);
    template(network).resourceCountIs('AWS::EC2::NatGateway', 0);
    const endpoints = Object.values(template(network).findResources('AWS::EC2::VPCEndpoint'));
    expect(
      endpoints.map(({ Properties }) => String(Properties.ServiceName).split('.').at(-1)).sort(),
    ).toEqual(['events', 'rds', 'secretsmanager', 'sqs', 'ssm']);
  });

  describe('its roles', () => {
    test('operators rotate and look, and nothing else', () => {
      expect(allowedActions(statements(template('access'), /^Operator/))).toEqual([
        'events:ListRules',
        'events:PutEvents',
        'lambda:GetFunctionConfiguration',
        // RotateSecret asks for it on the rotation function.
        'lambda:InvokeFunction',
        'logs:FilterLogEvents',
        'secretsmanager:DescribeSecret',
        'secretsmanager:ListSecretVersionIds',
        'secretsmanager:RotateSecret',
        'secretsmanager:TagResource',
        'secretsmanager:UntagResource',
        'secretsmanager:UpdateSecretVersionStage',
        'sqs:GetQueueAttributes',
        'ssm:GetParameter',
        'ssm:GetParametersByPath',
        'ssm:PutParameter',
        'states:DescribeStateMachine',
      ]);
    });

    test('operators give a rotation up by its label alone, and record nothing else', () => {
      const conditionsOf = (action: string) =>
        statements(template('access'), /^Operator/)
          .filter(({ Action, Effect }) => Effect === 'Allow' && [Action].flat().includes(action))
          .map(({ Condition }) => Condition);
      const labels = conditionsOf('secretsmanager:UpdateSecretVersionStage');
      expect(labels.length).toBeGreaterThan(0);
      for (const condition of labels) {
        expect(condition).toMatchObject({
          StringEqualsIfExists: { 'secretsmanager:VersionStage': 'AWSPENDING' },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['rekey:paused-until'] },
        });
      }
      for (const action of ['secretsmanager:TagResource', 'secretsmanager:UntagResource']) {
        expect(conditionsOf(action)).toEqual(labels);
      }
      expect(conditionsOf('events:PutEvents')).toEqual([
        {
          StringEquals: {
            'events:source': 'rekey.cli',
            'events:detail-type': [
              'Secret Rotation Abandoned',
              'Secret Rotation Paused',
              'Secret Rotation Resumed',
              'Rotation Function Released',
              'Incident Acknowledged',
              'Notification Test Requested',
            ],
          },
        },
      ]);
    });

    test('operators start rotations of secrets that carry the environment’s tag, and change none', () => {
      const starting = statements(template('access'), /^Operator/).filter(
        ({ Action }) => Action === 'secretsmanager:RotateSecret',
      );
      const asConfigured = {
        BoolIfExists: { 'secretsmanager:ModifyRotationRules': 'false' },
        Null: {
          'secretsmanager:RotationLambdaARN': 'true',
          'secretsmanager:ExternalSecretRotationRoleArn': 'true',
        },
      };
      const [created, adopted] = [
        starting.find(({ Sid }) => Sid === 'StartRotationOfEnvironment'),
        starting.find(({ Sid }) => Sid === 'StartRotation'),
      ];
      expect(created).toMatchObject({
        Resource: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/full/*',
        Condition: { ...asConfigured, StringEquals: { 'aws:ResourceTag/rekey:environment': 'full' } },
      });
      expect(adopted?.Condition).toEqual(asConfigured);
      expect(adopted?.Resource).toEqual([
        'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf',
        'arn:aws:secretsmanager:eu-central-1:111122223333:secret:oracle-??????',
      ]);
    });

    test('operators read the logs of the rotation functions only, responders those that answer them only', () => {
      const logGroups = (part: string, functions: RegExp) =>
        Object.entries(template(part).findResources('AWS::Lambda::Function'))
          .filter(([id]) => functions.test(id))
          .map(([, { Properties }]) => Properties.LoggingConfig.LogGroup.Ref as string)
          .sort();
      const readable = (role: RegExp) =>
        statements(template('access'), role)
          .filter(({ Action }) => JSON.stringify(Action).includes('logs:'))
          .flatMap(({ Resource }) => Resource as unknown[])
          .map((resource) => /GetAtt(\w+)Arn/.exec(JSON.stringify(resource))?.[1])
          .sort();
      const rotation = logGroups('rotation', /^Rotation/);
      expect(rotation).toHaveLength(3);
      // No wider, and no narrower, than the log groups themselves.
      expect(readable(/^Operator/)).toEqual(rotation);
      expect(readable(/^Responder/)).toEqual(logGroups('revocation', /Intake|^Quarantine/));
    });

    test('responders ask for revocations as the CLI and follow them, and nothing else', () => {
      const all = statements(template('access'), /^Responder/);
      expect(allowedActions(all)).toEqual([
        'events:PutEvents',
        // Of the function that looks fingerprints up.
        'lambda:InvokeFunction',
        'logs:FilterLogEvents',
        'ssm:GetParameter',
        'ssm:GetParametersByPath',
        'states:DescribeExecution',
        'states:GetExecutionHistory',
        'states:ListExecutions',
      ]);
      const publish = all.find(({ Action, Effect }) => Effect === 'Allow' && Action === 'events:PutEvents');
      const mayPut = [
        'Secret Revocation Requested',
        'Revocation Task Done',
        'Principal Quarantine Requested',
        'Principal Quarantine Lift Requested',
        'Incident Acknowledged',
      ];
      expect(publish?.Condition).toEqual({
        StringEquals: { 'events:source': 'rekey.cli', 'events:detail-type': mayPut },
      });
    });

    test('auditors read the log, and may hold its records, not let them go', () => {
      const all = statements(template('access'), /^Auditor/);
      const holds = all.filter(({ Action }) => Action === 's3:PutObjectLegalHold');
      const only = { StringEquals: { 's3:object-lock-legal-hold': 'ON' } };
      expect(holds.map(({ Condition }) => Condition)).toEqual(holds.map(() => only));
      expect(allowedActions(all)).toEqual([
        'events:PutEvents',
        'kms:Decrypt',
        's3:GetBucketLocation',
        's3:GetBucketObjectLockConfiguration',
        's3:GetBucketVersioning',
        's3:GetObject',
        's3:GetObjectRetention',
        's3:GetObjectVersion',
        's3:ListBucket',
        's3:ListBucketVersions',
        's3:PutObjectLegalHold',
        'ssm:GetParameter',
        'ssm:GetParametersByPath',
      ]);
    });

    test.each(['Operator', 'Responder', 'Auditor'])(
      '%s never reads a value, whatever is granted later',
      (role) => {
        expect(statements(template('access'), new RegExp(`^${role}`))).toContainEqual({
          Sid: 'NoSecretValues',
          Effect: 'Deny',
          Action: ['secretsmanager:BatchGetSecretValue', 'secretsmanager:GetSecretValue'],
          Resource: '*',
        });
      },
    );

    test('generated role names are matched by a condition on their account', () => {
      const role = Object.entries(template('access').findResources('AWS::IAM::Role')).find(([id]) =>
        id.startsWith('Responder'),
      )?.[1];
      expect(role?.Properties.AssumeRolePolicyDocument.Statement).toEqual([
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Condition: {
            ArnLike: {
              'aws:PrincipalArn':
                'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Incident_*',
            },
            StringEquals: { 'sts:RoleSessionName': expect.stringContaining('aws:PrincipalTag/mail') },
          },
        },
      ]);
    });

    test('are not made for nobody, and the stack stays so that a deploy takes away those that were', () => {
      Template.fromStack(build(example, 'dev').access).resourceCountIs('AWS::IAM::Role', 0);
    });
  });

  describe('its alarms', () => {
    const alarms = () =>
      Object.values(templates).flatMap((part) =>
        Object.values(part.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties),
      );

    test('tell the topic, and point to a runbook that is there', () => {
      expect(alarms().length).toBeGreaterThan(10);
      for (const alarm of alarms()) {
        expect(alarm.AlarmActions).toEqual(['arn:aws:sns:eu-central-1:111122223333:ops']);
        expect(alarm.TreatMissingData).toBe('notBreaching');
        const [, file] = /Runbook: (\S+)$/.exec(alarm.AlarmDescription) ?? [];
        expect(existsSync(join(import.meta.dirname, '../..', file ?? 'none'))).toBe(true);
        // The most that CloudWatch takes.
        expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1024);
      }
    });

    test('may publish to a topic of Rekey’s own, which takes nothing without TLS', () => {
      const { events } = build(example, 'prod');
      const topics = Template.fromStack(events).findResources('AWS::SNS::TopicPolicy');
      const [{ Properties } = { Properties: undefined }] = Object.values(topics);
      expect(Properties?.PolicyDocument.Statement).toEqual([
        expect.objectContaining({
          Effect: 'Deny',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
        {
          Sid: 'Alarms',
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: { Ref: expect.stringMatching(/^Alarms/) },
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
        },
      ]);
    });

    test('are there for every runbook, under names that differ', () => {
      const names = alarms().map(({ AlarmName }) => AlarmName as string);
      expect(new Set(names).size).toBe(names.length);
      for (const name of Object.keys(runbooks)) {
        expect(names.some((alarm) => alarm.startsWith(`rekey-full-${name}`))).toBe(true);
      }
    });

    test('watch every function for errors and for throttles, one metric each', () => {
      for (const [part, names] of Object.entries(templates).map(
        ([name, one]) => [name, Object.keys(one.findResources('AWS::Lambda::Function'))] as const,
      )) {
        // A failure of what starts first rotations is a failure of the deploy, which somebody is looking at.
        const alarmed = names.filter((name) => !name.startsWith('FirstRotations'));
        const watched = Object.values(templates[part]?.findResources('AWS::CloudWatch::Alarm') ?? {})
          .map(({ Properties }) => Properties)
          .filter(({ Namespace }) => Namespace === 'AWS/Lambda')
          .map(({ MetricName, Dimensions }) => `${Dimensions[0].Value.Ref} ${MetricName}`);
        expect([part, watched.sort()]).toEqual([
          part,
          alarmed.flatMap((name) => [`${name} Errors`, `${name} Throttles`]).sort(),
        ]);
      }
    });

    test('watch the metrics that the functions emit', () => {
      template('foundation').hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: 'rekey-full-rotation-failed',
        Namespace: 'Rekey',
        MetricName: 'RotationFailed',
        Statistic: 'Sum',
        Threshold: 1,
        Dimensions: [
          { Name: 'environment', Value: 'full' },
          { Name: 'service', Value: 'rotation' },
        ],
      });
    });
  });
});

test('the constructs work in an app of one’s own', () => {
  const template = Template.fromStack(
    new OrdersStack(testApp({ rules: true }), 'orders', {
      env: { account: '111122223333', region: 'eu-central-1' },
    }),
  );
  template.resourceCountIs('AWS::SecretsManager::RotationSchedule', 1);
  template.resourceCountIs('AWS::StepFunctions::StateMachine', 2);
});
