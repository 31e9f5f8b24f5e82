import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { ContainmentFunction } from '../../lib/revocation/containment-function.ts';
import { RotationFunction } from '../../lib/rotation/rotation-function.ts';
import { RotatedSecret, type RotatedSecretProps } from '../../lib/secret/rotated-secret.ts';
import { allowedActions, definitionsIn, type Statement, statements, testStack } from './support/app.ts';

const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf';
const adminKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';

interface Scene {
  readonly template: Template;
  readonly secretId: string;
  readonly keyId: string;
}

function synthesize(change: Partial<RotatedSecretProps> = {}): Scene {
  const { stack, bus, auditQueue } = testStack();
  const shared = {
    environment: 'test',
    type: 'postgresql',
    strategy: 'single-user',
    bus,
    auditQueue,
  } as const;
  const rotation = new RotationFunction(stack, 'Rotation', {
    ...shared,
    passwordEnvironment: { PASSWORD_LENGTH: '24' },
  });
  const containment = new ContainmentFunction(stack, 'Containment', shared);
  const key = new Key(stack, 'Key');
  new RotatedSecret(stack, 'Orders', {
    secret: {
      create: {
        name: '/test/orders',
        fields: { engine: 'postgres', host: 'db.internal', username: 'orders' },
        encryptionKey: key,
      },
    },
    rotation,
    containment,
    owner: 'team-orders',
    ...change,
  });
  const template = Template.fromStack(stack);
  const idOf = (type: string) => Object.keys(template.findResources(type))[0] ?? '';
  return { template, secretId: idOf('AWS::SecretsManager::Secret'), keyId: idOf('AWS::KMS::Key') };
}

const bySid = (all: readonly Statement[], sid: string) => all.find(({ Sid }) => Sid === sid);

describe('the role of a rotation function', () => {
  let scene: Scene;
  let all: Statement[];
  beforeAll(() => {
    scene = synthesize({
      adminSecret: { id: adminArn, encryptionKey: Key.fromKeyArn(new Stack(), 'Key', adminKeyArn) },
    });
    all = statements(scene.template, /^Rotation/);
  });

  test('holds nothing but what rotating needs', () => {
    expect(allowedActions(all)).toEqual([
      'events:PutEvents',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'rds:DescribeDBClusterEndpoints',
      'rds:DescribeDBClusters',
      'rds:DescribeDBInstances',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'secretsmanager:PutSecretValue',
      'secretsmanager:TagResource',
      'secretsmanager:UpdateSecretVersionStage',
      'sqs:SendMessage',
      'ssm:DeleteParameter',
      'ssm:GetParameter',
      'ssm:GetParametersByPath',
      'ssm:PutParameter',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('names every resource but where the service knows none', () => {
    const unnamed = all.filter(({ Resource }) => JSON.stringify(Resource).includes('*'));
    expect(unnamed.flatMap(({ Action }) => Action).sort()).toEqual([
      'rds:DescribeDBClusterEndpoints',
      'rds:DescribeDBClusters',
      'rds:DescribeDBInstances',
      // The numbered states of its own brake; see brake.test.ts.
      'ssm:DeleteParameter',
      'ssm:GetParametersByPath',
      'ssm:PutParameter',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('writes its own secret only, and only reads the admin secret', () => {
    expect(bySid(all, 'Secrets')).toMatchObject({ Effect: 'Allow', Resource: { Ref: scene.secretId } });
    expect(bySid(all, 'AdminSecrets')).toEqual({
      Sid: 'AdminSecrets',
      Effect: 'Allow',
      // The description of a secret that RDS manages names its database.
      Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      Resource: adminArn,
    });
  });

  test('uses keys through Secrets Manager only, for these secrets only', () => {
    expect(bySid(all, 'SecretsKey1')).toEqual({
      Sid: 'SecretsKey1',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: { 'Fn::GetAtt': [scene.keyId, 'Arn'] },
      Condition: {
        StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' },
        StringLike: { 'kms:EncryptionContext:SecretARN': [{ Ref: scene.secretId }] },
      },
    });
    expect(bySid(all, 'AdminSecretsKey1')).toMatchObject({
      Action: 'kms:Decrypt',
      Resource: adminKeyArn,
      Condition: { StringLike: { 'kms:EncryptionContext:SecretARN': [adminArn] } },
    });
  });

  test('announces as rekey.rotation only, and only what its code announces', () => {
    const { Condition } = all.find(({ Action }) => Action === 'events:PutEvents') as Statement;
    const { StringEquals } = Condition as { StringEquals: Record<string, string | string[]> };
    expect(StringEquals['events:source']).toBe('rekey.rotation');
    const folder = join(import.meta.dirname, '..', '..', 'lambdas', 'rotation');
    const created = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .flatMap((text) => [...text.matchAll(/createEvent\(\s*[^,]+,\s*'([^']+)'/g)].map(([, type]) => type));
    expect([...(StringEquals['events:detail-type'] ?? [])].toSorted()).toEqual(
      [...new Set(created)].toSorted(),
    );
  });

  test('comes from a role without managed policies', () => {
    for (const role of Object.values(scene.template.findResources('AWS::IAM::Role'))) {
      expect(role.Properties.ManagedPolicyArns).toBeUndefined();
    }
  });
});

describe('the role of a containment function', () => {
  test('reads secrets and never writes one', () => {
    const { template } = synthesize({ adminSecret: { id: adminArn } });
    const actions = allowedActions(statements(template, /^Containment/));
    expect(actions.filter((action) => action.startsWith('secretsmanager:'))).toEqual([
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
    ]);
    expect(actions).toContain('sqs:SendMessage');
    expect(actions).not.toContain('kms:GenerateDataKey*');
  });
});

describe('a rotation function', () => {
  test('answers Secrets Manager of this account only', () => {
    synthesize().template.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: '111122223333',
    });
  });

  test('is told its strategy and the password rules, and traces no responses', () => {
    synthesize().template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      Environment: {
        Variables: Match.objectLike({
          REKEY_STRATEGY: 'single-user',
          REKEY_ALLOW_PLAINTEXT: 'false',
          PASSWORD_LENGTH: '24',
          POWERTOOLS_SERVICE_NAME: 'rotation',
          POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
          AWS_MAX_ATTEMPTS: '6',
        }),
      },
    });
  });

  test('refuses a strategy that the type does not support', () => {
    const { stack, bus, auditQueue } = testStack();
    expect(
      () =>
        new RotationFunction(stack, 'Rotation', {
          type: 'postgresql',
          strategy: 'dual-credential',
          bus,
          auditQueue,
        }),
    ).toThrow('Rotation: postgresql supports single-user, alternating-users, not dual-credential');
  });

  test('in a network may have its interfaces managed, but not by its own code', () => {
    const { stack, bus, auditQueue } = testStack();
    const vpc = new Vpc(stack, 'Vpc') as IVpc;
    new RotationFunction(stack, 'Rotation', {
      type: 'postgresql',
      strategy: 'single-user',
      bus,
      auditQueue,
      network: { vpc, securityGroups: [new SecurityGroup(stack, 'Group', { vpc })] },
    });
    const all = statements(Template.fromStack(stack), /^Rotation/);
    expect(bySid(all, 'NoNetworkInterfacesFromCode')).toMatchObject({
      Effect: 'Deny',
      Action: bySid(all, 'NetworkInterfaces')?.Action,
      Condition: {
        ArnLike: { 'lambda:SourceFunctionArn': 'arn:aws:lambda:eu-central-1:111122223333:function:*' },
      },
    });
  });
});

describe('a created secret', () => {
  test('is encrypted with the given key, kept when the stack goes, and holds no password in the template', () => {
    const { template, keyId } = synthesize();
    template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Retain',
      Properties: {
        Name: '/test/orders',
        KmsKeyId: { 'Fn::GetAtt': [keyId, 'Arn'] },
        SecretString: Match.absent(),
        GenerateSecretString: {
          GenerateStringKey: 'password',
          PasswordLength: 32,
          ExcludeCharacters: '/@"\'\\',
          SecretStringTemplate: '{}',
        },
      },
    });
  });

  test('keeps out principals of other environments', () => {
    const { template, secretId } = synthesize();
    template.hasResourceProperties('AWS::SecretsManager::ResourcePolicy', {
      SecretId: { Ref: secretId },
      ResourcePolicy: {
        Statement: [
          {
            Sid: 'OtherEnvironmentsKeepOut',
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Action: 'secretsmanager:*',
            Resource: '*',
            Condition: {
              StringNotEquals: { 'aws:PrincipalTag/rekey:environment': 'test' },
              Null: { 'aws:PrincipalTag/rekey:environment': 'false' },
            },
          },
        ],
      },
    });
  });

  test('rotates once, when its function holds its permissions, and at no change of its schedule', () => {
    const { template } = synthesize({ schedule: Schedule.rate(Duration.days(7)) });
    const [[id, schedule] = []] = Object.entries(
      template.findResources('AWS::SecretsManager::RotationSchedule'),
    );
    const [first] = Object.values(template.findResources('Custom::RekeyFirstRotation'));
    expect(first?.DependsOn).toContain(id);
    expect(first?.Properties.SecretId).toEqual({ Ref: expect.stringMatching(/^OrdersSecret/) });
    // Spelled as that of an adopted secret, so that one that is adopted later keeps its schedule.
    expect(schedule?.Properties.SecretId).toBe(
      'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/orders',
    );
    expect(schedule?.Properties).toMatchObject({
      RotateImmediatelyOnUpdate: false,
      RotationRules: { ScheduleExpression: 'rate(7 days)' },
    });
    expect(schedule?.DependsOn).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^OrdersSecret/),
        expect.stringMatching(/^RotationFunctionRoleDefaultPolicy/),
        expect.stringMatching(/^RotationFunctionSecretsManager/),
      ]),
    );
  });

  test('is described for the CLI and the revocation intake', () => {
    const { template, secretId } = synthesize({
      consumers: ['api'],
      networkName: 'db',
      maximumAge: Duration.days(45),
    });
    const [[, parameter] = []] = definitionsIn(template);
    expect(parameter?.Properties.Name).toBe('/rekey/test/secrets/.2ftest.2forders');
    const value: unknown = parameter?.Properties.Value;
    const [, parts] = (value as { 'Fn::Join': [string, (string | { Ref: string })[]] })['Fn::Join'];
    const definition = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : part.Ref)).join(''));
    expect(definition).toEqual({
      name: '/test/orders',
      arn: secretId,
      type: 'postgresql',
      strategy: 'single-user',
      owner: 'team-orders',
      consumers: ['api'],
      network: 'db',
      schedule: 'rate(30 days)',
      maximumAgeDays: 45,
      rotationFunction: expect.stringMatching(/^RotationFunction/),
      containmentFunction: expect.stringMatching(/^ContainmentFunction/),
      content: { fields: { engine: 'postgres', host: 'db.internal', username: 'orders' } },
    });
  });
});

describe('an adopted secret', () => {
  test('by name: stays as it is, is reached whatever its suffix, and waits for its schedule', () => {
    const { template } = synthesize({ secret: { adopt: { id: 'legacy/db' } } });
    template.resourceCountIs('AWS::SecretsManager::Secret', 0);
    template.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 0);
    expect(bySid(statements(template, /^Rotation/), 'Secrets')?.Resource).toBe(
      'arn:aws:secretsmanager:eu-central-1:111122223333:secret:legacy/db-??????',
    );
    template.hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
      SecretId: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:legacy/db',
      RotateImmediatelyOnUpdate: false,
    });
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rekey/test/secrets/legacy.2fdb' });
  });

  test('that this environment created once may be asked about, and gets no note of it', () => {
    const definitions = (id: string) => {
      const all = statements(synthesize({ secret: { adopt: { id } } }).template, /^Rotation/);
      return [bySid(all, 'Definitions')?.Resource, bySid(all, 'DefinitionNotes')];
    };
    expect(definitions('/test/orders')).toEqual([expect.stringContaining('.2ftest.2forders'), undefined]);
    expect(definitions('legacy/db')).toEqual([undefined, undefined]);
  });

  test('by a name that ends like an ARN is refused, as Secrets Manager would not find it', () => {
    expect(() => synthesize({ secret: { adopt: { id: 'app-secret' } } })).toThrow(
      /secret app-secret: .*adopt it by its full ARN/,
    );
    expect(() => synthesize({ adminSecret: { id: 'orders-master' } })).toThrow(/secret orders-master: /);
    const id = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-secret-AbCdEf';
    const { template } = synthesize({ secret: { adopt: { id } } });
    template.hasResourceProperties('AWS::SecretsManager::RotationSchedule', { SecretId: id });
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rekey/test/secrets/app-secret' });
  });

  test('by ARN, with a key of its own', () => {
    const id = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:legacy/db-AbCdEf';
    const { template } = synthesize({
      secret: { adopt: { id, encryptionKey: Key.fromKeyArn(new Stack(), 'Key', adminKeyArn) } },
    });
    const all = statements(template, /^Rotation/);
    expect(bySid(all, 'Secrets')?.Resource).toBe(id);
    expect(bySid(all, 'SecretsKey1')).toMatchObject({
      Resource: adminKeyArn,
      Condition: { StringLike: { 'kms:EncryptionContext:SecretARN': [id] } },
    });
    template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/rekey/test/secrets/legacy.2fdb' });
  });
});

describe('several secrets of one function', () => {
  test('share one statement, and one per key', () => {
    const { stack, bus, auditQueue } = testStack();
    const shared = {
      environment: 'test',
      type: 'postgresql',
      strategy: 'single-user',
      bus,
      auditQueue,
    } as const;
    const pair = {
      rotation: new RotationFunction(stack, 'Rotation', shared),
      containment: new ContainmentFunction(stack, 'Containment', shared),
    };
    const encryptionKey = new Key(stack, 'Key');
    const fields = { engine: 'postgres', host: 'db.internal', username: 'orders' };
    const admin = new RotatedSecret(stack, 'Admin', {
      ...pair,
      secret: { create: { name: '/test/admin', fields, encryptionKey } },
      owner: 'team',
    });
    for (const name of ['one', 'two']) {
      new RotatedSecret(stack, name, {
        ...pair,
        secret: { create: { name: `/test/${name}`, fields, encryptionKey } },
        adminSecret: admin,
        owner: 'team',
      });
    }
    const all = statements(Template.fromStack(stack), /^Rotation/);
    expect(bySid(all, 'Secrets')?.Resource).toHaveLength(3);
    expect(bySid(all, 'AdminSecrets')?.Resource).toEqual({ Ref: expect.stringMatching(/^AdminSecret/) });
    expect(all.filter(({ Sid }) => Sid?.includes('SecretsKey')).map(({ Sid }) => Sid)).toEqual([
      'SecretsKey1',
      'AdminSecretsKey1',
    ]);
  });
});
