import { beforeAll, describe, expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { type Statement, statements, testApp } from './support/app.ts';
import { everything } from './support/everything.ts';

const settings = everything.environments.full;
if (settings === undefined) throw new Error('no environment full');

const build = (fingerprints: boolean): RekeyEnvironment =>
  new RekeyEnvironment(testApp(), 'full', {
    configuration: { ...settings, fingerprints },
    directory: import.meta.dirname,
  });

let environment: RekeyEnvironment;
let template: Template;

beforeAll(() => {
  environment = build(true);
  template = Template.fromStack(environment.fingerprints as Stack);
});

/** What each statement of a role allows, by its Sid. */
const bySid = (all: readonly Statement[]): Record<string, string[]> =>
  Object.fromEntries(all.map(({ Sid = 'none', Action }) => [Sid, [Action].flat().toSorted()]));

const traces = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
const logs = ['logs:CreateLogStream', 'logs:PutLogEvents'];

describe('the function that looks up', () => {
  let own: Statement[];
  beforeAll(() => {
    own = statements(template, /^FingerprintsLookupRole/);
  });

  test('signs, reads by point, counts, records, and may do nothing else', () => {
    const { none: _, ...named } = bySid(own);
    expect(named).toEqual({
      SignHashes: ['kms:GenerateMac'],
      ReadIndex: ['dynamodb:GetItem', 'dynamodb:Query'],
      CountLookups: ['dynamodb:UpdateItem'],
      TableKey: expect.arrayContaining(['kms:Decrypt']),
      AuditQueue: ['sqs:SendMessage'],
      AuditQueueKey: ['kms:Decrypt', 'kms:GenerateDataKey'],
    });
    const unnamed = own.filter(({ Sid }) => Sid === undefined).flatMap(({ Action }) => Action);
    expect(unnamed.toSorted()).toEqual([...traces, ...logs, 'events:PutEvents'].toSorted());
    expect(JSON.stringify(own)).not.toContain('secretsmanager');
  });

  test('writes no table but the one that counts, and scans none', () => {
    const written = own.filter(({ Action }) =>
      [Action].flat().some((one) => /^dynamodb:(?!Get|Query)/.test(one)),
    );
    expect(written.map(({ Resource }) => JSON.stringify(Resource))).toEqual([
      expect.stringContaining('FingerprintsCounts'),
    ]);
  });

  test('announces lookups alone', () => {
    expect(own).toContainEqual(
      expect.objectContaining({
        Action: 'events:PutEvents',
        Condition: {
          StringEquals: {
            'events:source': 'rekey.fingerprint',
            'events:detail-type': ['Fingerprint Looked Up'],
          },
        },
      }),
    );
  });
});

describe('the function that fills the index', () => {
  let own: Statement[];
  beforeAll(() => {
    own = statements(template, /^FingerprintsIndexRole/);
  });

  test('reads values and labels, signs, writes the index, and may do nothing else', () => {
    const { none: _, ...named } = bySid(own);
    const read = [
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
    ];
    expect(named).toEqual({
      ReadSecretsOfEnvironment: read,
      ReadSecretsKeys: ['kms:Decrypt'],
      ReadAdopted: read,
      ReadAdoptedKey1: ['kms:Decrypt'],
      FindDefinition: ['ssm:GetParameter'],
      ListDefinitions: ['ssm:GetParametersByPath'],
      SignHashes: ['kms:GenerateMac'],
      WriteIndex: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      TableKey: expect.arrayContaining(['kms:Decrypt']),
    });
    const unnamed = own.filter(({ Sid }) => Sid === undefined).flatMap(({ Action }) => Action);
    expect(unnamed.toSorted()).toEqual([...traces, ...logs].toSorted());
  });

  test('reads created secrets by prefix and tag, adopted ones by name, and their keys for them alone', () => {
    const of = (sid: string) => own.find(({ Sid }) => Sid === sid);
    expect(of('ReadSecretsOfEnvironment')).toMatchObject({
      Resource: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/full/*',
      Condition: { StringEquals: { 'aws:ResourceTag/rekey:environment': 'full' } },
    });
    expect(JSON.stringify(of('ReadAdopted')?.Resource)).toMatch(/secret:admin-AbCdEf.*oracle-\?{6}/);
    expect(JSON.stringify(of('ReadSecretsKeys')?.Condition)).toMatch(
      /secretsmanager\..*SecretARN.*:secret:\/full\/\*/,
    );
    expect(of('TableKey')?.Condition).toMatchObject({
      StringEquals: { 'kms:ViaService': expect.anything() },
      StringEqualsIfExists: { 'kms:EncryptionContext:aws:dynamodb:tableName': expect.anything() },
    });
  });
});

test('the key signs and cannot be used for anything else; the table is encrypted, forgets, and can be recovered', () => {
  template.hasResource('AWS::KMS::Key', {
    Properties: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', PendingWindowInDays: 30 },
    DeletionPolicy: 'Delete',
  });
  template.hasResourceProperties('AWS::DynamoDB::Table', {
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: Match.anyValue() },
    TimeToLiveSpecification: { AttributeName: 'forget', Enabled: true },
  });
});

test('nobody but the two functions signs, whatever their own policies say', () => {
  const [key] = Object.values(template.findResources('AWS::KMS::Key'));
  const role = (name: string) => ({
    'Fn::GetAtt': [expect.stringContaining(`Fingerprints${name}Role`), 'Arn'],
  });
  expect(key?.Properties.KeyPolicy.Statement).toContainEqual({
    Sid: 'NobodyElseSigns',
    Effect: 'Deny',
    Principal: { AWS: '*' },
    Action: ['kms:GenerateMac', 'kms:VerifyMac'],
    Resource: '*',
    Condition: { ArnNotEquals: { 'aws:PrincipalArn': [role('Index'), role('Lookup')] } },
  });
});

test('rotations, time, and a deploy with other secrets fill the index', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { 'detail-type': ['Secret Rotation Succeeded', 'Secret Rotation Failed'] },
  });
  template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(6 hours)' });
  const digest = (some: Partial<typeof settings>) => {
    const { fingerprints } = new RekeyEnvironment(testApp(), 'full', {
      configuration: { ...settings, fingerprints: true, ...some },
      directory: import.meta.dirname,
    });
    const [resource] = Object.values(
      Template.fromStack(fingerprints as Stack).findResources('Custom::RekeyFingerprints'),
    );
    return resource?.Properties.Secrets;
  };
  const { token: _, ...others } = settings.secrets;
  expect(digest({})).toBe(digest({ eventArchiveDays: 9 }));
  expect(digest({})).not.toBe(digest({ secrets: others }));
});

test('operators and responders may ask, auditors may not', () => {
  const access = Template.fromStack(environment.access);
  const lookup = expect.objectContaining({ Sid: 'LookUpFingerprints', Action: 'lambda:InvokeFunction' });
  expect(statements(access, /^OperatorRole/)).toContainEqual(lookup);
  expect(statements(access, /^ResponderRole/)).toContainEqual(lookup);
  expect(statements(access, /^AuditorRole/)).not.toContainEqual(lookup);
});

test('an environment that keeps none has no stack for it, and its other stacks are as they were', () => {
  const without = build(false);
  expect(without.fingerprints).toBeUndefined();
  // Those of people and of signals ask it, where it is there.
  const templates = (of: RekeyEnvironment) =>
    Object.fromEntries(
      of.node.children.flatMap((child) =>
        Stack.isStack(child) && ![of.fingerprints, of.access, of.signals].includes(child as never)
          ? [[child.stackName, Template.fromStack(child).toJSON()]]
          : [],
      ),
    );
  expect(templates(without)).toEqual(templates(environment));
  expect(JSON.stringify(Template.fromStack(without.access).toJSON())).not.toContain('Fingerprint');
});
