import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { attributedTypes } from '../../core/trail/claim.ts';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { type Statement, testApp } from './support/app.ts';

const [account, region] = ['111122223333', 'eu-central-1'];
const environmentOf = (trail: object | undefined): RekeyEnvironment => {
  const { dev } = defineConfig({
    environments: {
      dev: { account, region, audit: { retentionDays: 1 }, ...(trail !== undefined && { trail }) },
    },
  }).environments;
  if (dev === undefined) throw new Error('no environment dev');
  const app = testApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  const environment = new RekeyEnvironment(app, 'dev', {
    configuration: dev,
    directory: import.meta.dirname,
  });
  // Synthesis fails on any finding of cdk-nag that is not acknowledged.
  app.synth();
  return environment;
};
const trailArn = `arn:aws:cloudtrail:${region}:${account}:trail/rekey-dev`;
const policyOf = (template: Template, type: string): readonly Statement[] =>
  Object.values(template.findResources(type)).flatMap(
    ({ Properties: { PolicyDocument, KeyPolicy } }) =>
      (PolicyDocument ?? KeyPolicy).Statement as readonly Statement[],
  );
const statements = (template: Template): readonly Statement[] => policyOf(template, 'AWS::IAM::Policy');
const named = (all: readonly Statement[], sid: string) => all.find(({ Sid }) => Sid === sid);

describe('a trail of its own', () => {
  let environment: RekeyEnvironment;
  let audit: Template;
  let reading: Template;
  beforeAll(() => {
    environment = environmentOf({ create: true });
    audit = Template.fromStack(environment.audit);
    reading = Template.fromStack(environment.trail as Stack);
  });

  test('logs who puts events on the one bus, and what manages something in the one region', () => {
    audit.hasResource('AWS::CloudTrail::Trail', {
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^AuditLogBucketPolicy')]),
      Properties: {
        TrailName: 'rekey-dev',
        IsLogging: true,
        IsMultiRegionTrail: false,
        IncludeGlobalServiceEvents: false,
        EnableLogFileValidation: true,
        S3BucketName: { Ref: Match.stringLikeRegexp('^AuditLogBucket') },
        KMSKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^AuditLogKey'), 'Arn'] },
        AdvancedEventSelectors: [
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Data'] },
              { Field: 'resources.type', Equals: ['AWS::Events::EventBus'] },
              { Field: 'resources.ARN', Equals: [Match.anyValue()] },
              { Field: 'eventName', Equals: ['PutEvents'] },
            ],
          },
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Management'] },
              { Field: 'eventSource', NotEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] },
            ],
          },
        ],
      },
    });
  });

  test('alone writes below AWSLogs, and its key serves no other trail', () => {
    const bucket = policyOf(audit, 'AWS::S3::BucketPolicy');
    expect(named(bucket, 'TrailWrites')).toMatchObject({
      Effect: 'Allow',
      Action: 's3:PutObject',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceArn': trailArn, 's3:x-amz-acl': 'bucket-owner-full-control' } },
    });
    expect(JSON.stringify(named(bucket, 'TrailWrites')?.Resource)).toContain(`/AWSLogs/${account}/*`);
    expect(named(bucket, 'TrailLooks')).toMatchObject({ Action: 's3:GetBucketAcl' });
    expect(named(bucket, 'OnlyTheTrailWrites')).toMatchObject({
      Effect: 'Deny',
      Action: 's3:PutObject',
      Principal: { AWS: '*' },
      Condition: { StringNotEquals: { 'aws:SourceArn': trailArn } },
    });
    const key = policyOf(audit, 'AWS::KMS::Key');
    for (const sid of ['TrailEncrypts', 'TrailUsesTheBucketKey']) {
      expect(named(key, sid)).toMatchObject({
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceArn': trailArn } },
      });
    }
  });

  test('has its files told to EventBridge by the bucket itself, without a function that may change buckets', () => {
    audit.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
    audit.resourceCountIs('AWS::Lambda::Function', 1);
  });

  test('is read by a function that may read its files and publish one event', () => {
    const all = statements(reading);
    const bySid = Object.fromEntries(
      all.map(({ Sid = 'none', Action, Resource }) => [Sid, { Action, Resource }]),
    );
    expect(bySid.ReadTrail?.Action).toEqual(['s3:GetObject', 's3:GetObjectVersion']);
    expect(JSON.stringify(bySid.ReadTrail?.Resource)).toContain(`/AWSLogs/${account}/CloudTrail/${region}/*`);
    expect(bySid.Memory?.Action).toEqual(['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem']);
    expect(bySid.DecryptTrail?.Action).toBe('kms:Decrypt');
    const puts = all.filter(({ Action }) => Action === 'events:PutEvents');
    expect(puts).toMatchObject([
      {
        Condition: {
          StringEquals: { 'events:source': 'rekey.trail', 'events:detail-type': ['Request Attributed'] },
        },
      },
    ]);
    expect(
      all
        .flatMap(({ Action }) => Action)
        .filter((action) => /secretsmanager|s3:Put|s3:List/.test(`${action}`)),
    ).toEqual([]);
  });

  test('and words of senders reach one queue, by two rules that take no replay', () => {
    const rules = Object.values(reading.findResources('AWS::Events::Rule')).map(
      ({ Properties }) => Properties,
    );
    expect(rules).toHaveLength(2);
    for (const { EventPattern } of rules) expect(EventPattern['replay-name']).toEqual([{ exists: false }]);
    reading.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: Match.absent(),
      EventPattern: {
        source: ['aws.s3'],
        detail: { object: { key: [{ prefix: `AWSLogs/${account}/CloudTrail/${region}/` }] } },
      },
    });
    reading.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { 'detail-type': [...attributedTypes] },
    });
    reading.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  });

  test('tells planners who read what, and nothing else of its memory', () => {
    const revocation = Template.fromStack(environment.revocation);
    const reads = statements(revocation).filter(({ Sid }) => Sid === 'WhoRead');
    expect(reads).toHaveLength(2);
    for (const statement of reads) {
      expect(statement).toMatchObject({
        Action: 'dynamodb:Query',
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['progress', 'reads *'] } },
      });
    }
  });

  test('raises alarms with runbooks', () => {
    const alarms = Object.values(reading.findResources('AWS::CloudWatch::Alarm'));
    const text = JSON.stringify(alarms);
    for (const runbook of ['request-disputed', 'attribution-dead-letters', 'attribution-function-errors']) {
      expect(text).toContain(runbook);
    }
  });
});

describe('a trail that is there', () => {
  test('is read at its place, and nothing is made or changed of it', () => {
    const environment = environmentOf({
      bucket: 'organization-trail',
      prefix: 'trails',
      organization: 'o-a1b2c3d4e5',
      encryptionKey: 'arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555',
    });
    const audit = Template.fromStack(environment.audit);
    audit.resourceCountIs('AWS::CloudTrail::Trail', 0);
    audit.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      NotificationConfiguration: Match.absent(),
    });
    const reading = Template.fromStack(environment.trail as Stack);
    reading.resourceCountIs('AWS::S3::BucketPolicy', 0);
    reading.resourceCountIs('AWS::S3::Bucket', 0);
    const read = named(statements(reading), 'ReadTrail');
    expect(JSON.stringify(read?.Resource)).toContain(
      `organization-trail/trails/AWSLogs/o-a1b2c3d4e5/${account}/CloudTrail/${region}/*`,
    );
    expect(named(statements(reading), 'DecryptTrail')).toMatchObject({
      Resource: 'arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555',
    });
  });
});

test('without one there is no trail, no function and no permission', () => {
  const environment = environmentOf(undefined);
  expect(environment.trail).toBeUndefined();
  Template.fromStack(environment.audit).resourceCountIs('AWS::CloudTrail::Trail', 0);
  expect(JSON.stringify(Template.fromStack(environment.revocation).toJSON())).not.toContain(
    'REKEY_TRAIL_TABLE',
  );
});

test.each([
  ['neither', {}, 'exactly one of'],
  ['both', { create: true, bucket: 'organization-trail' }, 'exactly one of'],
  ['a place beside a trail of its own', { create: true, prefix: 'trails' }, 'nothing beside'],
  ['a prefix with a slash', { bucket: 'organization-trail', prefix: 'trails/' }, 'without a slash'],
])('is refused with %s', (_what, trail, why) => {
  expect(() => environmentOf(trail)).toThrow(why);
});
