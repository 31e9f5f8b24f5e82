import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { auditWriterEnvironmentSchema, rotationEnvironmentSchema } from '../../core/deployed/variables.ts';
import { bundle, functionNames, packageRoot } from '../../lib/function/bundle.ts';
import { StandardFunction } from '../../lib/function/standard-function.ts';
import { testStack } from './support/app.ts';

const writer = {
  entry: 'audit-writer',
  service: 'audit',
  description: 'Writes',
  environmentSchema: auditWriterEnvironmentSchema,
  environment: { REKEY_ENVIRONMENT: 'test', REKEY_AUDIT_BUCKET: 'bucket' },
};

describe('a standard function', () => {
  test('has a log group of its own that ends, and may write there only', () => {
    const { stack } = testStack();
    new StandardFunction(stack, 'Writer', { ...writer, logRetention: RetentionDays.ONE_WEEK });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    const [group] = Object.keys(template.findResources('AWS::Logs::LogGroup'));
    template.hasResourceProperties('AWS::Lambda::Function', {
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: group } },
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Effect: 'Allow',
            Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            Resource: { 'Fn::GetAtt': [group, 'Arn'] },
          },
        ]),
      },
    });
  });

  test('lets CloudWatch Logs use the key of its log group, for logs of this account only', () => {
    const { stack } = testStack();
    new StandardFunction(stack, 'Writer', { ...writer, logEncryptionKey: new Key(stack, 'Key') });
    Template.fromStack(stack).hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: 'logs.eu-central-1.amazonaws.com' },
            Condition: {
              ArnLike: { 'kms:EncryptionContext:aws:logs:arn': 'arn:aws:logs:eu-central-1:111122223333:*' },
            },
          }),
        ]),
      },
    });
  });

  test('takes its limits', () => {
    const { stack } = testStack();
    new StandardFunction(stack, 'Writer', {
      ...writer,
      timeout: Duration.minutes(2),
      memorySize: 1024,
      reservedConcurrency: 1,
    });
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 120,
      MemorySize: 1024,
      ReservedConcurrentExecutions: 1,
    });
  });

  test('is refused an environment that the function would refuse', () => {
    const { stack, auditQueue } = testStack();
    const rotation = {
      ...writer,
      environmentSchema: rotationEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: 'test',
        REKEY_EVENT_BUS: 'bus',
        REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
        REKEY_STRATEGY: 'single-users',
        REKEY_ALLOW_PLAINTEXT: 'false',
      },
    };
    expect(() => new StandardFunction(stack, 'One', rotation)).toThrow(
      'One: the function would refuse REKEY_STRATEGY="single-users"',
    );
    const extra: Record<string, string> = { ...writer.environment, REKEY_BUKET: 'x' };
    expect(
      () =>
        new StandardFunction(stack, 'Two', { ...writer, environment: extra as typeof writer.environment }),
    ).toThrow('Two: the function does not read the environment variable REKEY_BUKET; remove it');
  });

  test('is held to the same by what sets a variable later, unless the value is known only when it is deployed', () => {
    const { stack, auditQueue } = testStack();
    const rotation = new StandardFunction(stack, 'Rotation', {
      ...writer,
      environmentSchema: rotationEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: 'test',
        REKEY_EVENT_BUS: 'bus',
        REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
        REKEY_STRATEGY: 'single-user',
      },
    });
    expect(() => rotation.setVariable('REKEY_BRAKE_AFTER', '11')).toThrow(
      'Rotation: the function would refuse REKEY_BRAKE_AFTER="11": Too big: expected number to be <=10',
    );
    rotation.setVariable('REKEY_BRAKE_AFTER', '10');
    rotation.setVariable('REKEY_CODE', auditQueue.queueName);
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: { REKEY_BRAKE_AFTER: '10', REKEY_CODE: stack.resolve(auditQueue.queueName) },
      },
    });
  });
});

describe('a bundle', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-bundle-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** What the files take in a ZIP archive, its headers included. */
  const zipped = (folder: string): number =>
    readdirSync(folder)
      .map((file) => deflateRawSync(readFileSync(join(folder, file))).length + 2 * file.length + 76)
      .reduce((sum, size) => sum + size, 22);

  test('are made of every handler that there is', () => {
    const handlers = readdirSync(join(packageRoot, 'lambdas', 'functions')).flatMap(
      (file) => /^(.*)\.handler\.ts$/.exec(file)?.[1] ?? [],
    );
    expect(handlers.length).toBeGreaterThan(15);
    expect(handlers.filter((name) => !functionNames.includes(name))).toEqual([]);
  });

  test.each(functionNames)('of %s is at most 500 KiB with the SDK, and exports a handler', async (entry) => {
    const folder = mkdtempSync(join(directory, 'bundle-'));
    const certificates = join(directory, 'authority.pem');
    writeFileSync(certificates, 'certificates');
    bundle(folder, { entry, files: [certificates] });
    expect(zipped(folder)).toBeLessThanOrEqual(500 * 1024);
    expect(readFileSync(join(folder, 'authority.pem'), 'utf8')).toBe('certificates');
    const script = `const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))}); console.log(typeof handler);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      // Nothing of this machine: only what the construct sets.
      env: {
        AWS_REGION: 'eu-central-1',
        REKEY_ENVIRONMENT: 'test',
        REKEY_EVENT_BUS: 'rekey-test',
        REKEY_STRATEGY: 'single-user',
        REKEY_AUDIT_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/audit.fifo',
        REKEY_AUDIT_BUCKET: 'bucket',
        REKEY_PACE_TABLE: 'table',
        REKEY_OUTCOME_TABLE: 'table',
        REKEY_PLAN_BUCKET: 'bucket',
        REKEY_PLAN_WORKFLOW_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:plans',
        REKEY_REVOCATION_WORKFLOW_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:revocation',
        REKEY_REVOCATION_SOURCES: 'rekey.cli',
        REKEY_REVOCATION_ACCOUNTS: '',
        REKEY_REMIND_DAYS_BEFORE: '30,7,1',
        REKEY_ACCOUNT: '111122223333',
        REKEY_APPROVAL_TABLE: 'approvals',
        REKEY_QUARANTINE_TABLE: 'quarantines',
        REKEY_QUARANTINE_PRINCIPALS: 'arn:aws:iam::111122223333:role/app-*',
        REKEY_APPROVAL_MINUTES: '60',
        REKEY_APPROVAL_ON_EXPIRY: 'refuse',
        REKEY_APPROVAL_LINK_KEY: 'arn:aws:kms:eu-central-1:111122223333:key/links',
        REKEY_APPROVERS: '',
        REKEY_SIGNALS: '{}',
        REKEY_HONEY_SECRETS: '{}',
        REKEY_SIGNAL_DEAD_LETTERS_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/dead',
        REKEY_FINGERPRINT_TABLE: 'fingerprints',
        REKEY_FINGERPRINT_KEY: 'arn:aws:kms:eu-central-1:111122223333:key/fingerprints',
        REKEY_FINGERPRINT_COUNTS: 'counts',
        REKEY_NOTIFICATION_TABLE: 'notifications',
        REKEY_NOTIFICATION_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/notifications',
        REKEY_NOTIFICATION_SETTINGS: '/rekey/test/deployment/notifications',
        REKEY_MEMBERS: '{}',
        REKEY_EVENT_BUS_ARN: 'arn:aws:events:eu-central-1:111122223333:event-bus/rekey-test',
        REKEY_TRAIL_BUCKET: 'trail',
        REKEY_TRAIL_PREFIX: 'AWSLogs/111122223333/CloudTrail/eu-central-1/',
        REKEY_TRAIL_TABLE: 'trail',
      },
      timeout: 20_000,
    });
    expect(stdout.trim()).toBe('function');
  });
});
